#include "tools/care/sample_file.h"

#include <fmt/core.h>

#include <span>

#include "streamer/core/error.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/png_writer.h"

namespace penstock::care {
namespace {

[[noreturn]] void refuse(const std::string& expected, unsigned found) {
  throw Error(ErrorCode::kUnsupported,
              fmt::format("sample: expected {}, found {}", expected, found),
              "read it with a newer penstock");
}

std::vector<std::byte> raw_as_png(const IndexRecord& record, std::span<const std::byte> pixels) {
  if (record.components != 1 && record.components != 3) {
    refuse("raw pixels of 1 or 3 components", record.components);
  }
  const std::uint64_t expected =
      std::uint64_t{record.width_px} * record.height_px * record.components;
  if (pixels.size() != expected) {
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("sample: raw pixels: expected {} bytes, found {}", expected, pixels.size()),
        "penstock verify DATASET --deep lists every such sample");
  }
  std::vector<std::byte> exif;
  if (record.orientation > 1) exif = convert::orientation_tiff(record.orientation);
  return tools::encode_png({.pixels_hwc = reinterpret_cast<const std::uint8_t*>(pixels.data()),
                            .width_px = record.width_px,
                            .height_px = record.height_px,
                            .channels = record.components,
                            .pixel_stride_bytes = record.components,
                            .row_stride_bytes = std::size_t{record.width_px} * record.components},
                           exif);
}

}  // namespace

std::string_view sample_extension(const IndexRecord& record) {
  switch (static_cast<Codec>(record.codec)) {
    case Codec::kJpeg:
      return ".jpg";
    case Codec::kRaw:
    case Codec::kPng:
      return ".png";
  }
  refuse("a codec of this build", record.codec);
}

bool is_told_by_index_alone(const IndexRecord& record, std::span<const std::byte> stored) {
  return static_cast<Codec>(record.codec) == Codec::kJpeg && record.orientation >= 1 &&
         record.orientation <= 8 && convert::read_exif_orientation(stored) != record.orientation;
}

std::vector<std::byte> sample_as_file(const IndexRecord& record, std::vector<std::byte> stored) {
  sample_extension(record);  // refuses what is not known
  if (static_cast<Codec>(record.codec) == Codec::kRaw) return raw_as_png(record, stored);
  if (!is_told_by_index_alone(record, stored)) return stored;
  return convert::with_exif_orientation(stored, record.orientation);
}

bool fits_name(std::string_view name, std::string_view extension) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string found = convert::ascii_lower(name.substr(dot));
  return extension == ".jpg"
             ? found == ".jpg" || found == ".jpeg" || found == ".jpe" || found == ".jfif"
             : found == extension;
}

}  // namespace penstock::care
