#include "train/backend/onednn/depthwise_kernels.h"

#include <algorithm>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/depthwise_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"

#ifndef PENSTOCK_DEPTHWISE_KERNELS_ONCE
#define PENSTOCK_DEPTHWISE_KERNELS_ONCE
namespace penstock::train::onednn {

/// Two cache lines of floats: neighbours come together.
inline constexpr std::size_t kChannelsPerRun = 32;
/// Neighbouring columns of the window whose sums are kept in registers at once.
inline constexpr std::size_t kMaxTaps = 7;

/// One output row against the input row that one row of the window sees.
template <class T>
struct RowPair {
  const T* x;
  const T* dy;
  std::int64_t channels;
  std::int64_t in_width;
  std::int64_t out_width;
  std::int64_t stride;
  std::int64_t step;   // between taps
  std::int64_t first;  // input column of the first tap at the first output
};

}  // namespace penstock::train::onednn
#endif

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// Adds to sums[tap][c] the products of kTaps columns of the window over one row: in registers within the
/// row, so that long sums stay exact.
template <std::size_t kTaps, class D, class T>
HWY_ATTR void add_taps(D d, const RowPair<T>& row, std::size_t c, float* sums) {
  auto s0 = hn::Zero(d);
  auto s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0;
  const std::int64_t pixel = row.channels;
  const std::int64_t reach = static_cast<std::int64_t>(kTaps - 1) * row.step;
  const T* dy = row.dy + c;
  for (std::int64_t out = 0; out < row.out_width; ++out, dy += pixel) {
    const std::int64_t col = row.first + out * row.stride;
    const auto g = load(d, dy);
    const T* x = row.x + col * pixel + static_cast<std::int64_t>(c);
    const std::int64_t next = row.step * pixel;
    if (col >= 0 && col + reach < row.in_width) {
      s0 = hn::MulAdd(g, load(d, x), s0);
      if constexpr (kTaps > 1) s1 = hn::MulAdd(g, load(d, x + next), s1);
      if constexpr (kTaps > 2) s2 = hn::MulAdd(g, load(d, x + 2 * next), s2);
      if constexpr (kTaps > 3) s3 = hn::MulAdd(g, load(d, x + 3 * next), s3);
      if constexpr (kTaps > 4) s4 = hn::MulAdd(g, load(d, x + 4 * next), s4);
      if constexpr (kTaps > 5) s5 = hn::MulAdd(g, load(d, x + 5 * next), s5);
      if constexpr (kTaps > 6) s6 = hn::MulAdd(g, load(d, x + 6 * next), s6);
      continue;
    }
    const auto is_inside = [&](std::int64_t tap) {
      const std::int64_t at = col + tap * row.step;
      return at >= 0 && at < row.in_width;
    };
    if (is_inside(0)) s0 = hn::MulAdd(g, load(d, x), s0);
    if (kTaps > 1 && is_inside(1)) s1 = hn::MulAdd(g, load(d, x + next), s1);
    if (kTaps > 2 && is_inside(2)) s2 = hn::MulAdd(g, load(d, x + 2 * next), s2);
    if (kTaps > 3 && is_inside(3)) s3 = hn::MulAdd(g, load(d, x + 3 * next), s3);
    if (kTaps > 4 && is_inside(4)) s4 = hn::MulAdd(g, load(d, x + 4 * next), s4);
    if (kTaps > 5 && is_inside(5)) s5 = hn::MulAdd(g, load(d, x + 5 * next), s5);
    if (kTaps > 6 && is_inside(6)) s6 = hn::MulAdd(g, load(d, x + 6 * next), s6);
  }
  const auto add = [&](std::size_t tap, auto sum) {
    float* place = sums + tap * static_cast<std::size_t>(pixel) + c;
    hn::StoreU(hn::Add(hn::LoadU(d, place), sum), d, place);
  };
  add(0, s0);
  if constexpr (kTaps > 1) add(1, s1);
  if constexpr (kTaps > 2) add(2, s2);
  if constexpr (kTaps > 3) add(3, s3);
  if constexpr (kTaps > 4) add(4, s4);
  if constexpr (kTaps > 5) add(5, s5);
  if constexpr (kTaps > 6) add(6, s6);
}

template <class D, class T>
HWY_ATTR void add_row(D d, std::size_t num_taps, const RowPair<T>& row, std::size_t c,
                      float* sums) {
  switch (num_taps) {
    case 1:
      return add_taps<1>(d, row, c, sums);
    case 2:
      return add_taps<2>(d, row, c, sums);
    case 3:
      return add_taps<3>(d, row, c, sums);
    case 4:
      return add_taps<4>(d, row, c, sums);
    case 5:
      return add_taps<5>(d, row, c, sums);
    case 6:
      return add_taps<6>(d, row, c, sums);
    default:
      return add_taps<kMaxTaps>(d, row, c, sums);
  }
}

