#include "streamer/read/new_picture.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/read/jpeg_record.h"
#include "streamer/read/png_decoder.h"
#include "streamer/read/png_header.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

[[noreturn]] void refuse(ErrorCode code, const PictureFacts& facts, const std::string& what) {
  throw Error(code,
              "new picture: " + (facts.name.empty() ? "(no name)" : facts.name) + ": " + what);
}

std::uint64_t check_decodes(SampleDecoder& decoder, std::span<const std::byte> encoded,
                            const IndexRecord& record, const PictureFacts& facts) {
  const StoredInfo info = stored_info(record);
  const DecodeRequest request{.region = {0, 0, record.width_px, record.height_px}};
  const DecodePrice price = decode_price(info, request);
  const std::uint64_t scratch_bytes = align_up(price.scratch_bytes);
  const std::uint64_t needed_bytes = scratch_bytes + price.decoded_bytes;
  if (needed_bytes > facts.max_bytes) {
    const SizeTexts texts = format_bytes_apart(needed_bytes, facts.max_bytes);
    refuse(ErrorCode::kOutOfMemory, facts,
           "expected at most " + texts.there + " to decode it (max_bytes), found " + texts.needed);
  }
  const HostBuffer memory(page_aligned_memory(), needed_bytes);
  const auto decoded = decoder.decode(encoded, info, request, memory.bytes().subspan(scratch_bytes),
                                      memory.bytes().first(scratch_bytes), {});
  if (!decoded.ok()) {
    refuse(ErrorCode::kCorruptData, facts, std::string(decoded.fault().detail()));
  }
  return price.scratch_bytes;
}

void add_facts(NewSample& sample, PictureFacts facts) {
  sample.record.class_idx = facts.class_idx;
  sample.record.orientation = facts.orientation;
  sample.name = std::move(facts.name);
}

}  // namespace

NewSample new_jpeg(std::span<const std::byte> encoded, PictureFacts facts) {
  JpegDecoder decoder;
  const Result<JpegHeader> header = decoder.read_header(encoded);
  if (!header.ok()) refuse(ErrorCode::kCorruptData, facts, std::string(header.fault().detail()));
  if (header.value().components != 1 && header.value().components != 3) {
    refuse(
        ErrorCode::kUnsupported, facts,
        "expected a JPEG of 1 or 3 components, found " + std::to_string(header.value().components));
  }
  NewSample sample{.encoded = encoded, .record = jpeg_record(header.value())};
  sample.decode_scratch_bytes = check_decodes(decoder, encoded, sample.record, facts);
  add_facts(sample, std::move(facts));
  return sample;
}

NewSample new_png(std::span<const std::byte> encoded, PictureFacts facts) {
  const Result<PngHeader> found = read_png_header(encoded);
  if (!found.ok()) refuse(ErrorCode::kCorruptData, facts, std::string(found.fault().detail()));
  const PngHeader& header = found.value();
  const auto [smallest, largest] = std::minmax(header.width_px, header.height_px);
  if (smallest == 0 || largest > kMaxSidePx) {
    refuse(ErrorCode::kUnsupported, facts,
           "expected sides of 1 to " + std::to_string(kMaxSidePx) + " px, found " +
               std::to_string(header.width_px) + " x " + std::to_string(header.height_px));
  }
  NewSample sample{.encoded = encoded};
  sample.record.width_px = header.width_px;
  sample.record.height_px = header.height_px;
  sample.record.codec = static_cast<std::uint8_t>(Codec::kPng);
  sample.record.flags = header.is_interlaced ? kFlagProgressive : 0;
  sample.record.components = header.components;
  PngDecoder decoder;
  sample.decode_scratch_bytes = check_decodes(decoder, encoded, sample.record, facts);
  add_facts(sample, std::move(facts));
  return sample;
}

NewSample new_raw(const ImageView& pixels, PictureFacts facts) {
  if (pixels.channels != 1 && pixels.channels != 3) {
    refuse(ErrorCode::kInvalidArgument, facts,
           "expected 1 or 3 channels, found " + std::to_string(pixels.channels));
  }
  const std::size_t row_bytes = std::size_t{pixels.width_px} * pixels.channels;
  if (pixels.pixel_stride_bytes != pixels.channels || pixels.row_stride_bytes != row_bytes) {
    refuse(ErrorCode::kInvalidArgument, facts,
           "expected pixels without gaps, found strides of " +
               std::to_string(pixels.pixel_stride_bytes) + " and " +
               std::to_string(pixels.row_stride_bytes) + " bytes");
  }
  NewSample sample{.encoded = {reinterpret_cast<const std::byte*>(pixels.pixels_hwc),
                               row_bytes * pixels.height_px}};
  sample.record.width_px = pixels.width_px;
  sample.record.height_px = pixels.height_px;
  sample.record.codec = static_cast<std::uint8_t>(Codec::kRaw);
  sample.record.components = static_cast<std::uint8_t>(pixels.channels);
  add_facts(sample, std::move(facts));
  return sample;
}

}  // namespace penstock
