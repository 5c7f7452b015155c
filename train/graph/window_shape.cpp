#include "train/graph/window_shape.h"

#include <algorithm>

#include "streamer/core/range_check.h"
#include "train/graph/graph_errors.h"

namespace penstock::train {
namespace {

struct Span1d {
  std::uint32_t output = 0;
  std::uint32_t pad_before = 0;
  std::uint32_t pad_after = 0;
};

/// A window's reach along one axis, gaps included.
std::uint64_t reach_of(std::uint32_t kernel, std::uint32_t dilation) {
  return std::uint64_t{dilation} * (kernel - 1) + 1;
}

struct Axis {
  std::uint32_t input;
  std::uint32_t kernel;
  std::uint32_t stride;
  std::uint32_t pad;
  std::uint32_t dilation;
};

/// Output size and padding along one axis.
/// Source  `same`: TensorFlow, tf.nn, "Notes on padding": total = max((out - 1) * stride + reach -
///         in, 0), the odd one after. Others: PyTorch, Conv2d: floor((in + 2 pad - reach) / stride) + 1
Span1d window_along(const Axis& axis, PaddingRule rule) {
  const std::uint64_t reach = reach_of(axis.kernel, axis.dilation);
  Span1d span;
  if (rule == PaddingRule::kSame) {
    span.output = (axis.input + axis.stride - 1) / axis.stride;
    const std::uint64_t covered = std::uint64_t{span.output - 1} * axis.stride + reach;
    const auto total = static_cast<std::uint32_t>(covered > axis.input ? covered - axis.input : 0);
    span.pad_before = total / 2;
    span.pad_after = total - span.pad_before;
    return span;
  }
  if (rule == PaddingRule::kExplicit) span.pad_before = axis.pad;
  if (rule == PaddingRule::kSameSymmetric) {
    span.pad_before = static_cast<std::uint32_t>((reach - 1) / 2);
  }
  span.pad_after = span.pad_before;
  const std::uint64_t padded = std::uint64_t{axis.input} + 2 * std::uint64_t{span.pad_before};
  span.output = padded < reach ? 0 : static_cast<std::uint32_t>((padded - reach) / axis.stride + 1);
  return span;
}

/// Largest side of an image that a window slides over: padding could make it grow without end.
constexpr std::uint32_t kMaxSide = 1u << 24;

void check_wish(const std::string& layer, const WindowWish& wish) {
  const std::string owner = "model: " + layer;
  const std::string usual = std::string(wish.key) + " = 3";
  for (const std::uint32_t side : {wish.sides.rows, wish.sides.cols}) {
    check_range({owner, wish.key, side, 1, kMaxWindow, usual});
  }
  for (const std::uint32_t step : {wish.stride.rows, wish.stride.cols}) {
    check_range({owner, "stride", step, 1, kMaxWindow, "stride = 1"});
  }
  for (const std::uint32_t gap : {wish.dilation.rows, wish.dilation.cols}) {
    check_range({owner, "dilation", gap, 1, kMaxWindow, "dilation = 1"});
  }
  if (wish.rule != PaddingRule::kExplicit) return;
  // Beyond that a window would see padding alone.
  const auto check_pad = [&](std::uint32_t pad, std::uint32_t side, std::uint32_t gap) {
    check_range({owner, "padding", pad, 0, static_cast<std::uint32_t>(reach_of(side, gap) - 1),
                 "padding = \"same\""});
  };
  check_pad(wish.pad.rows, wish.sides.rows, wish.dilation.rows);
  check_pad(wish.pad.cols, wish.sides.cols, wish.dilation.cols);
}

/// Least input side that a window fits into: padding on both sides may be all that it needs.
std::uint32_t least_input(std::uint64_t reach, std::uint32_t pad) {
  return reach > 2 * std::uint64_t{pad} ? static_cast<std::uint32_t>(reach - 2 * pad) : 1;
}

}  // namespace

PlacedWindow place_window(const std::string& layer, const TensorShape& input,
                          const WindowWish& wish) {
  check_range({"model: " + layer, "input side", std::max(input.height, input.width), 1, kMaxSide,
               "less padding in the layers before it"});
  check_wish(layer, wish);
  const Extent& sides = wish.sides;
  const Extent& gaps = wish.dilation;
  const Span1d rows = window_along(
      {input.height, sides.rows, wish.stride.rows, wish.pad.rows, gaps.rows}, wish.rule);
  const Span1d cols = window_along(
      {input.width, sides.cols, wish.stride.cols, wish.pad.cols, gaps.cols}, wish.rule);
  if (rows.output == 0 || cols.output == 0) {
    const TensorShape least{input.channels,
                            least_input(reach_of(sides.rows, gaps.rows), rows.pad_before),
                            least_input(reach_of(sides.cols, gaps.cols), cols.pad_before)};
    refuse_layer(layer, "an input of at least " + least.text(), input.text(),
                 "a larger image, or fewer pooling layers before this one");
  }
  return {
      {sides, wish.stride, rows.pad_before, cols.pad_before, rows.pad_after, cols.pad_after, gaps},
      {rows.output, cols.output}};
}

}  // namespace penstock::train
