#include "train/backend/onednn/nhwc_overlapping_pool_kernels.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/nhwc_overlapping_pool_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"
#include "train/backend/onednn/stored_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// Those of a window's three rows or columns that lie in the tensor.
struct Inside {
  std::size_t begin;
  std::size_t end;
};

inline Inside inside(std::size_t window, std::size_t size) {
  return {window == 0 ? std::size_t{1} : std::size_t{0},
          std::min<std::size_t>(3, size + 1 - 2 * window)};
}

/// The places of a window that lie in the tensor, in order.
template <class T>
struct Window {
  struct Tap {
    const T* x;
    std::int32_t place;
  };
  std::array<Tap, 9> taps;
  std::size_t num_taps = 0;

  Window(const OverlappingSizes& s, const T* sample, std::size_t row, std::size_t col) {
    const Inside rows = inside(row, s.height), cols = inside(col, s.width);
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
      for (std::size_t k = cols.begin; k < cols.end; ++k) {
        taps[num_taps++] = {
            sample + (2 * row + i - 1) * s.row_values() + (2 * col + k - 1) * s.channels,
            static_cast<std::int32_t>(3 * i + k)};
      }
    }
  }
};

template <class T>
struct ForwardBlock {
  const Window<T>& window;
  ChannelAffine affine;
  T* y;
  std::uint8_t* places;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const hn::Rebind<std::int32_t, D> d_place;
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    auto best = hn::MulAdd(load(d, window.taps[0].x + c), gain, offset);
    auto place = hn::Set(d_place, window.taps[0].place);
    for (std::size_t i = 1; i < window.num_taps; ++i) {
      const auto z = hn::MulAdd(load(d, window.taps[i].x + c), gain, offset);
      const auto is_larger = hn::Gt(z, best);
      best = hn::IfThenElse(is_larger, z, best);
      const auto here = hn::Set(d_place, window.taps[i].place);
      place = hn::IfThenElse(hn::RebindMask(d_place, is_larger), here, place);
    }
    // Not Max: what is not a number must stay visible in the loss.
    store(hn::IfThenZeroElse(hn::Lt(best, hn::Zero(d)), best), d, y + c);
    if (places == nullptr) return;
    const auto is_on = hn::RebindMask(d_place, hn::Gt(best, hn::Zero(d)));
    place = hn::IfThenElse(is_on, place, hn::Set(d_place, kCutOff));
    const hn::Rebind<std::uint8_t, D> d_byte;
    hn::StoreU(hn::DemoteTo(d_byte, place), d_byte, places + c);
  }
};

template <class T>
struct SumsBlock {
  const Window<T>& window;
  const float* mean;
  const std::uint8_t* places;
  const T* dy;
  float* sum_g;
  float* sum_gx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const hn::Rebind<std::int32_t, D> d_place;
    const hn::Rebind<std::uint8_t, D> d_byte;
    const auto place = hn::PromoteTo(d_place, hn::LoadU(d_byte, places + c));
    const auto is_cut_off = hn::RebindMask(d, hn::Eq(place, hn::Set(d_place, kCutOff)));
    const auto g = hn::IfThenZeroElse(is_cut_off, load(d, dy + c));
    auto value = load(d, window.taps[0].x + c);
    for (std::size_t i = 1; i < window.num_taps; ++i) {
      const auto is_here = hn::Eq(place, hn::Set(d_place, window.taps[i].place));
      value = hn::IfThenElse(hn::RebindMask(d, is_here), load(d, window.taps[i].x + c), value);
    }
    hn::StoreU(hn::Add(hn::LoadU(d, sum_g + c), g), d, sum_g + c);
    const auto gx = hn::Mul(g, hn::Sub(value, hn::LoadU(d, mean + c)));
    hn::StoreU(hn::Add(hn::LoadU(d, sum_gx + c), gx), d, sum_gx + c);
  }
};

