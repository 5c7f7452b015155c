#include "tools/convert/image/stored_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/read/jpeg_record.h"
#include "streamer/read/png_header.h"

namespace penstock::convert {
namespace {

ImageVerdict quarantined(ReasonCode reason, std::string detail) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kQuarantined;
  verdict.reason = reason;
  verdict.detail = std::move(detail);
  return verdict;
}

ImageVerdict quarantined(const SampleFault& fault, Codec codec) {
  const std::string words(fault.detail());
  if (codec == Codec::kJpeg) return quarantined(reason_of_jpeg_fault(fault), words);
  return quarantined(fault.status == SampleStatus::kUnsupported ? ReasonCode::kUnsupportedFormat
                                                                : ReasonCode::kDamaged,
                     words);
}

void grow(std::vector<std::byte>& buffer, std::size_t num_bytes) {
  if (buffer.size() < num_bytes) buffer.resize(num_bytes);
}

}  // namespace

ImageVerdict StoredChecker::check(const SourcePicture& picture, const std::stop_token& stop) {
  ImageVerdict verdict;
  switch (*picture.codec) {
    case Codec::kJpeg:
      verdict = check_jpeg(picture.bytes, stop);
      break;
    case Codec::kPng:
      verdict = check_png(picture.bytes, stop);
      break;
    case Codec::kRaw:
      verdict = check_raw(picture, stop);
      break;
    default:
      return quarantined(ReasonCode::kUnsupportedFormat,
                         "codec " + std::to_string(static_cast<int>(*picture.codec)));
  }
  verdict.record.orientation = picture.orientation.value_or(1);
  return verdict;
}

ImageVerdict StoredChecker::check_jpeg(std::span<const std::byte> jpeg,
                                       const std::stop_token& stop) {
  const Result<JpegHeader> header = headers_.read_header(jpeg);
  if (!header.ok()) return quarantined(header.fault(), Codec::kJpeg);
  return decode(jpeg, jpeg_record(header.value()), stop);
}

ImageVerdict StoredChecker::check_png(std::span<const std::byte> png, const std::stop_token& stop) {
  const Result<PngHeader> found = read_png_header(png);
  if (!found.ok()) return quarantined(found.fault(), Codec::kPng);
  const PngHeader& header = found.value();
  IndexRecord record;
  record.width_px = header.width_px;
  record.height_px = header.height_px;
  record.codec = static_cast<std::uint8_t>(Codec::kPng);
  record.flags = header.is_interlaced ? kFlagProgressive : 0;
  record.components = header.components;
  return decode(png, record, stop);
}

ImageVerdict StoredChecker::check_raw(const SourcePicture& picture, const std::stop_token& stop) {
  IndexRecord record;
  record.width_px = picture.raw->width_px;
  record.height_px = picture.raw->height_px;
  record.codec = static_cast<std::uint8_t>(Codec::kRaw);
  record.components = static_cast<std::uint8_t>(picture.raw->channels);
  return decode(picture.bytes, record, stop);
}

ImageVerdict StoredChecker::decode(std::span<const std::byte> encoded, const IndexRecord& record,
                                   const std::stop_token& stop) {
  const auto codec = static_cast<Codec>(record.codec);
  const auto [smallest, largest] = std::minmax(record.width_px, record.height_px);
  const std::uint64_t num_px = std::uint64_t{record.width_px} * record.height_px;
  if (smallest == 0 || largest > kMaxSidePx || num_px > max_px_) {
    return quarantined(ReasonCode::kTooManyPixels,
                       std::to_string(record.width_px) + " x " + std::to_string(record.height_px));
  }
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = record;
  verdict.record.length_bytes = static_cast<std::uint32_t>(encoded.size());
  const StoredInfo info = stored_info(verdict.record);
  const DecodeRequest request{
      .region = {0, 0, record.width_px, record.height_px}, .decode_scale = 1, .channels = 3};
  const DecodePrice price = decode_price(info, request);
  verdict.decode_scratch_bytes = price.scratch_bytes;
  grow(pixels_, price.decoded_bytes);
  grow(scratch_, price.scratch_bytes);
  const Result<DecodedView> decoded =
      decoders_.find(codec)->decode(encoded, info, request, pixels_, scratch_, stop);
  if (!decoded.ok()) {
    if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: decode: on request");
    return quarantined(decoded.fault(), codec);
  }
  verdict.sums.add(decoded.value().image);
  return verdict;
}

}  // namespace penstock::convert