template <class D, class T>
HWY_ATTR void add_bias(D d, const RowPair<T>& row, std::size_t c, float* dbias) {
  auto sum = hn::Zero(d);
  for (std::int64_t out = 0; out < row.out_width; ++out) {
    sum = hn::Add(sum, load(d, row.dy + out * row.channels + c));
  }
  hn::StoreU(hn::Add(hn::LoadU(d, dbias + c), sum), d, dbias + c);
}

/// Calls block(d, channel) for the vectors of one run of channels, then for the channels left over.
template <class Block>
HWY_ATTR void for_run(std::size_t channels, std::size_t run, const Block& block) {
  const std::size_t first = run * kChannelsPerRun;
  for_channels(std::min(kChannelsPerRun, channels - first),
               [&](auto d, std::size_t c) HWY_ATTR { block(d, first + c); });
}

template <class T>
HWY_ATTR void weight_gradient(const DepthwiseSizes& s, std::size_t run, const T* x, const T* dy,
                              float* dweight, float* dbias) {
  const std::size_t channels = s.input.channels;
  const Window& w = s.window;
  const std::size_t first_channel = run * kChannelsPerRun;
  const std::size_t count = std::min(kChannelsPerRun, channels - first_channel);
  for (std::size_t tap = 0; tap < std::size_t{w.kernel.rows} * w.kernel.cols; ++tap) {
    std::fill_n(dweight + tap * channels + first_channel, count, 0.0f);
  }
  if (dbias != nullptr) std::fill_n(dbias + first_channel, count, 0.0f);
  RowPair<T> row{.x = nullptr,
                 .dy = nullptr,
                 .channels = static_cast<std::int64_t>(channels),
                 .in_width = s.input.width,
                 .out_width = s.output.width,
                 .stride = w.stride.cols,
                 .step = w.dilation.cols,
                 .first = 0};
  for (std::size_t out_row = 0; out_row < s.batch * s.output.height; ++out_row) {
    const std::size_t sample = out_row / s.output.height;
    const std::size_t row_in_sample = out_row % s.output.height;
    row.dy = dy + out_row * s.output.width * channels;
    if (dbias != nullptr) {
      for_run(channels, run, [&](auto d, std::size_t c) HWY_ATTR { add_bias(d, row, c, dbias); });
    }
    for (std::size_t k = 0; k < w.kernel.rows; ++k) {
      const std::int64_t in_row =
          static_cast<std::int64_t>(row_in_sample * w.stride.rows + k * w.dilation.rows) -
          static_cast<std::int64_t>(w.pad_top);
      if (in_row < 0 || in_row >= static_cast<std::int64_t>(s.input.height)) continue;
      row.x = x + (sample * s.input.height + static_cast<std::size_t>(in_row)) * s.input.width *
                      channels;
      for (std::size_t tap = 0; tap < w.kernel.cols; tap += kMaxTaps) {
        const std::size_t num_taps = std::min(kMaxTaps, w.kernel.cols - tap);
        row.first = static_cast<std::int64_t>(tap * w.dilation.cols) -
                    static_cast<std::int64_t>(w.pad_left);
        float* sums = dweight + (k * w.kernel.cols + tap) * channels;
        for_run(channels, run,
                [&](auto d, std::size_t c) HWY_ATTR { add_row(d, num_taps, row, c, sums); });
      }
    }
  }
}

// Exported by name, which a template has none of.
void gradient_float(const DepthwiseSizes& s, std::size_t run, const float* x, const float* dy,
                    float* dweight, float* dbias) {
  weight_gradient(s, run, x, dy, dweight, dbias);
}
void gradient_bfloat16(const DepthwiseSizes& s, std::size_t run, const Bfloat16* x,
                       const Bfloat16* dy, float* dweight, float* dbias) {
  weight_gradient(s, run, x, dy, dweight, dbias);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(gradient_float);
HWY_EXPORT(gradient_bfloat16);

std::size_t num_channel_runs(const DepthwiseSizes& sizes) {
  return (sizes.input.channels + kChannelsPerRun - 1) / kChannelsPerRun;
}

void depthwise_weight_gradient(const DepthwiseSizes& sizes, std::size_t run, const float* x,
                               const float* dy, float* dweight, float* dbias) {
  HWY_DYNAMIC_DISPATCH(gradient_float)(sizes, run, x, dy, dweight, dbias);
}
void depthwise_weight_gradient(const DepthwiseSizes& sizes, std::size_t run, const Bfloat16* x,
                               const Bfloat16* dy, float* dweight, float* dbias) {
  HWY_DYNAMIC_DISPATCH(gradient_bfloat16)(sizes, run, x, dy, dweight, dbias);
}

}  // namespace penstock::train::onednn
#endif