/// The four places of which a window's middle is the first: they lie in this window, the next one, the one
/// below and the one below that, if there are such.
template <class T>
struct BackwardBlock {
  const OverlappingSizes& s;
  ChannelBackward constants;
  bool has_next;
  bool has_below;
  bool has_right_column;
  bool has_lower_row;
  const T* x;  // the middle
  T* dx;
  const T* dy;  // the window's
  const std::uint8_t* places;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const hn::Rebind<std::int32_t, D> d_place;
    const hn::Rebind<std::uint8_t, D> d_byte;
    const auto gain = hn::LoadU(d, constants.forward.gain + c);
    const auto slope = hn::LoadU(d, constants.slope + c);
    const auto level = hn::LoadU(d, constants.level + c);
    const auto gradient = [&](bool exists, std::size_t window) HWY_ATTR {
      return exists ? hn::Mul(gain, load(d, dy + window + c)) : hn::Zero(d);
    };
    const auto maximum = [&](bool exists, std::size_t window) HWY_ATTR {
      return exists ? hn::PromoteTo(d_place, hn::LoadU(d_byte, places + window + c))
                    : hn::Set(d_place, kCutOff);
    };
    const auto part = [&](auto g, auto place, int taken) HWY_ATTR {
      return hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(place, hn::Set(d_place, taken))), g);
    };
    const auto put = [&](auto g, std::size_t at) HWY_ATTR {
      store(hn::Add(g, hn::MulAdd(slope, load(d, x + at + c), level)), d, dx + at + c);
    };
    const std::size_t next = s.channels;
    const std::size_t below = s.pooled_width() * s.channels;
    const auto own_g = gradient(true, 0);
    const auto own = maximum(true, 0);
    const auto next_g = gradient(has_next, next);
    const auto next_place = maximum(has_next, next);
    put(part(own_g, own, 4), 0);
    if (has_right_column) {
      put(hn::Add(part(own_g, own, 5), part(next_g, next_place, 3)), s.channels);
    }
    if (!has_lower_row) return;
    const auto below_g = gradient(has_below, below);
    const auto below_place = maximum(has_below, below);
    put(hn::Add(part(own_g, own, 7), part(below_g, below_place, 1)), s.row_values());
    if (!has_right_column) return;
    const auto last_g = gradient(has_next && has_below, below + next);
    const auto last = maximum(has_next && has_below, below + next);
    const auto upper = hn::Add(part(own_g, own, 8), part(next_g, next_place, 6));
    const auto lower = hn::Add(part(below_g, below_place, 2), part(last_g, last, 0));
    put(hn::Add(upper, lower), s.row_values() + s.channels);
  }
};

/// The sample and the row in it of a pooled row, and where in pooled tensors it begins.
struct RowPlace {
  std::size_t x;
  std::size_t row;
  std::size_t y;
};

inline RowPlace row_place(const OverlappingSizes& s, std::size_t pooled_row) {
  return {pooled_row / s.pooled_height() * s.sample_values(), pooled_row % s.pooled_height(),
          pooled_row * s.pooled_width() * s.channels};
}

template <class T>
void forward(const OverlappingSizes& s, PooledRows rows, ChannelAffine affine, const T* x, T* y,
             std::uint8_t* places) {
  for (std::size_t pooled = rows.begin; pooled < rows.end; ++pooled) {
    const RowPlace at = row_place(s, pooled);
    for (std::size_t col = 0; col < s.pooled_width(); ++col) {
      const std::size_t out = at.y + col * s.channels;
      std::uint8_t* kept = places == nullptr ? nullptr : places + out;
      const Window<T> window(s, x + at.x, at.row, col);
      for_channels(s.channels, ForwardBlock<T>{window, affine, y + out, kept});
    }
  }
}

/// Channels whose sums over a row of windows are kept in float, on the stack.
inline constexpr std::size_t kSummedChannels = 256;

template <class T>
void add_sums(const OverlappingSizes& s, PooledRows rows, const float* mean, const T* x,
              const std::uint8_t* places, const T* dy, double* sum_g, double* sum_gx) {
  for (std::size_t pooled = rows.begin; pooled < rows.end; ++pooled) {
    const RowPlace at = row_place(s, pooled);
    for (std::size_t first = 0; first < s.channels; first += kSummedChannels) {
      const std::size_t count = std::min(kSummedChannels, s.channels - first);
      std::array<float, kSummedChannels> row_g{}, row_gx{};
      for (std::size_t col = 0; col < s.pooled_width(); ++col) {
        const std::size_t out = at.y + col * s.channels + first;
        const Window<T> window(s, x + at.x + first, at.row, col);
        for_channels(count, SumsBlock<T>{window, mean + first, places + out, dy + out, row_g.data(),
                                         row_gx.data()});
      }
      for (std::size_t c = 0; c < count; ++c) {
        sum_g[first + c] += static_cast<double>(row_g[c]);
        sum_gx[first + c] += static_cast<double>(row_gx[c]);
      }
    }
  }
}

