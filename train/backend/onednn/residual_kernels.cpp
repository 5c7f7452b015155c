#include "train/backend/onednn/residual_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/residual_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

struct ResidualForwardBlock {
  Rows rows;
  ChannelAffine affine;
  const float* x;
  const float* residual;
  float* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      const auto normalized = hn::MulAdd(hn::LoadU(d, x + at), gain, offset);
      const auto sum = hn::Add(normalized, hn::LoadU(d, residual + at));
      // Not Max: what is not a number must stay visible in the loss.
      hn::StoreU(hn::IfThenZeroElse(hn::Lt(sum, hn::Zero(d)), sum), d, y + at);
    }
  }
};

struct ResidualSumsBlock {
  Rows rows;
  const float* mean;
  const float* x;
  const float* y;
  const float* dy;
  float* g;
  double* sum_g;
  double* sum_gx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto center = hn::LoadU(d, mean + c);
    auto sums = hn::Zero(d);
    auto product_sums = hn::Zero(d);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      const auto passes = hn::Gt(hn::LoadU(d, y + at), hn::Zero(d));
      const auto gradient = hn::IfThenElseZero(passes, hn::LoadU(d, dy + at));
      hn::StoreU(gradient, d, g + at);
      sums = hn::Add(sums, gradient);
      product_sums = hn::MulAdd(gradient, hn::Sub(hn::LoadU(d, x + at), center), product_sums);
    }
    add_lanes(d, sums, sum_g + c);
    add_lanes(d, product_sums, sum_gx + c);
  }
};

void forward_rows(Rows rows, ChannelAffine affine, const float* x, const float* residual,
                  float* y) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    for_channels(rows.channels, ResidualForwardBlock{tile, affine, x + at, residual + at, y + at});
  });
}

void sum_rows(Rows rows, const float* mean, const float* x, const float* y, const float* dy,
              float* g, double* sum_g, double* sum_gx) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    for_channels(rows.channels,
                 ResidualSumsBlock{tile, mean, x + at, y + at, dy + at, g + at, sum_g, sum_gx});
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(forward_rows);
HWY_EXPORT(sum_rows);

void residual_forward(Rows rows, ChannelAffine affine, const float* x, const float* residual,
                      float* y) {
  HWY_DYNAMIC_DISPATCH(forward_rows)(rows, affine, x, residual, y);
}

void residual_gradient_sums(Rows rows, const float* mean, const float* x, const float* y,
                            const float* dy, float* g, double* sum_g, double* sum_gx) {
  HWY_DYNAMIC_DISPATCH(sum_rows)(rows, mean, x, y, dy, g, sum_g, sum_gx);
}

}  // namespace penstock::train::onednn
#endif
