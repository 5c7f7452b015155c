#include "train/backend/onednn/layer_norm_kernels.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/layer_norm_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// Returns the sum over a row of what term(d, channel) gives, two vectors side by side.
template <class Term>
HWY_ATTR float sum_row(std::size_t channels, const Term& term) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d);
  auto sum1 = sum0;
  std::size_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) {
    sum0 = hn::Add(sum0, term(d, c));
    sum1 = hn::Add(sum1, term(d, c + lanes));
  }
  for (; c + lanes <= channels; c += lanes) sum0 = hn::Add(sum0, term(d, c));
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
  for (; c < channels; ++c) sum += hn::GetLane(term(hn::CappedTag<float, 1>(), c));
  return sum;
}

template <class T>
struct Value {
  const T* x;

  template <class D>
  HWY_ATTR hn::Vec<D> operator()(D d, std::size_t c) const {
    return load_stream(d, x + c);
  }
};

template <class T>
struct SquareFromMean {
  const T* x;
  float mean;

  template <class D>
  HWY_ATTR hn::Vec<D> operator()(D d, std::size_t c) const {
    const auto v = hn::Sub(load(d, x + c), hn::Set(d, mean));
    return hn::Mul(v, v);
  }
};

struct RowMoments {
  float mean;
  float inv_std;
};

template <class T>
HWY_ATTR RowMoments moments_of(std::size_t channels, float epsilon, const T* x) {
  const auto count = static_cast<float>(channels);
  const float mean = sum_row(channels, Value<T>{x}) / count;
  const float variance = sum_row(channels, SquareFromMean<T>{x, mean}) / count;
  return {mean, 1.0f / std::sqrt(variance + epsilon)};
}

template <class T>
struct NormalizeBlock {
  RowNorm norm;
  RowMoments moments;
  const T* x;
  T* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto from_mean = hn::Sub(load(d, x + c), hn::Set(d, moments.mean));
    const auto v = hn::Mul(from_mean, hn::Set(d, moments.inv_std));
    const auto y_value = hn::MulAdd(v, hn::LoadU(d, norm.scale + c), hn::LoadU(d, norm.shift + c));
    store_stream(y_value, d, y + c);
  }
};

template <class T>
void forward_rows(Rows rows, const RowNorm& norm, const T* x, T* y) {
  for_rows(rows, [&](std::size_t at) {
    const RowMoments moments = moments_of(rows.channels, norm.epsilon, x + at);
    for_channels(rows.channels, NormalizeBlock<T>{norm, moments, x + at, y + at});
  });
}

/// g = dy * scale. Adds dy * v and dy to the sums of the run as well, v the normalized value.
template <class T>
struct ScaledGradient {
  const float* scale;
  RowMoments moments;
  const T* x;
  const T* dy;
  float* dscale;
  float* dshift;

  template <class D>
  HWY_ATTR hn::Vec<D> operator()(D d, std::size_t c) const {
    const auto gradient = load_stream(d, dy + c);
    const auto from_mean = hn::Sub(load(d, x + c), hn::Set(d, moments.mean));
    const auto v = hn::Mul(from_mean, hn::Set(d, moments.inv_std));
    hn::StoreU(hn::MulAdd(gradient, v, hn::LoadU(d, dscale + c)), d, dscale + c);
    hn::StoreU(hn::Add(gradient, hn::LoadU(d, dshift + c)), d, dshift + c);
    return hn::Mul(gradient, hn::LoadU(d, scale + c));
  }
};

/// g * v
template <class T>
struct ScaledProduct {
  const float* scale;
  RowMoments moments;
  const T* x;
  const T* dy;

  template <class D>
  HWY_ATTR hn::Vec<D> operator()(D d, std::size_t c) const {
    const auto from_mean = hn::Sub(load(d, x + c), hn::Set(d, moments.mean));
    const auto v = hn::Mul(from_mean, hn::Set(d, moments.inv_std));
    return hn::Mul(hn::Mul(load(d, dy + c), hn::LoadU(d, scale + c)), v);
  }
};

