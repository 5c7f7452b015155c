#include "streamer/read/jpeg_price.h"

#include <algorithm>

#include "streamer/read/decode_region.h"

namespace penstock {
namespace {

constexpr std::uint64_t kBlockPx = 8;
constexpr std::uint64_t kMaxSamplingFactor = 4;
constexpr std::uint64_t kCoefficientBytes = 2;

constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

std::uint64_t num_chroma(const StoredInfo& info) noexcept {
  return info.components > 1 ? info.components - 1u : 0u;
}

// Rows that pass through: of the main controller (a row of blocks and two groups of context) and of
// the upsampler (one group), at decode scale and as wide as the whole picture.
std::uint64_t row_buffer_bytes(const StoredInfo& info, std::uint64_t scale) noexcept {
  constexpr std::uint64_t kPaddingBytes = 128;  // a whole block, alignment, the row's pointer
  const std::uint64_t row_bytes = ceil_div(info.width_px, scale) + kPaddingBytes;
  const std::uint64_t num_groups = kBlockPx / scale + 2 + 1;
  return kMaxSamplingFactor * num_groups * (1 + num_chroma(info)) * row_bytes;
}

}  // namespace

JpegColumns jpeg_columns_to_ask(JpegColumns needed, std::uint32_t width_px) noexcept {
  // Three samples of chroma that is subsampled by four.
  constexpr std::uint32_t kMinWidthPx = 3 * kMaxSamplingFactor;
  std::uint32_t begin = needed.begin - (needed.begin > 0 ? 1 : 0);
  const std::uint32_t wanted_end = std::max(needed.begin + needed.width + 1, begin + kMinWidthPx);
  const std::uint32_t end = std::min(wanted_end, width_px);
  begin = std::min(begin, end - std::min(end, kMinWidthPx));
  return {begin, end - begin};
}

// Blocks are padded to minimum coded units.
std::uint64_t jpeg_coefficient_bytes(const StoredInfo& info) noexcept {
  if (!info.is_progressive) return 0;
  const auto num_blocks = [](std::uint64_t side_px, std::uint64_t subsampling) {
    return ceil_div(side_px, kBlockPx * subsampling) + kMaxSamplingFactor;
  };
  const std::uint64_t rows = num_blocks(info.height_px, 1);
  const std::uint64_t luma = num_blocks(info.width_px, 1) * rows;
  const std::uint64_t chroma = num_blocks(info.width_px, info.subsampling_x) *
                               num_blocks(info.height_px, info.subsampling_y);
  return kBlockPx * kBlockPx * kCoefficientBytes * (luma + num_chroma(info) * chroma) +
         (1 + num_chroma(info)) * rows * sizeof(void*);
}

DecodePrice jpeg_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept {
  // Tables of the entropy decoder, colour conversion and range limits, and libjpeg's own structs:
  // 15 KiB with libjpeg-turbo 2.1.5 for a picture of 16 x 16, doubled.
  constexpr std::size_t kFixedBytes = 32u << 10;
  const std::uint64_t scale = request.decode_scale;
  std::uint64_t scratch = kFixedBytes + row_buffer_bytes(info, scale);
  scratch += jpeg_coefficient_bytes(info);

  const RectPx region = region_at_scale(info, request);
  const auto width_at_scale = static_cast<std::uint32_t>(ceil_div(info.width_px, scale));
  const JpegColumns asked = jpeg_columns_to_ask({region.x, region.width}, width_at_scale);
  const std::uint64_t columns =
      std::min<std::uint64_t>(asked.width + kMaxJpegOverhangPx / scale, width_at_scale);
  return {.decoded_bytes = columns * region.height * request.channels, .scratch_bytes = scratch};
}

}  // namespace penstock
