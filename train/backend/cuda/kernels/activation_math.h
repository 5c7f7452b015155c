// What activations compute, as policies of kernels that end in one: none and ReLU known to the compiler, any other
// chosen once for each pack of values. Numbers are those of train/backend/reference/activation_reference.h.
#pragma once

#include <cmath>
#include <numbers>
#include <type_traits>

#include "train/backend/cuda/kernels/activation_kernels.h"
#include "train/backend/cuda/kernels/launch.h"
#include "train/loss/sigmoid.h"

namespace penstock::train::cuda {

/// min(max(x + 3, 0), 6) / 6.
__device__ inline float hard_sigmoid(float x) {
  if (x <= -3.0f) return 0.0f;
  return x >= 3.0f ? 1.0f : (x + 3.0f) * (1.0f / 6.0f);
}

/// The normal distribution up to x.
__device__ inline float normal_share(float x) {
  return 0.5f * (1.0f + std::erf(x * (1.0f / std::numbers::sqrt2_v<float>)));
}

/// What is not a number stays so.
template <KernelActivation kKind>
__device__ float activate(float x, [[maybe_unused]] float slope) {
  if constexpr (kKind == KernelActivation::kRelu) return x < 0.0f ? 0.0f : x;
  if constexpr (kKind == KernelActivation::kRelu6) return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
  if constexpr (kKind == KernelActivation::kLeakyRelu) return x < 0.0f ? slope * x : x;
  if constexpr (kKind == KernelActivation::kSilu) return x * sigmoid(x);
  if constexpr (kKind == KernelActivation::kHardSwish) return x * hard_sigmoid(x);
  if constexpr (kKind == KernelActivation::kHardSigmoid) return hard_sigmoid(x);
  if constexpr (kKind == KernelActivation::kSigmoid) return sigmoid(x);
  if constexpr (kKind == KernelActivation::kGelu) return x * normal_share(x);
  return x;
}

/// The slope at x; at a corner it is PyTorch's.
template <KernelActivation kKind>
__device__ float slope_at(float x, [[maybe_unused]] float slope) {
  if constexpr (kKind == KernelActivation::kRelu) return x > 0.0f ? 1.0f : 0.0f;
  if constexpr (kKind == KernelActivation::kRelu6) return x > 0.0f && x < 6.0f ? 1.0f : 0.0f;
  if constexpr (kKind == KernelActivation::kLeakyRelu) return x > 0.0f ? 1.0f : slope;
  if constexpr (kKind == KernelActivation::kSilu) {
    const float s = sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
  }
  if constexpr (kKind == KernelActivation::kHardSwish) {
    if (x <= -3.0f) return 0.0f;
    return x >= 3.0f ? 1.0f : (2.0f * x + 3.0f) * (1.0f / 6.0f);
  }
  if constexpr (kKind == KernelActivation::kHardSigmoid) {
    return x > -3.0f && x < 3.0f ? 1.0f / 6.0f : 0.0f;
  }
  if constexpr (kKind == KernelActivation::kSigmoid) {
    const float s = sigmoid(x);
    return s * (1.0f - s);
  }
  if constexpr (kKind == KernelActivation::kGelu) {
    constexpr float kPeak = std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
    return normal_share(x) + x * std::exp(-0.5f * x * x) * kPeak;
  }
  return 1.0f;
}

/// Calls use(constant of the kind).
template <class Use>
__device__ void with_kind(KernelActivation kind, Use&& use) {
  using Kind = KernelActivation;
  switch (kind) {
    case Kind::kRelu:
      return use(std::integral_constant<Kind, Kind::kRelu>{});
    case Kind::kRelu6:
      return use(std::integral_constant<Kind, Kind::kRelu6>{});
    case Kind::kLeakyRelu:
      return use(std::integral_constant<Kind, Kind::kLeakyRelu>{});
    case Kind::kSilu:
      return use(std::integral_constant<Kind, Kind::kSilu>{});
    case Kind::kHardSwish:
      return use(std::integral_constant<Kind, Kind::kHardSwish>{});
    case Kind::kHardSigmoid:
      return use(std::integral_constant<Kind, Kind::kHardSigmoid>{});
    case Kind::kSigmoid:
      return use(std::integral_constant<Kind, Kind::kSigmoid>{});
    case Kind::kGelu:
      return use(std::integral_constant<Kind, Kind::kGelu>{});
    case Kind::kNone:
      return use(std::integral_constant<Kind, Kind::kNone>{});
  }
}

/// forward: z becomes activation(z). backward: the gradient becomes that of z.
struct NoActivation {
  template <unsigned kValues>
  __device__ void forward(float (&)[kValues]) const {}
  template <unsigned kValues>
  __device__ void backward(const float (&)[kValues], float (&)[kValues]) const {}
};

struct ReluActivation {
  template <unsigned kValues>
  __device__ void forward(float (&z)[kValues]) const {
    for (float& value : z) value = activate<KernelActivation::kRelu>(value, 0);
  }
  template <unsigned kValues>
  __device__ void backward(const float (&z)[kValues], float (&gradient)[kValues]) const {
    for (unsigned i = 0; i < kValues; ++i) {
      gradient[i] *= slope_at<KernelActivation::kRelu>(z[i], 0);
    }
  }
};

struct AnyActivation {
  Activation activation;

  template <unsigned kValues>
  __device__ void forward(float (&z)[kValues]) const {
    with_kind(activation.kind, [&](auto kind) {
      for (float& value : z) value = activate<decltype(kind)::value>(value, activation.slope);
    });
  }
  template <unsigned kValues>
  __device__ void backward(const float (&z)[kValues], float (&gradient)[kValues]) const {
    with_kind(activation.kind, [&](auto kind) {
      for (unsigned i = 0; i < kValues; ++i) {
        gradient[i] *= slope_at<decltype(kind)::value>(z[i], activation.slope);
      }
    });
  }
};

/// Calls use(policy), on the host.
template <class Use>
DeviceStatus with_activation(const Activation& activation, Use&& use) {
  if (activation.kind == KernelActivation::kNone) return use(NoActivation{});
  if (activation.kind == KernelActivation::kRelu) return use(ReluActivation{});
  return use(AnyActivation{activation});
}

}  // namespace penstock::train::cuda
