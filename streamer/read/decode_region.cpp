#include "streamer/read/decode_region.h"

#include <algorithm>

namespace penstock {
namespace {

struct PixelSpan {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
};

PixelSpan span_at_scale(PixelSpan full, std::uint32_t side_px, std::uint64_t scale) noexcept {
  const std::uint64_t end =
      std::min<std::uint64_t>(std::uint64_t{full.begin} + full.length, side_px);
  if (full.begin >= end) return {};
  const std::uint64_t begin_at_scale = full.begin / scale;
  const std::uint64_t end_at_scale = (end + scale - 1) / scale;
  return {static_cast<std::uint32_t>(begin_at_scale),
          static_cast<std::uint32_t>(end_at_scale - begin_at_scale)};
}

}  // namespace

RectPx region_at_scale(const StoredInfo& info, const DecodeRequest& request) noexcept {
  const RectPx& region = request.region;
  const PixelSpan columns =
      span_at_scale({region.x, region.width}, info.width_px, request.decode_scale);
  const PixelSpan rows =
      span_at_scale({region.y, region.height}, info.height_px, request.decode_scale);
  if (columns.length == 0 || rows.length == 0) return {};
  return {columns.begin, rows.begin, columns.length, rows.length};
}

}  // namespace penstock
