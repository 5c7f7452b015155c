// Vector kernels value by value: activations, and products. Types and threads as in nhwc_kernels.h.
#pragma once

#include "train/backend/onednn/nhwc_kernels.h"

namespace penstock::train::onednn {

/// y may be x.
void activate(const Activation& activation, std::size_t count, const float* x, float* y);
void activate(const Activation& activation, std::size_t count, const Bfloat16* x, Bfloat16* y);

/// dx may be x or dy.
void activation_gradient(const Activation& activation, std::size_t count, const float* x,
                         const float* dy, float* dx);
void activation_gradient(const Activation& activation, std::size_t count, const Bfloat16* x,
                         const Bfloat16* dy, Bfloat16* dx);

/// product may be a or b.
void multiply_values(std::size_t count, const float* a, const float* b, float* product);
void multiply_values(std::size_t count, const Bfloat16* a, const Bfloat16* b, Bfloat16* product);

}  // namespace penstock::train::onednn
