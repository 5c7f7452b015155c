// A dataset of numbers in anybody's HDF5 file, for conversions: where its elements lie, or all of them one
// after the other. Knows nothing of shards; the loader never comes here.
//
// Hardened: the library works in a child process (hdf5_child.h). Hard links only, no external files, no
// virtual datasets, no plugins; filters that the library has built in (gzip, shuffle, Fletcher32, n-bit,
// scale-offset) are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace penstock {

enum class Hdf5ElementKind : std::uint8_t { kUnsigned, kSigned, kFloat, kOther };

struct Hdf5Array {
  std::vector<std::uint64_t> shape{};  // 1 to 8 sides, C order
  Hdf5ElementKind element_kind = Hdf5ElementKind::kOther;
  std::uint32_t element_bytes = 0;
  bool is_big_endian = false;  // as the elements lie, or as copy_hdf5_array() gives them
  std::string type_text{};     // "float32", "a string"
  /// Where the elements lie back to back in the file, to be read there by anybody; the file may end before
  /// they do. Nothing: copy_hdf5_array() alone reads them (chunks, filters, types of odd widths).
  std::optional<std::uint64_t> offset_bytes{};
};

/// Finds the dataset `name` ("images", "group/images", with or without a leading '/') of `path`.
///
/// Errors  NotFound (no such file or dataset), Io; CorruptData when the library cannot open it, breaks on
///         it, or it has more bytes than its file could unfold to (1032 for each, as gzip);
///         Unsupported for links, external files, virtual datasets, a filter that is not built in, a
///         chunk above 64 MiB, more than 8 dimensions or none
Hdf5Array survey_hdf5_array(const std::filesystem::path& path, const std::string& name);

/// What copy_hdf5_array() hands over, in the order of the elements.
struct Hdf5Elements {
  std::function<void(std::span<const std::byte> bytes)> take;
  /// In their place, where a chunk fails its checksum or does not decompress: how many bytes of elements
  /// are not to be had, and the library's words.
  std::function<void(std::uint64_t num_bytes, const std::string& why)> lose;
};

/// Gives all elements of a dataset of numbers of 1, 2, 4 or 8 bytes to `elements`, in C order and in pieces
/// of at most 16 MiB. Of damaged chunks those are lost that lie in the same steps of the first axis.
///
/// Memory  of the child: a chunk of at most 64 MiB, a piece, and what the library keeps for metadata
/// Errors  as survey_hdf5_array(); CorruptData after what came before it when the library breaks on a
///         chunk; Stopped; what `elements` throw
void copy_hdf5_array(const std::filesystem::path& path, const std::string& name,
                     const Hdf5Elements& elements, const std::stop_token& stop);

/// Whether a file is HDF5 by its signature, at 0 or behind a user block.
bool is_hdf5_file(const std::filesystem::path& path);

/// Names of the datasets in the root of an HDF5 file, by rising bytes; links elsewhere are passed over.
/// At most 1,000 entries are looked at. Throws as survey_hdf5_array().
std::vector<std::string> hdf5_dataset_names(const std::filesystem::path& path);

}  // namespace penstock