/// dx = (g - mean of g - v * mean of g v) / deviation
template <class T>
struct GradientBlock {
  const float* scale;
  RowMoments moments;
  float mean_g;
  float mean_gv;
  const T* x;
  const T* dy;
  T* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto inv_std = hn::Set(d, moments.inv_std);
    const auto v = hn::Mul(hn::Sub(load(d, x + c), hn::Set(d, moments.mean)), inv_std);
    const auto g = hn::Mul(load(d, dy + c), hn::LoadU(d, scale + c));
    const auto centered = hn::Sub(g, hn::Set(d, mean_g));
    store(hn::Mul(hn::NegMulAdd(v, hn::Set(d, mean_gv), centered), inv_std), d, dx + c);
  }
};

/// Rows whose gradients are added up in float.
inline constexpr std::size_t kRowsPerRun = 64;

template <class T>
void backward_rows(Rows rows, const RowNorm& norm, const T* x, const T* dy, T* dx,
                   const RowNormSums& sums) {
  const std::size_t channels = rows.channels;
  float* const dscale = sums.of_run;
  float* const dshift = sums.of_run + channels;
  const auto count = static_cast<float>(channels);
  for (std::size_t begin = 0; begin < rows.num_rows; begin += kRowsPerRun) {
    const std::size_t end = std::min(rows.num_rows, begin + kRowsPerRun);
    std::fill_n(sums.of_run, 2 * channels, 0.0f);
    for (std::size_t at = begin * channels; at < end * channels; at += channels) {
      const RowMoments moments = moments_of(channels, norm.epsilon, x + at);
      const float mean_g = sum_row(channels, ScaledGradient<T>{norm.scale, moments, x + at, dy + at,
                                                               dscale, dshift}) /
                           count;
      if (dx == nullptr) continue;
      const float mean_gv =
          sum_row(channels, ScaledProduct<T>{norm.scale, moments, x + at, dy + at}) / count;
      for_channels(channels, GradientBlock<T>{norm.scale, moments, mean_g, mean_gv, x + at, dy + at,
                                              dx + at});
    }
    for (std::size_t c = 0; c < channels; ++c) {
      sums.dscale[c] += static_cast<double>(dscale[c]);
      sums.dshift[c] += static_cast<double>(dshift[c]);
    }
  }
}

// Exported by name, which a template has none of.
void forward_float(Rows rows, const RowNorm& norm, const float* x, float* y) {
  forward_rows(rows, norm, x, y);
}
void forward_bfloat16(Rows rows, const RowNorm& norm, const Bfloat16* x, Bfloat16* y) {
  forward_rows(rows, norm, x, y);
}
void backward_float(Rows rows, const RowNorm& norm, const float* x, const float* dy, float* dx,
                    const RowNormSums& sums) {
  backward_rows(rows, norm, x, dy, dx, sums);
}
void backward_bfloat16(Rows rows, const RowNorm& norm, const Bfloat16* x, const Bfloat16* dy,
                       Bfloat16* dx, const RowNormSums& sums) {
  backward_rows(rows, norm, x, dy, dx, sums);
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

void layer_norm_forward(Rows rows, const RowNorm& norm, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(forward_float)(rows, norm, x, y);
}
void layer_norm_forward(Rows rows, const RowNorm& norm, const Bfloat16* x, Bfloat16* y) {
  HWY_DYNAMIC_DISPATCH(forward_bfloat16)(rows, norm, x, y);
}

void layer_norm_backward(Rows rows, const RowNorm& norm, const float* x, const float* dy, float* dx,
                         const RowNormSums& sums) {
  HWY_DYNAMIC_DISPATCH(backward_float)(rows, norm, x, dy, dx, sums);
}
void layer_norm_backward(Rows rows, const RowNorm& norm, const Bfloat16* x, const Bfloat16* dy,
                         Bfloat16* dx, const RowNormSums& sums) {
  HWY_DYNAMIC_DISPATCH(backward_bfloat16)(rows, norm, x, dy, dx, sums);
}

}  // namespace penstock::train::onednn
#endif
