#include "tools/convert/image/sample_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "streamer/read/png_header.h"

namespace penstock::convert {
namespace {

// Nothing when the bytes begin no PNG.
Result<IndexRecord> png_record(std::span<const std::byte> png) {
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

DecodeRequest whole_picture(const IndexRecord& record) {
  return {.region = {0, 0, record.width_px, record.height_px}, .decode_scale = 1, .channels = 3};
}

}  // namespace

bool is_ordinary_sample(const SourcePicture& picture) {
  if (picture.codec == Codec::kJpeg) return detect_format(picture.bytes) == ImageFormat::kJpeg;
  if (picture.codec != Codec::kRaw || !picture.raw) return !picture.codec;
  const RawShape& shape = *picture.raw;
  const bool has_channels = shape.channels == 1 || shape.channels == 3;
  return has_channels &&
         picture.bytes.size() == std::uint64_t{shape.width_px} * shape.height_px * shape.channels;
}

std::uint64_t SampleCheck::checking_bytes(const SourcePicture& picture) const {
  if (picture.codec != Codec::kPng || depth_ == CheckDepth::kHeader) return 0;
  const Result<IndexRecord> record = png_record(picture.bytes);
  if (!record.ok() || refusal_of(record.value())) return 0;
  const DecodePrice price =
      png_decode_price(stored_info(record.value()), whole_picture(record.value()));
  return price.decoded_bytes + price.scratch_bytes;
}

ImageVerdict SampleCheck::check(const SourcePicture& picture, const std::stop_token& stop) {
  switch (*picture.codec) {
    case Codec::kPng: {
      ImageVerdict verdict = check_png(picture.bytes, stop);
      verdict.record.orientation = picture.orientation.value_or(1);
      return verdict;
    }
    case Codec::kJpeg:
      return quarantined(ReasonCode::kDamaged, "stored as JPEG, and none");
    case Codec::kRaw:
      return quarantined(ReasonCode::kDamaged,
                         "stored as pixels, and not as many as its sides say");
  }
  return quarantined(ReasonCode::kUnsupportedFormat,
                     "codec " + std::to_string(static_cast<int>(*picture.codec)));
}

ImageVerdict SampleCheck::check_png(std::span<const std::byte> png, const std::stop_token& stop) {
  const Result<IndexRecord> record = png_record(png);
  if (!record.ok()) {
    return quarantined(ReasonCode::kDamaged, std::string(record.fault().detail()));
  }
  if (auto refusal = refusal_of(record.value())) return std::move(*refusal);
  ImageVerdict verdict = decode(png, record.value(), stop);
  add_seen_reasons(verdict);
  verdict.reasons.add_if(is_stored(verdict.fate) && record.value().components == 1,
                         ReasonCode::kGrayscale);
  return verdict;
}

std::optional<ImageVerdict> SampleCheck::refusal_of(const IndexRecord& record) const {
  const std::string sides = sides_text(record.width_px, record.height_px);
  const auto [smallest, largest] = std::minmax(record.width_px, record.height_px);
  if (smallest == 0) return quarantined(ReasonCode::kZeroSides, sides);
  const std::uint64_t num_px = std::uint64_t{record.width_px} * record.height_px;
  if (largest > kMaxSidePx || num_px > max_px_) {
    return quarantined(ReasonCode::kTooManyPixels, sides);
  }
  return std::nullopt;
}

ImageVerdict SampleCheck::decode(std::span<const std::byte> png, const IndexRecord& record,
                                 const std::stop_token& stop) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = record;
  const StoredInfo info = stored_info(record);
  const DecodeRequest request = whole_picture(record);
  const DecodePrice price = png_decode_price(info, request);
  verdict.decode_scratch_bytes = price.scratch_bytes;
  if (depth_ == CheckDepth::kHeader) return verdict;
  std::vector<std::byte> pixels(price.decoded_bytes);
  std::vector<std::byte> scratch(price.scratch_bytes);
  const Result<DecodedView> decoded = decoder_.decode(png, info, request, pixels, scratch, stop);
  if (!decoded.ok()) {
    check_decode_stop(stop);
    const bool is_unsupported = decoded.fault().status == SampleStatus::kUnsupported;
    return quarantined(is_unsupported ? ReasonCode::kUnsupportedFormat : ReasonCode::kDamaged,
                       std::string(decoded.fault().detail()));
  }
  verdict.sums.add(decoded.value().image);
  if (takes_luma_cells_) verdict.luma_cells = luma_cells(decoded.value().image);
  return verdict;
}

}  // namespace penstock::convert
