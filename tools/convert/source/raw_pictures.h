// Pictures that are bare pixels, records of equal size in a few files: CIFAR batches, IDX.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

/// How the pixels of a record lie.
enum class PixelOrder : std::uint8_t {
  kInterleaved,  // HWC, as they are stored in a dataset
  kPlanar,       // CHW: all of red, then green, then blue
};

/// The records of one file: record i has its pixels at
/// first_bytes + i * stride_bytes.
struct RawRecords {
  std::uint32_t file_idx = 0;
  std::uint64_t first_bytes = 0;
  std::uint64_t stride_bytes = 0;
  RawShape shape{};
  PixelOrder order = PixelOrder::kInterleaved;
  /// Of its bytes or of those that its labels come from: SourcePicture::failed_checksum.
  std::string failed_checksum{};

  std::uint64_t num_pixel_bytes() const noexcept {
    return std::uint64_t{shape.height_px} * shape.width_px * shape.channels;
  }
};

/// The place of a record in the PictureList: of which RawRecords, and which.
constexpr std::uint64_t raw_place(std::uint32_t records_idx, std::uint32_t record_idx) noexcept {
  return std::uint64_t{records_idx} << 32 | record_idx;
}

/// Reads them from `store`.
std::unique_ptr<const PictureSource> raw_pictures(std::unique_ptr<const FileStore> store,
                                                  std::vector<RawRecords> records);

/// "data_batch_1/00017": the file's name without ".bin", and the record's number.
std::string record_name(const std::string& file, std::uint64_t record_idx);

}  // namespace penstock::convert
