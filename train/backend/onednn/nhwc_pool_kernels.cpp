#include "train/backend/onednn/nhwc_pool_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/nhwc_pool_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"
#include "train/backend/onednn/stored_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// Where pooled row `pooled_row` begins: its first input row, and its output.
struct RowPlace {
  std::size_t x;
  std::size_t y;
};

inline RowPlace place_of(const PooledSizes& s, std::size_t pooled_row) {
  const std::size_t sample = pooled_row / s.pooled_height();
  const std::size_t row = pooled_row % s.pooled_height();
  return {sample * s.sample_values() + 2 * row * s.width * s.channels,
          pooled_row * s.pooled_width() * s.channels};
}

template <class T>
struct PooledForwardBlock {
  const PooledSizes& s;
  ChannelAffine affine;
  const T* x;  // first input row of the window row
  T* y;
  T* x_at_max;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    const std::size_t below = s.width * s.channels;
    for (std::size_t col = 0; col < s.pooled_width(); ++col) {
      const T* window = x + 2 * col * s.channels + c;
      auto best_x = load(d, window);
      auto best = hn::MulAdd(best_x, gain, offset);
      for (const std::size_t at : {s.channels, below, below + s.channels}) {
        const auto v = load(d, window + at);
        const auto z = hn::MulAdd(v, gain, offset);
        const auto is_larger = hn::Gt(z, best);
        best = hn::IfThenElse(is_larger, z, best);
        best_x = hn::IfThenElse(is_larger, v, best_x);
      }
      const std::size_t out = col * s.channels + c;
      // Not Max: what is not a number must stay visible in the loss.
      store(hn::IfThenZeroElse(hn::Lt(best, hn::Zero(d)), best), d, y + out);
      if (x_at_max != nullptr) store(best_x, d, x_at_max + out);
    }
  }
};

template <class T>
struct PooledBackwardBlock {
  const PooledSizes& s;
  ChannelBackward constants;
  const T* x;  // first input row of the window row
  const T* dy;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, constants.forward.gain + c);
    const auto offset = hn::LoadU(d, constants.forward.offset + c);
    const auto slope = hn::LoadU(d, constants.slope + c);
    const auto level = hn::LoadU(d, constants.level + c);
    const std::size_t below = s.width * s.channels;
    for (std::size_t col = 0; col < s.pooled_width(); ++col) {
      const std::size_t at = 2 * col * s.channels + c;
      const auto x0 = load(d, x + at);
      const auto x1 = load(d, x + at + s.channels);
      const auto x2 = load(d, x + at + below);
      const auto x3 = load(d, x + at + below + s.channels);
      const auto z0 = hn::MulAdd(x0, gain, offset);
      const auto z1 = hn::MulAdd(x1, gain, offset);
      const auto z2 = hn::MulAdd(x2, gain, offset);
      const auto z3 = hn::MulAdd(x3, gain, offset);
      const auto best = hn::Max(hn::Max(z0, z1), hn::Max(z2, z3));
      auto left = hn::Mul(gain, load(d, dy + col * s.channels + c));
      left = hn::IfThenElseZero(hn::Gt(best, hn::Zero(d)), left);  // until a place has taken it
      const auto is0 = hn::Eq(z0, best);
      const auto g0 = hn::IfThenElseZero(is0, left);
      left = hn::IfThenZeroElse(is0, left);
      const auto is1 = hn::Eq(z1, best);
      const auto g1 = hn::IfThenElseZero(is1, left);
      left = hn::IfThenZeroElse(is1, left);
      const auto is2 = hn::Eq(z2, best);
      const auto g2 = hn::IfThenElseZero(is2, left);
      left = hn::IfThenZeroElse(is2, left);
      store(hn::Add(g0, hn::MulAdd(slope, x0, level)), d, dx + at);
      store(hn::Add(g1, hn::MulAdd(slope, x1, level)), d, dx + at + s.channels);
      store(hn::Add(g2, hn::MulAdd(slope, x2, level)), d, dx + at + below);
      store(hn::Add(left, hn::MulAdd(slope, x3, level)), d, dx + at + below + s.channels);
    }
  }
};

