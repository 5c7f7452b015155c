// Activations, value by value.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// The order of ActivationKind (train/graph/operations.h), and none behind it.
enum class KernelActivation : std::uint8_t {
  kRelu,
  kRelu6,
  kLeakyRelu,
  kSilu,
  kHardSwish,
  kHardSigmoid,
  kSigmoid,
  kGelu,
  kNone,
};

/// A value's function, for kernels that end in one.
struct Activation {
  KernelActivation kind = KernelActivation::kNone;
  float slope = 0;  // of kLeakyRelu below 0
};

struct ActivationForward {
  ValueType type;
  std::size_t count;
  Activation activation;
  const void* x;
  void* y;  // may be x
};
DeviceStatus activation_forward(const ActivationForward& args, Stream stream);

/// dx = dy * slope at x.
struct ActivationBackward {
  ValueType type;
  std::size_t count;
  Activation activation;
  const void* x;
  const void* dy;
  void* dx;  // may be dy or x
};
DeviceStatus activation_backward(const ActivationBackward& args, Stream stream);

}  // namespace penstock::train::cuda
