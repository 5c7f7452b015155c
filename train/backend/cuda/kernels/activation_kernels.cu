#include "train/backend/cuda/kernels/activation_kernels.h"

#include "train/backend/cuda/kernels/activation_math.h"
#include "train/backend/cuda/kernels/value_map.h"

namespace penstock::train::cuda {
namespace {

template <class Policy>
struct ForwardMap {
  Policy activation;
  template <unsigned kValues>
  __device__ void operator()(float (&values)[1][kValues]) const {
    activation.forward(values[0]);
  }
};

/// From dy and x.
template <class Policy>
struct BackwardMap {
  Policy activation;
  template <unsigned kValues>
  __device__ void operator()(float (&values)[2][kValues]) const {
    activation.backward(values[1], values[0]);
  }
};

}  // namespace

DeviceStatus activation_forward(const ActivationForward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    const MapArrays<T, 1> arrays{
        .count = args.count, .in = {static_cast<const T*>(args.x)}, .out = static_cast<T*>(args.y)};
    return with_activation(args.activation, [&]<class Policy>(Policy policy) {
      return map_values("activation_forward", arrays, ForwardMap<Policy>{policy}, stream);
    });
  });
}

DeviceStatus activation_backward(const ActivationBackward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    const MapArrays<T, 2> arrays{
        .count = args.count,
        .in = {static_cast<const T*>(args.dy), static_cast<const T*>(args.x)},
        .out = static_cast<T*>(args.dx)};
    return with_activation(args.activation, [&]<class Policy>(Policy policy) {
      return map_values("activation_backward", arrays, BackwardMap<Policy>{policy}, stream);
    });
  });
}

}  // namespace penstock::train::cuda