/// dx of places that lie in no window: they take part in the statistics only.
template <class T>
struct OutsideBlock {
  std::size_t num_places;
  std::size_t channels;
  ChannelBackward constants;
  const T* x;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto slope = hn::LoadU(d, constants.slope + c);
    const auto level = hn::LoadU(d, constants.level + c);
    for (std::size_t at = c; at < num_places * channels; at += channels) {
      store(hn::MulAdd(slope, load(d, x + at), level), d, dx + at);
    }
  }
};

template <class T>
void forward(const PooledSizes& s, PooledRows rows, ChannelAffine affine, const T* x, T* y,
             T* x_at_max) {
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    const RowPlace at = place_of(s, row);
    T* kept = x_at_max == nullptr ? nullptr : x_at_max + at.y;
    for_channels(s.channels, PooledForwardBlock<T>{s, affine, x + at.x, y + at.y, kept});
  }
}

template <class T>
void backward(const PooledSizes& s, PooledRows rows, const ChannelBackward& constants, const T* x,
              const T* dy, T* dx) {
  const std::size_t below = s.width * s.channels;
  const auto outside = [&](std::size_t at, std::size_t num_places) {
    for_channels(s.channels, OutsideBlock<T>{num_places, s.channels, constants, x + at, dx + at});
  };
  for (std::size_t row = rows.begin; row < rows.end; ++row) {
    const RowPlace at = place_of(s, row);
    for_channels(s.channels, PooledBackwardBlock<T>{s, constants, x + at.x, dy + at.y, dx + at.x});
    if (s.width % 2 == 1) {
      outside(at.x + below - s.channels, 1);
      outside(at.x + 2 * below - s.channels, 1);
    }
    const bool is_last = (row + 1) % s.pooled_height() == 0;
    if (is_last && s.height % 2 == 1) outside(at.x + 2 * below, s.width);
  }
}

// Exported by name, which a template has none of.
void forward_float(const PooledSizes& s, PooledRows rows, ChannelAffine affine, const float* x,
                   float* y, float* x_at_max) {
  forward(s, rows, affine, x, y, x_at_max);
}
void forward_bfloat16(const PooledSizes& s, PooledRows rows, ChannelAffine affine,
                      const Bfloat16* x, Bfloat16* y, Bfloat16* x_at_max) {
  forward(s, rows, affine, x, y, x_at_max);
}
void backward_float(const PooledSizes& s, PooledRows rows, const ChannelBackward& constants,
                    const float* x, const float* dy, float* dx) {
  backward(s, rows, constants, x, dy, dx);
}
void backward_bfloat16(const PooledSizes& s, PooledRows rows, const ChannelBackward& constants,
                       const Bfloat16* x, const Bfloat16* dy, Bfloat16* dx) {
  backward(s, rows, constants, x, dy, dx);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_bfloat16);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_bfloat16);

void pooled_forward(const PooledSizes& sizes, PooledRows rows, ChannelAffine affine, const float* x,
                    float* y, float* x_at_max) {
  HWY_DYNAMIC_DISPATCH(forward_float)(sizes, rows, affine, x, y, x_at_max);
}
void pooled_forward(const PooledSizes& sizes, PooledRows rows, ChannelAffine affine,
                    const Bfloat16* x, Bfloat16* y, Bfloat16* x_at_max) {
  HWY_DYNAMIC_DISPATCH(forward_bfloat16)(sizes, rows, affine, x, y, x_at_max);
}

void pooled_backward(const PooledSizes& sizes, PooledRows rows, const ChannelBackward& constants,
                     const float* x, const float* dy, float* dx) {
  HWY_DYNAMIC_DISPATCH(backward_float)(sizes, rows, constants, x, dy, dx);
}
void pooled_backward(const PooledSizes& sizes, PooledRows rows, const ChannelBackward& constants,
                     const Bfloat16* x, const Bfloat16* dy, Bfloat16* dx) {
  HWY_DYNAMIC_DISPATCH(backward_bfloat16)(sizes, rows, constants, x, dy, dx);
}

}  // namespace penstock::train::onednn
#endif
