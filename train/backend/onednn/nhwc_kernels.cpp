#include "train/backend/onednn/nhwc_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/nhwc_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "train/backend/onednn/activation_vectors_inl.h"
#include "train/backend/onednn/channel_vectors_inl.h"
#include "train/backend/onednn/nhwc_kernel_table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// Rows of a tile whose mean is where its sums are taken from.
inline constexpr std::size_t kOriginRows = 16;
/// Most rows of a tile. Squares of equal values round the same way: a sum of 1,365 in float was off by 5e-5.
inline constexpr std::size_t kMaxMomentRows = 256;

/// Sums of a tile in float, from an origin of its own: the mean of rows spread over it. From one row, which
/// may be far from all others (a corner, a blank sample), squares would cancel. Moved to `origin` in double.
template <class T>
struct TileMoments {
  Rows tile;
  const T* x;
  const T* origin;
  double* sum;
  double* squares;

  std::size_t end() const { return tile.num_rows * tile.channels; }

  template <class D>
  HWY_ATTR hn::Vec<D> tile_origin(D d, std::size_t c) const {
    const std::size_t count = std::min(kOriginRows, tile.num_rows);
    const std::size_t step = tile.num_rows / count * tile.channels;
    auto total = hn::Zero(d);
    for (std::size_t i = 0; i < count; ++i) total = hn::Add(total, load(d, x + c + i * step));
    return hn::Mul(total, hn::Set(d, 1.0f / static_cast<float>(count)));
  }

  template <class D, class V>
  HWY_ATTR static void add(D d, const T* at, V from, V& tile_sum, V& tile_squares) {
    const auto v = hn::Sub(load_stream(d, at), from);
    tile_sum = hn::Add(tile_sum, v);
    tile_squares = hn::MulAdd(v, v, tile_squares);
  }

  /// With m = from - origin, the sum of x - origin is s + n m, that of its square q + 2 m s + n m m.
  template <class D, class V>
  HWY_ATTR void put(D d, std::size_t c, V from, V tile_sum, V tile_squares) const {
    HWY_ALIGN float lanes[3][HWY_MAX_BYTES / sizeof(float)];
    hn::Store(from, d, lanes[0]);
    hn::Store(tile_sum, d, lanes[1]);
    hn::Store(tile_squares, d, lanes[2]);
    const auto count = static_cast<double>(tile.num_rows);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) {
      const double move =
          static_cast<double>(lanes[0][i]) - static_cast<double>(to_float(origin[c + i]));
      const auto part = static_cast<double>(lanes[1][i]);
      sum[c + i] += part + count * move;
      squares[c + i] += static_cast<double>(lanes[2][i]) + move * (2 * part + count * move);
    }
  }

  template <class D>
  HWY_ATTR void one(D d, std::size_t c) const {
    const auto from = tile_origin(d, c);
    auto sum0 = hn::Zero(d), squares0 = sum0;
    for (std::size_t at = c; at < end(); at += tile.channels) add(d, x + at, from, sum0, squares0);
    put(d, c, from, sum0, squares0);
  }

  template <class D>
  HWY_ATTR void four(D d, std::size_t c) const {
    const std::size_t c1 = hn::Lanes(d), c2 = 2 * c1, c3 = 3 * c1;
    const auto from0 = tile_origin(d, c), from1 = tile_origin(d, c + c1);
    const auto from2 = tile_origin(d, c + c2), from3 = tile_origin(d, c + c3);
    auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    auto squares0 = sum0, squares1 = sum0, squares2 = sum0, squares3 = sum0;
    for (std::size_t at = c; at < end(); at += tile.channels) {
      add(d, x + at, from0, sum0, squares0);
      add(d, x + at + c1, from1, sum1, squares1);
      add(d, x + at + c2, from2, sum2, squares2);
      add(d, x + at + c3, from3, sum3, squares3);
    }
    put(d, c, from0, sum0, squares0);
    put(d, c + c1, from1, sum1, squares1);
    put(d, c + c2, from2, sum2, squares2);
    put(d, c + c3, from3, sum3, squares3);
  }
};

/// One row.
template <class A, class T>
struct ForwardBlock {
  A activation;
  ChannelAffine affine;
  const T* x;
  T* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    const auto v = hn::MulAdd(load_stream(d, x + c), gain, offset);
    store_stream(activation.value(d, v), d, y + c);
  }
};

template <class A, class T>
struct BackwardTerm {
  A activation;
  ChannelAffine affine;
  const float* mean;
  const T* x;
  const T* dy;

