#include "tools/convert/image/stored_picture_check.h"

#include <algorithm>
#include <optional>
#include <string>

#include "streamer/core/error.h"
#include "streamer/read/jpeg_record.h"
#include "streamer/read/new_picture.h"
#include "streamer/read/png_header.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/jpeg_fault.h"
#include "tools/convert/image/png_structure.h"

namespace penstock::convert {
namespace {

// What libjpeg and the loader keep from picture to picture; a larger one's memory is given back.
constexpr std::uint64_t kKeptScratchBytes = 4u << 20;
constexpr std::uint64_t kKeptResizerBytes = 1u << 20;

template <class Bytes>
void grow(Bytes& buffer, std::size_t num_bytes) {
  if (buffer.size() < num_bytes) buffer.resize(num_bytes);
}

}  // namespace

IndexRecord record_of_jpeg(const JpegHeader& header, std::uint8_t orientation,
                           std::size_t num_bytes) {
  IndexRecord record = jpeg_record(header);
  record.length_bytes = static_cast<std::uint32_t>(num_bytes);
  record.orientation = orientation;
  return record;
}

std::uint64_t jpeg_scratch_bytes(const IndexRecord& record) {
  const DecodeRequest whole{
      .region = {0, 0, record.width_px, record.height_px}, .decode_scale = 1, .channels = 3};
  return jpeg_decode_price(stored_info(record), whole).scratch_bytes;
}

Result<JpegHeader> StoredPictureCheck::read_header(std::span<const std::byte> jpeg) noexcept {
  return decoder_.read_header(jpeg);
}

ImageVerdict StoredPictureCheck::check_jpeg(std::span<const std::byte> jpeg,
                                            const JpegHeader& header, Reading reading,
                                            const std::stop_token& stop) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = record_of_jpeg(header, read_exif_orientation(jpeg), jpeg.size());
  verdict.decode_scratch_bytes = jpeg_scratch_bytes(verdict.record);
  if (reading.depth == CheckDepth::kHeader) return verdict;
  grow(scratch_, verdict.decode_scratch_bytes);
  grow(strip_, std::max(kStripBytes, std::uint64_t{header.width_px} * 3));
  StreamHasher hasher;
  std::optional<LumaCellSums> cells;
  if (takes_luma_cells_) cells.emplace(header.width_px, header.height_px);
  const Result<StripsDone> decoded = decoder_.decode_in_strips(
      jpeg, stored_info(verdict.record), strip_, scratch_,
      [&](const ImageView& rows) {
        verdict.sums.add(rows);
        if (cells) cells->add(rows);
        if (reading.takes_digest) {
          hasher.update(
              std::as_bytes(std::span(rows.pixels_hwc, rows.row_stride_bytes * rows.height_px)));
        }
      },
      stop);
  if (scratch_.size() > kKeptScratchBytes) release_scratch();
  if (!decoded.ok()) {
    check_decode_stop(stop);
    return quarantined(reason_of_jpeg_fault(decoded.fault()),
                       std::string(decoded.fault().detail()));
  }
  if (cells) verdict.luma_cells = cells->means();
  if (reading.takes_digest) digest_ = hasher.digest_128();
  return verdict;
}

namespace {

DecodeRequest whole_png(const IndexRecord& record, std::uint32_t channels) {
  return {
      .region = {0, 0, record.width_px, record.height_px}, .decode_scale = 1, .channels = channels};
}

ImageVerdict png_refused(const SampleFault& fault) {
  const bool is_unsupported = fault.status == SampleStatus::kUnsupported;
  return quarantined(is_unsupported ? ReasonCode::kUnsupportedFormat : ReasonCode::kDamaged,
                     std::string(fault.detail()));
}

}  // namespace

Result<IndexRecord> read_png_record(std::span<const std::byte> png) {
  const Result<PngHeader> found = read_png_header(png);
  if (!found.ok()) return found.fault();
  const PngHeader& header = found.value();
  IndexRecord record;
  record.length_bytes = static_cast<std::uint32_t>(png.size());
  record.width_px = header.width_px;
  record.height_px = header.height_px;
  record.codec = static_cast<std::uint8_t>(Codec::kPng);
  record.flags = header.is_interlaced ? kFlagProgressive : 0;
  record.components = header.components;
  return record;
}

