// IDX, the format of MNIST, Fashion-MNIST, KMNIST and EMNIST: a file of gray pictures beside a file of
// labels, found by their first bytes and paired by their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// What an IDX file of unsigned bytes declares.
struct IdxHeader {
  std::uint32_t num_items = 0;
  std::uint32_t height_px = 0;  // of pictures; labels have no sides
  std::uint32_t width_px = 0;
  bool has_pictures = false;

  std::uint64_t header_bytes() const noexcept { return has_pictures ? 16 : 8; }
  std::uint64_t item_bytes() const noexcept {
    return has_pictures ? std::uint64_t{height_px} * width_px : 1;
  }
};

/// Reads the header of pictures (magic number 0x00000803) or labels (0x00000801); nothing for other
/// bytes, or sides of zero.
///
/// Source  Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats": big-endian
///         numbers of 32 bits (http://yann.lecun.com/exdb/mnist)
std::optional<IdxHeader> parse_idx_header(std::span<const std::byte> first_bytes) noexcept;

/// Why bytes that parse_idx_header() reads nothing of are no pictures: "a header of 9 bytes", "pictures of 0 x
/// 28 px".
std::string idx_fault(std::span<const std::byte> first_bytes);

/// The name of the file of labels that belongs to a file of pictures: "labels" for "images", "idx1" for
/// "idx3".
std::string labels_file_name(const std::string& pictures);

/// Whether there are few files and pictures as IDX among them. Reads their first bytes; throws Io.
bool is_idx(const StoredFiles& files);

/// Lists the pictures of each pair as "train-images-idx3-ubyte/00017". Labels lie in the file that
/// labels_file_name() tells. Classes are "0", "1", ... up to the largest
/// label, or as `class_names_file` names them. "train" in a name is the training split, "t10k" and
/// "test" the test split; else splits are drawn. Findings: archive_truncated (fewer items than
/// declared), archive_damaged (a name of IDX, and other bytes; a compressed file that fails),
/// row_without_label and row_without_image (files without their pair, labels that are cut short),
/// unknown_label.
///
/// Errors  InvalidArgument: another number of labels than of pictures, no picture has a label, a fraction
///         for a split that is given; Io; those of read_class_names()
SourceScan scan_idx(StoredFiles files, const SourceRequest& request, const std::stop_token& stop);

}  // namespace penstock::convert