template <class T>
void backward(const OverlappingSizes& s, PooledRows rows, const ChannelBackward& constants,
              const T* x, const std::uint8_t* places, const T* dy, T* dx) {
  for (std::size_t pooled = rows.begin; pooled < rows.end; ++pooled) {
    const RowPlace at = row_place(s, pooled);
    for (std::size_t col = 0; col < s.pooled_width(); ++col) {
      const std::size_t in = at.x + 2 * at.row * s.row_values() + 2 * col * s.channels;
      const std::size_t out = at.y + col * s.channels;
      for_channels(s.channels, BackwardBlock<T>{.s = s,
                                                .constants = constants,
                                                .has_next = col + 1 < s.pooled_width(),
                                                .has_below = at.row + 1 < s.pooled_height(),
                                                .has_right_column = 2 * col + 1 < s.width,
                                                .has_lower_row = 2 * at.row + 1 < s.height,
                                                .x = x + in,
                                                .dx = dx + in,
                                                .dy = dy + out,
                                                .places = places + out});
    }
  }
}

// Exported by name, which a template has none of.
void forward_float(const OverlappingSizes& s, PooledRows rows, ChannelAffine affine, const float* x,
                   float* y, std::uint8_t* places) {
  forward(s, rows, affine, x, y, places);
}
void forward_bfloat16(const OverlappingSizes& s, PooledRows rows, ChannelAffine affine,
                      const Bfloat16* x, Bfloat16* y, std::uint8_t* places) {
  forward(s, rows, affine, x, y, places);
}
void sums_float(const OverlappingSizes& s, PooledRows rows, const float* mean, const float* x,
                const std::uint8_t* places, const float* dy, double* sum_g, double* sum_gx) {
  add_sums(s, rows, mean, x, places, dy, sum_g, sum_gx);
}
void sums_bfloat16(const OverlappingSizes& s, PooledRows rows, const float* mean, const Bfloat16* x,
                   const std::uint8_t* places, const Bfloat16* dy, double* sum_g, double* sum_gx) {
  add_sums(s, rows, mean, x, places, dy, sum_g, sum_gx);
}
void backward_float(const OverlappingSizes& s, PooledRows rows, const ChannelBackward& constants,
                    const float* x, const std::uint8_t* places, const float* dy, float* dx) {
  backward(s, rows, constants, x, places, dy, dx);
}
void backward_bfloat16(const OverlappingSizes& s, PooledRows rows, const ChannelBackward& constants,
                       const Bfloat16* x, const std::uint8_t* places, const Bfloat16* dy,
                       Bfloat16* dx) {
  backward(s, rows, constants, x, places, dy, dx);
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_bfloat16);
HWY_EXPORT(sums_float);
HWY_EXPORT(sums_bfloat16);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_bfloat16);

void overlapping_forward(const OverlappingSizes& sizes, PooledRows rows, ChannelAffine affine,
                         const float* x, float* y, std::uint8_t* places) {
  HWY_DYNAMIC_DISPATCH(forward_float)(sizes, rows, affine, x, y, places);
}
void overlapping_forward(const OverlappingSizes& sizes, PooledRows rows, ChannelAffine affine,
                         const Bfloat16* x, Bfloat16* y, std::uint8_t* places) {
  HWY_DYNAMIC_DISPATCH(forward_bfloat16)(sizes, rows, affine, x, y, places);
}

void add_overlapping_sums(const OverlappingSizes& sizes, PooledRows rows, const float* mean,
                          const float* x, const std::uint8_t* places, const float* dy,
                          double* sum_g, double* sum_gx) {
  HWY_DYNAMIC_DISPATCH(sums_float)(sizes, rows, mean, x, places, dy, sum_g, sum_gx);
}
void add_overlapping_sums(const OverlappingSizes& sizes, PooledRows rows, const float* mean,
                          const Bfloat16* x, const std::uint8_t* places, const Bfloat16* dy,
                          double* sum_g, double* sum_gx) {
  HWY_DYNAMIC_DISPATCH(sums_bfloat16)(sizes, rows, mean, x, places, dy, sum_g, sum_gx);
}

void overlapping_backward(const OverlappingSizes& sizes, PooledRows rows,
                          const ChannelBackward& constants, const float* x,
                          const std::uint8_t* places, const float* dy, float* dx) {
  HWY_DYNAMIC_DISPATCH(backward_float)(sizes, rows, constants, x, places, dy, dx);
}
void overlapping_backward(const OverlappingSizes& sizes, PooledRows rows,
                          const ChannelBackward& constants, const Bfloat16* x,
                          const std::uint8_t* places, const Bfloat16* dy, Bfloat16* dx) {
  HWY_DYNAMIC_DISPATCH(backward_bfloat16)(sizes, rows, constants, x, places, dy, dx);
}

}  // namespace penstock::train::onednn
#endif
