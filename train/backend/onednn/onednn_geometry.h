// What both versions of the primitive functions take: descriptors and windows in oneDNN's terms.
#pragma once

#include <dnnl.hpp>

namespace penstock::train::onednn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

inline constexpr auto kDirect = dnnl::algorithm::convolution_direct;

struct PrimitiveContext {
  dnnl::engine engine;
  dnnl::primitive_attr attr;
};

/// Of a convolution or a dense layer; in backward passes these describe the gradients. `bias` is
/// empty where there is none.
struct WeightedDescs {
  Desc src;
  Desc weights;
  Desc bias;
  Desc dst;
};

/// `before` and `after` are the padding on each side; `kernel` counts for pooling only, `gaps` between the
/// places of a window for convolutions only.
struct SlidingWindow {
  Dims strides;
  Dims kernel;
  Dims gaps;
  Dims before;
  Dims after;
};

}  // namespace penstock::train::onednn
