// Vector kernels of y = relu(x * gain + offset + residual), the end of a residual block. Rows, constants,
// types and threads as in nhwc_kernels.h.
#pragma once

#include "train/backend/onednn/nhwc_kernels.h"

namespace penstock::train::onednn {

/// y may be residual.
void residual_forward(Rows rows, ChannelAffine affine, const float* x, const float* residual,
                      float* y);
void residual_forward(Rows rows, ChannelAffine affine, const Bfloat16* x, const Bfloat16* residual,
                      Bfloat16* y);

/// Writes g, dy where y let it through, and adds to sum_g[c] and sum_gx[c] the sums of g and of
/// g * (x - mean[c]). g may be dy.
void residual_gradient_sums(Rows rows, const float* mean, const float* x, const float* y,
                            const float* dy, float* g, double* sum_g, double* sum_gx);
void residual_gradient_sums(Rows rows, const float* mean, const Bfloat16* x, const Bfloat16* y,
                            const Bfloat16* dy, Bfloat16* g, double* sum_g, double* sum_gx);

}  // namespace penstock::train::onednn