  template <class D, class V>
  HWY_ATTR void operator()(D d, std::size_t c, std::size_t at, V& sum_g, V& sum_gx) const {
    const auto v = load_stream(d, x + at);
    const auto z = hn::MulAdd(v, hn::LoadU(d, affine.gain + c), hn::LoadU(d, affine.offset + c));
    const auto g = activation.pass_back(d, z, load_stream(d, dy + at));
    sum_g = hn::Add(sum_g, g);
    sum_gx = hn::MulAdd(g, hn::Sub(v, hn::LoadU(d, mean + c)), sum_gx);
  }
};

/// One row.
template <class A, class T>
struct BackwardBlock {
  A activation;
  ChannelBackward constants;
  const T* x;
  const T* dy;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, constants.forward.gain + c);
    const auto offset = hn::LoadU(d, constants.forward.offset + c);
    const auto slope = hn::LoadU(d, constants.slope + c);
    const auto level = hn::LoadU(d, constants.level + c);
    const auto v = load_stream(d, x + c);
    const auto g = activation.pass_back(d, hn::MulAdd(v, gain, offset), load_stream(d, dy + c));
    store_stream(hn::MulAdd(gain, g, hn::MulAdd(slope, v, level)), d, dx + c);
  }
};

template <class T>
struct ReluBlock {
  const T* x;
  T* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    store(Relu().value(d, load(d, x + at)), d, y + at);
  }
};

template <class T>
struct ReluBackwardBlock {
  const T* y;
  const T* dy;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    store(Relu().pass_back(d, load(d, y + at), load(d, dy + at)), d, dx + at);
  }
};

template <class T>
struct SumBlock {
  const T* a;
  const T* b;
  T* sum;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    store(hn::Add(load(d, a + at), load(d, b + at)), d, sum + at);
  }
};

template <class T>
struct MeanBlock {
  Rows rows;
  const T* x;
  T* mean;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    auto sum = hn::Zero(d);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      sum = hn::Add(sum, load(d, x + at));
    }
    store(hn::Mul(sum, hn::Set(d, 1.0f / static_cast<float>(rows.num_rows))), d, mean + c);
  }
};

template <class T>
struct SpreadBlock {
  Rows rows;
  const T* dmean;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto scale = hn::Set(d, 1.0f / static_cast<float>(rows.num_rows));
    const auto share = hn::Mul(load(d, dmean + c), scale);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      store(share, d, dx + at);
    }
  }
};

template <class T>
void moments(Rows rows, const T* x, const T* origin, double* sum, double* squares) {
  const std::size_t most = std::min(tile_rows(rows.channels), kMaxMomentRows);
  for (std::size_t row = 0; row < rows.num_rows; row += most) {
    const Rows tile{std::min(most, rows.num_rows - row), rows.channels};
    add_tile_sums(TileMoments<T>{tile, x + row * rows.channels, origin, sum, squares});
  }
}

template <class T>
void forward(Rows rows, const Activation& activation, ChannelAffine affine, const T* x, T* y) {
  with_activation(activation, [&](const auto& one) {
    using Block = ForwardBlock<std::decay_t<decltype(one)>, T>;
    for_rows(rows, [&](std::size_t at) {
      for_channels(rows.channels, Block{one, affine, x + at, y + at});
    });
  });
}

template <class T>
void backward_sums(Rows rows, const Activation& activation, ChannelAffine affine, const float* mean,
                   const T* x, const T* dy, double* sum_g, double* sum_gx) {
  with_activation(activation, [&](const auto& one) {
    using Term = BackwardTerm<std::decay_t<decltype(one)>, T>;
    for_tiles(rows, [&](Rows tile, std::size_t at) {
      add_tile_sums(TileSums<Term>{tile, {one, affine, mean, x + at, dy + at}, sum_g, sum_gx});
    });
  });
}

template <class T>
void backward(Rows rows, const Activation& activation, const ChannelBackward& constants, const T* x,
              const T* dy, T* dx) {
  with_activation(activation, [&](const auto& one) {
    using Block = BackwardBlock<std::decay_t<decltype(one)>, T>;
    for_rows(rows, [&](std::size_t at) {
      for_channels(rows.channels, Block{one, constants, x + at, dy + at, dx + at});
    });
  });
}

// Without a constant per channel, all values are one row.
template <class T>
void relu_values(std::size_t count, const T* x, T* y) {
  for_channels(count, ReluBlock<T>{x, y});
}
template <class T>
void relu_gradients(std::size_t count, const T* y, const T* dy, T* dx) {
  for_channels(count, ReluBackwardBlock<T>{y, dy, dx});
}

template <class T>
void sum_values(std::size_t count, const T* a, const T* b, T* sum) {
  for_channels(count, SumBlock<T>{a, b, sum});
}

