// Vector kernels of layer norm over the channels of one place: each row of x is normalized for itself. Types
// and threads as in nhwc_kernels.h.
#pragma once

#include "train/backend/onednn/nhwc_kernels.h"

namespace penstock::train::onednn {

/// Per-channel constants, and what is added to a variance.
struct RowNorm {
  const float* scale;
  const float* shift;
  float epsilon;
};

/// y = (x - mean) / deviation * scale + shift, with the row's own mean and biased deviation; y may be x.
void layer_norm_forward(Rows rows, const RowNorm& norm, const float* x, float* y);
void layer_norm_forward(Rows rows, const RowNorm& norm, const Bfloat16* x, Bfloat16* y);

/// Where the gradients of scale and shift are added up: float within a run of rows, double over runs.
struct RowNormSums {
  float* of_run;  // scratch, [2][channels]
  double* dscale;
  double* dshift;
};

/// Computes the row's mean and deviation again; dx may be x or dy, or null where nobody needs it.
void layer_norm_backward(Rows rows, const RowNorm& norm, const float* x, const float* dy, float* dx,
                         const RowNormSums& sums);
void layer_norm_backward(Rows rows, const RowNorm& norm, const Bfloat16* x, const Bfloat16* dy,
                         Bfloat16* dx, const RowNormSums& sums);

}  // namespace penstock::train::onednn
