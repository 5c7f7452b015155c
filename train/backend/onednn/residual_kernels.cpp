#include "train/backend/onednn/residual_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/residual_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

/// One row.
template <class T>
struct ResidualForwardBlock {
  ChannelAffine affine;
  const T* x;
  const T* residual;
  T* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    const auto normalized = hn::MulAdd(load_stream(d, x + c), gain, offset);
    const auto sum = hn::Add(normalized, load_stream(d, residual + c));
    // Not Max: what is not a number must stay visible in the loss.
    store_stream(hn::IfThenZeroElse(hn::Lt(sum, hn::Zero(d)), sum), d, y + c);
  }
};

template <class T>
struct ResidualTerm {
  const float* mean;
  const T* x;
  const T* y;
  const T* dy;
  T* g;

  template <class D, class V>
  HWY_ATTR void operator()(D d, std::size_t c, std::size_t at, V& sum_g, V& sum_gx) const {
    const auto passes = hn::Gt(load_stream(d, y + at), hn::Zero(d));
    const auto gradient = hn::IfThenElseZero(passes, load_stream(d, dy + at));
    store_stream(gradient, d, g + at);
    sum_g = hn::Add(sum_g, gradient);
    const auto from_mean = hn::Sub(load_stream(d, x + at), hn::LoadU(d, mean + c));
    sum_gx = hn::MulAdd(gradient, from_mean, sum_gx);
  }
};

template <class T>
void forward_rows(Rows rows, ChannelAffine affine, const T* x, const T* residual, T* y) {
  for_rows(rows, [&](std::size_t at) {
    for_channels(rows.channels, ResidualForwardBlock<T>{affine, x + at, residual + at, y + at});
  });
}

template <class T>
void sum_rows(Rows rows, const float* mean, const T* x, const T* y, const T* dy, T* g,
              double* sum_g, double* sum_gx) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    add_tile_sums(
        TileSums<ResidualTerm<T>>{tile, {mean, x + at, y + at, dy + at, g + at}, sum_g, sum_gx});
  });
}

// Exported by name, which a template has none of.
void forward_float(Rows rows, ChannelAffine affine, const float* x, const float* residual,
                   float* y) {
  forward_rows(rows, affine, x, residual, y);
}
void forward_bfloat16(Rows rows, ChannelAffine affine, const Bfloat16* x, const Bfloat16* residual,
                      Bfloat16* y) {
  forward_rows(rows, affine, x, residual, y);
}
void sums_float(Rows rows, const float* mean, const float* x, const float* y, const float* dy,
                float* g, double* sum_g, double* sum_gx) {
  sum_rows(rows, mean, x, y, dy, g, sum_g, sum_gx);
}
void sums_bfloat16(Rows rows, const float* mean, const Bfloat16* x, const Bfloat16* y,
                   const Bfloat16* dy, Bfloat16* g, double* sum_g, double* sum_gx) {
  sum_rows(rows, mean, x, y, dy, g, sum_g, sum_gx);
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

void residual_forward(Rows rows, ChannelAffine affine, const float* x, const float* residual,
                      float* y) {
  HWY_DYNAMIC_DISPATCH(forward_float)(rows, affine, x, residual, y);
}
void residual_forward(Rows rows, ChannelAffine affine, const Bfloat16* x, const Bfloat16* residual,
                      Bfloat16* y) {
  HWY_DYNAMIC_DISPATCH(forward_bfloat16)(rows, affine, x, residual, y);
}

void residual_gradient_sums(Rows rows, const float* mean, const float* x, const float* y,
                            const float* dy, float* g, double* sum_g, double* sum_gx) {
  HWY_DYNAMIC_DISPATCH(sums_float)(rows, mean, x, y, dy, g, sum_g, sum_gx);
}
void residual_gradient_sums(Rows rows, const float* mean, const Bfloat16* x, const Bfloat16* y,
                            const Bfloat16* dy, Bfloat16* g, double* sum_g, double* sum_gx) {
  HWY_DYNAMIC_DISPATCH(sums_bfloat16)(rows, mean, x, y, dy, g, sum_g, sum_gx);
}

}  // namespace penstock::train::onednn
#endif
