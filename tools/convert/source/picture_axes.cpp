#include "tools/convert/source/picture_axes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/image/image_check.h"

namespace penstock::convert {
namespace {

bool is_channels(std::uint64_t side) {
  return side == 1 || side == 3;
}

[[noreturn]] void refuse_shape(const ArrayForm& form, const std::string& where,
                               const std::string& expected, std::string hint) {
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("images: {}: expected {}, found {}", where, expected, shape_text(form.shape)),
      std::move(hint));
}

bool is_channels_first(const ArrayForm& form, ChannelAxis channel_axis, const std::string& where) {
  const bool can_be_first = is_channels(form.shape[1]);
  const bool can_be_last = is_channels(form.shape[3]);
  if (channel_axis == ChannelAxis::kFirst && !can_be_first) {
    refuse_shape(form, where, "1 or 3 channels as the second side", "leave --channels-first out");
  }
  if (channel_axis == ChannelAxis::kLast && !can_be_last) {
    refuse_shape(form, where, "1 or 3 channels as the last side", "leave --channels-last out");
  }
  if (channel_axis != ChannelAxis::kBySize) return channel_axis == ChannelAxis::kFirst;
  if (can_be_first && can_be_last) {
    refuse_shape(form, where, "channels that the sizes tell",
                 "--channels-first or --channels-last");
  }
  if (!can_be_first && !can_be_last) {
    refuse_shape(form, where, "1 or 3 channels, as the second or the last side",
                 "of RGBA, leave the last out: numpy.save('x.npy', x[..., :3])");
  }
  return can_be_first;
}

}  // namespace

PictureAxes picture_axes_of(const ArrayForm& form, ChannelAxis channel_axis,
                            const std::string& where) {
  const std::vector<std::uint64_t>& sides = form.shape;
  if (form.num_rows() == 0) {
    refuse_shape(form, where, "at least one picture", "check which array it is");
  }
  PictureAxes axes;
  std::uint64_t height_px = 0;
  std::uint64_t width_px = 0;
  std::uint64_t channels = 1;
  if (sides.size() == 3) {
    height_px = sides[1];
    width_px = sides[2];
  } else if (sides.size() == 4) {
    const bool is_first = is_channels_first(form, channel_axis, where);
    channels = sides[is_first ? 1 : 3];
    height_px = sides[is_first ? 2 : 1];
    width_px = sides[is_first ? 3 : 2];
    if (is_first && channels > 1) axes.order = PixelOrder::kPlanar;
  } else {
    refuse_shape(form, where, "[n, height, width], with or without 1 or 3 channels",
                 "numpy.save('x.npy', x.reshape(-1, 28, 28)), with your own sides");
  }
  if (height_px == 0 || width_px == 0 || std::max(height_px, width_px) > kMaxSidePx) {
    refuse_shape(form, where, fmt::format("sides from 1 to {} px", kMaxSidePx),
                 "check which array it is");
  }
  if (height_px * width_px * channels > kMaxFileBytes || sides[0] > UINT32_MAX) {
    refuse_shape(form, where, "at most 4294967295 pictures of at most 1 GiB", "cut it in parts");
  }
  axes.shape = {.height_px = static_cast<std::uint32_t>(height_px),
                .width_px = static_cast<std::uint32_t>(width_px),
                .channels = static_cast<std::uint32_t>(channels)};
  return axes;
}

}  // namespace penstock::convert