std::uint64_t png_checking_bytes(const IndexRecord& record) {
  const DecodePrice price = png_decode_price(stored_info(record), whole_png(record, 3));
  return price.scratch_bytes + price.decoded_bytes;
}

Result<DecodedView> StoredPictureCheck::decode_whole_png(std::span<const std::byte> png,
                                                         const IndexRecord& record,
                                                         std::uint32_t channels,
                                                         std::span<std::byte> pixels,
                                                         const std::stop_token& stop) {
  const StoredInfo info = stored_info(record);
  const DecodeRequest request = whole_png(record, channels);
  std::vector<std::byte> scratch(png_decode_price(info, request).scratch_bytes);
  return png_decoder_.decode(png, info, request, pixels, scratch, stop);
}

ImageVerdict StoredPictureCheck::check_png(std::span<const std::byte> png, CheckDepth depth,
                                           const std::stop_token& stop) {
  const Result<IndexRecord> record = read_png_record(png);
  if (!record.ok()) return png_refused(record.fault());
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = record.value();
  const DecodePrice price =
      png_decode_price(stored_info(verdict.record), whole_png(verdict.record, 3));
  verdict.decode_scratch_bytes = price.scratch_bytes;
  if (depth == CheckDepth::kHeader) return verdict;
  std::vector<std::byte> pixels(price.decoded_bytes);
  const Result<DecodedView> decoded = decode_whole_png(png, verdict.record, 3, pixels, stop);
  if (!decoded.ok()) {
    check_decode_stop(stop);
    return png_refused(decoded.fault());
  }
  verdict.sums.add(decoded.value().image);
  if (takes_luma_cells_) verdict.luma_cells = luma_cells(decoded.value().image);
  return verdict;
}

std::optional<ImageVerdict> StoredPictureCheck::decode_png(std::span<const std::byte> png,
                                                           const IndexRecord& record,
                                                           DecodedPixels& pixels,
                                                           const std::stop_token& stop) {
  const std::uint64_t num_px = std::uint64_t{record.width_px} * record.height_px;
  const PngStructure structure = read_png_structure(png);
  pixels = {.pixels_hwc = std::vector<std::uint8_t>(num_px * record.components),
            .width_px = record.width_px,
            .height_px = record.height_px,
            .channels = record.components,
            .had_alpha = structure.has_alpha(),
            .had_16_bits = structure.bit_depth == 16};
  const Result<DecodedView> decoded = decode_whole_png(
      png, record, record.components, std::as_writable_bytes(std::span(pixels.pixels_hwc)), stop);
  if (decoded.ok()) return std::nullopt;
  check_decode_stop(stop);
  return png_refused(decoded.fault());
}

void StoredPictureCheck::trim() {
  if (resizer_.held_bytes() > kKeptResizerBytes) resizer_ = {};
}

ImageVerdict check_raw(std::span<const std::byte> pixels, const RawShape& shape,
                       const CheckSettings& settings) {
  if (std::uint64_t{shape.width_px} * shape.height_px > settings.max_px) {
    return quarantined(ReasonCode::kTooManyPixels, sides_text(shape.width_px, shape.height_px));
  }
  const ImageView view{.pixels_hwc = reinterpret_cast<const std::uint8_t*>(pixels.data()),
                       .width_px = shape.width_px,
                       .height_px = shape.height_px,
                       .channels = shape.channels,
                       .pixel_stride_bytes = shape.channels,
                       .row_stride_bytes = std::size_t{shape.width_px} * shape.channels};
  check_internal(pixels.size() == view.row_stride_bytes * shape.height_px,
                 "a source gives as many bytes as its pixels have");
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = new_raw(view, {}).record;
  verdict.record.length_bytes = static_cast<std::uint32_t>(pixels.size());
  verdict.sums.add(view);
  if (settings.takes_luma_cells) verdict.luma_cells = luma_cells(view);
  return verdict;
}

}  // namespace penstock::convert
