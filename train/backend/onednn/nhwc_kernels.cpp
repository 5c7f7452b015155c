#include "train/backend/onednn/nhwc_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/backend/onednn/nhwc_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "train/backend/onednn/channel_vectors_inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::train::onednn {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Not Max: what is not a number must stay visible in the loss.
template <Activation kActivation, class D, class V>
HWY_ATTR V activated(D d, V v) {
  if constexpr (kActivation == Activation::kNone) return v;
  return hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v);
}

/// dy where the activation let x through.
template <Activation kActivation, class D, class V>
HWY_ATTR V let_through(D d, V x, V dy, V gain, V offset) {
  if constexpr (kActivation == Activation::kNone) return dy;
  return hn::IfThenElseZero(hn::Gt(hn::MulAdd(x, gain, offset), hn::Zero(d)), dy);
}

struct MomentsBlock {
  Rows rows;
  const float* x;
  const float* origin;
  double* sum;
  double* squares;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto start = hn::LoadU(d, origin + c);
    auto sums = hn::Zero(d);
    auto square_sums = hn::Zero(d);
    for (std::size_t row = 0; row < rows.num_rows; ++row) {
      const auto v = hn::Sub(hn::LoadU(d, x + row * rows.channels + c), start);
      sums = hn::Add(sums, v);
      square_sums = hn::MulAdd(v, v, square_sums);
    }
    add_lanes(d, sums, sum + c);
    add_lanes(d, square_sums, squares + c);
  }
};

template <Activation kActivation>
struct ForwardBlock {
  Rows rows;
  ChannelAffine affine;
  const float* x;
  float* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      const auto v = hn::MulAdd(hn::LoadU(d, x + at), gain, offset);
      hn::StoreU(activated<kActivation>(d, v), d, y + at);
    }
  }
};

template <Activation kActivation>
struct BackwardSumsBlock {
  Rows rows;
  ChannelAffine affine;
  const float* mean;
  const float* x;
  const float* dy;
  double* sum_g;
  double* sum_gx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, affine.gain + c);
    const auto offset = hn::LoadU(d, affine.offset + c);
    const auto center = hn::LoadU(d, mean + c);
    auto sums = hn::Zero(d);
    auto product_sums = hn::Zero(d);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      const auto v = hn::LoadU(d, x + at);
      const auto g = let_through<kActivation>(d, v, hn::LoadU(d, dy + at), gain, offset);
      sums = hn::Add(sums, g);
      product_sums = hn::MulAdd(g, hn::Sub(v, center), product_sums);
    }
    add_lanes(d, sums, sum_g + c);
    add_lanes(d, product_sums, sum_gx + c);
  }
};

template <Activation kActivation>
struct BackwardBlock {
  Rows rows;
  ChannelBackward constants;
  const float* x;
  const float* dy;
  float* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t c) const {
    const auto gain = hn::LoadU(d, constants.forward.gain + c);
    const auto offset = hn::LoadU(d, constants.forward.offset + c);
    const auto slope = hn::LoadU(d, constants.slope + c);
    const auto level = hn::LoadU(d, constants.level + c);
    for (std::size_t at = c; at < rows.num_rows * rows.channels; at += rows.channels) {
      const auto v = hn::LoadU(d, x + at);
      const auto g = let_through<kActivation>(d, v, hn::LoadU(d, dy + at), gain, offset);
      hn::StoreU(hn::MulAdd(gain, g, hn::MulAdd(slope, v, level)), d, dx + at);
    }
  }
};

struct ReluBlock {
  const float* x;
  float* y;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    hn::StoreU(activated<Activation::kRelu>(d, hn::LoadU(d, x + at)), d, y + at);
  }
};

struct ReluBackwardBlock {
  const float* y;
  const float* dy;
  float* dx;

  template <class D>
  HWY_ATTR void operator()(D d, std::size_t at) const {
    const auto passes = hn::Gt(hn::LoadU(d, y + at), hn::Zero(d));
    hn::StoreU(hn::IfThenElseZero(passes, hn::LoadU(d, dy + at)), d, dx + at);
  }
};

void moments(Rows rows, const float* x, const float* origin, double* sum, double* squares) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    for_channels(rows.channels, MomentsBlock{tile, x + at, origin, sum, squares});
  });
}

template <Activation kActivation>
void forward(Rows rows, ChannelAffine affine, const float* x, float* y) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    for_channels(rows.channels, ForwardBlock<kActivation>{tile, affine, x + at, y + at});
  });
}