template <class T>
void row_means(Rows rows, const T* x, T* mean) {
  for_channels(rows.channels, MeanBlock<T>{rows, x, mean});
}
template <class T>
void spread(Rows rows, const T* dmean, T* dx) {
  for_channels(rows.channels, SpreadBlock<T>{rows, dmean, dx});
}

template <class T>
const NhwcKernels<T>& kernels_of() {
  static constexpr NhwcKernels<T> kKernels{&moments<T>,    &forward<T>,     &backward_sums<T>,
                                           &backward<T>,   &relu_values<T>, &relu_gradients<T>,
                                           &sum_values<T>, &row_means<T>,   &spread<T>};
  return kKernels;
}
const NhwcKernels<float>& float_kernels() {
  return kernels_of<float>();
}
const NhwcKernels<Bfloat16>& bfloat16_kernels() {
  return kernels_of<Bfloat16>();
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(float_kernels);
HWY_EXPORT(bfloat16_kernels);

namespace {

const NhwcKernels<float>& kernels_for(const float*) {
  return HWY_DYNAMIC_DISPATCH(float_kernels)();
}
const NhwcKernels<Bfloat16>& kernels_for(const Bfloat16*) {
  return HWY_DYNAMIC_DISPATCH(bfloat16_kernels)();
}

}  // namespace

template <class T>
void add_moments(Rows rows, const T* x, const T* origin, double* sum, double* squares) {
  kernels_for(x).moments(rows, x, origin, sum, squares);
}

template <class T>
void affine_forward(Rows rows, const Activation& activation, ChannelAffine affine, const T* x,
                    T* y) {
  kernels_for(x).forward(rows, activation, affine, x, y);
}

template <class T>
void add_backward_sums(Rows rows, const Activation& activation, ChannelAffine affine,
                       const float* mean, const T* x, const T* dy, double* sum_g, double* sum_gx) {
  kernels_for(x).backward_sums(rows, activation, affine, mean, x, dy, sum_g, sum_gx);
}

template <class T>
void affine_backward(Rows rows, const Activation& activation, const ChannelBackward& constants,
                     const T* x, const T* dy, T* dx) {
  kernels_for(x).backward(rows, activation, constants, x, dy, dx);
}

template <class T>
void relu_forward(std::size_t count, const T* x, T* y) {
  kernels_for(x).relu(count, x, y);
}

template <class T>
void relu_backward(std::size_t count, const T* y, const T* dy, T* dx) {
  kernels_for(y).relu_gradient(count, y, dy, dx);
}

template <class T>
void add_values(std::size_t count, const T* a, const T* b, T* sum) {
  kernels_for(a).sums(count, a, b, sum);
}

template <class T>
void mean_forward(Rows rows, const T* x, T* mean) {
  kernels_for(x).means(rows, x, mean);
}

template <class T>
void mean_backward(Rows rows, const T* dmean, T* dx) {
  kernels_for(dmean).spread_gradient(rows, dmean, dx);
}

template void add_moments(Rows, const float*, const float*, double*, double*);
template void add_moments(Rows, const Bfloat16*, const Bfloat16*, double*, double*);
template void affine_forward(Rows, const Activation&, ChannelAffine, const float*, float*);
template void affine_forward(Rows, const Activation&, ChannelAffine, const Bfloat16*, Bfloat16*);
template void add_backward_sums(Rows, const Activation&, ChannelAffine, const float*, const float*,
                                const float*, double*, double*);
template void add_backward_sums(Rows, const Activation&, ChannelAffine, const float*,
                                const Bfloat16*, const Bfloat16*, double*, double*);
template void affine_backward(Rows, const Activation&, const ChannelBackward&, const float*,
                              const float*, float*);
template void affine_backward(Rows, const Activation&, const ChannelBackward&, const Bfloat16*,
                              const Bfloat16*, Bfloat16*);
template void relu_forward(std::size_t, const float*, float*);
template void relu_forward(std::size_t, const Bfloat16*, Bfloat16*);
template void relu_backward(std::size_t, const float*, const float*, float*);
template void relu_backward(std::size_t, const Bfloat16*, const Bfloat16*, Bfloat16*);
template void add_values(std::size_t, const float*, const float*, float*);
template void add_values(std::size_t, const Bfloat16*, const Bfloat16*, Bfloat16*);
template void mean_forward(Rows, const float*, float*);
template void mean_forward(Rows, const Bfloat16*, Bfloat16*);
template void mean_backward(Rows, const float*, float*);
template void mean_backward(Rows, const Bfloat16*, Bfloat16*);

}  // namespace penstock::train::onednn
#endif