template <Activation kActivation>
void backward_sums(Rows rows, ChannelAffine affine, const float* mean, const float* x,
                   const float* dy, double* sum_g, double* sum_gx) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    for_channels(rows.channels, BackwardSumsBlock<kActivation>{tile, affine, mean, x + at, dy + at,
                                                               sum_g, sum_gx});
  });
}

template <Activation kActivation>
void backward(Rows rows, const ChannelBackward& constants, const float* x, const float* dy,
              float* dx) {
  for_tiles(rows, [&](Rows tile, std::size_t at) {
    for_channels(rows.channels,
                 BackwardBlock<kActivation>{tile, constants, x + at, dy + at, dx + at});
  });
}

void forward_plain(Rows rows, ChannelAffine affine, const float* x, float* y) {
  forward<Activation::kNone>(rows, affine, x, y);
}
void forward_relu(Rows rows, ChannelAffine affine, const float* x, float* y) {
  forward<Activation::kRelu>(rows, affine, x, y);
}
void sums_plain(Rows rows, ChannelAffine affine, const float* mean, const float* x, const float* dy,
                double* sum_g, double* sum_gx) {
  backward_sums<Activation::kNone>(rows, affine, mean, x, dy, sum_g, sum_gx);
}
void sums_relu(Rows rows, ChannelAffine affine, const float* mean, const float* x, const float* dy,
               double* sum_g, double* sum_gx) {
  backward_sums<Activation::kRelu>(rows, affine, mean, x, dy, sum_g, sum_gx);
}
void backward_plain(Rows rows, const ChannelBackward& constants, const float* x, const float* dy,
                    float* dx) {
  backward<Activation::kNone>(rows, constants, x, dy, dx);
}
void backward_relu(Rows rows, const ChannelBackward& constants, const float* x, const float* dy,
                   float* dx) {
  backward<Activation::kRelu>(rows, constants, x, dy, dx);
}

// Without a constant per channel, all values are one row.
void relu_values(std::size_t count, const float* x, float* y) {
  for_channels(count, ReluBlock{x, y});
}
void relu_gradients(std::size_t count, const float* y, const float* dy, float* dx) {
  for_channels(count, ReluBackwardBlock{y, dy, dx});
}

}  // namespace HWY_NAMESPACE
}  // namespace penstock::train::onednn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace penstock::train::onednn {

HWY_EXPORT(moments);
HWY_EXPORT(forward_plain);
HWY_EXPORT(forward_relu);
HWY_EXPORT(sums_plain);
HWY_EXPORT(sums_relu);
HWY_EXPORT(backward_plain);
HWY_EXPORT(backward_relu);
HWY_EXPORT(relu_values);
HWY_EXPORT(relu_gradients);

void add_moments(Rows rows, const float* x, const float* origin, double* sum, double* squares) {
  HWY_DYNAMIC_DISPATCH(moments)(rows, x, origin, sum, squares);
}

void affine_forward(Rows rows, Activation activation, ChannelAffine affine, const float* x,
                    float* y) {
  if (activation == Activation::kRelu) {
    HWY_DYNAMIC_DISPATCH(forward_relu)(rows, affine, x, y);
  } else {
    HWY_DYNAMIC_DISPATCH(forward_plain)(rows, affine, x, y);
  }
}

void add_backward_sums(Rows rows, Activation activation, ChannelAffine affine, const float* mean,
                       const float* x, const float* dy, double* sum_g, double* sum_gx) {
  if (activation == Activation::kRelu) {
    HWY_DYNAMIC_DISPATCH(sums_relu)(rows, affine, mean, x, dy, sum_g, sum_gx);
  } else {
    HWY_DYNAMIC_DISPATCH(sums_plain)(rows, affine, mean, x, dy, sum_g, sum_gx);
  }
}

void affine_backward(Rows rows, Activation activation, const ChannelBackward& constants,
                     const float* x, const float* dy, float* dx) {
  if (activation == Activation::kRelu) {
    HWY_DYNAMIC_DISPATCH(backward_relu)(rows, constants, x, dy, dx);
  } else {
    HWY_DYNAMIC_DISPATCH(backward_plain)(rows, constants, x, dy, dx);
  }
}

void relu_forward(std::size_t count, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(relu_values)(count, x, y);
}

void relu_backward(std::size_t count, const float* y, const float* dy, float* dx) {
  HWY_DYNAMIC_DISPATCH(relu_gradients)(count, y, dy, dx);
}

}  // namespace penstock::train::onednn
#endif
