// The kernels of nhwc_kernels.h for one instruction set and one type of values. Private to nhwc_kernels.cpp,
// which is compiled once for every instruction set.
#pragma once

#include "train/backend/onednn/nhwc_kernels.h"

namespace penstock::train::onednn {

template <class T>
struct NhwcKernels {
  void (*moments)(Rows, const T* x, const T* origin, double* sum, double* squares);
  void (*forward)(Rows, const Activation&, ChannelAffine, const T* x, T* y);
  void (*backward_sums)(Rows, const Activation&, ChannelAffine, const float* mean, const T* x,
                        const T* dy, double* sum_g, double* sum_gx);
  void (*backward)(Rows, const Activation&, const ChannelBackward&, const T* x, const T* dy, T* dx);
  void (*relu)(std::size_t count, const T* x, T* y);
  void (*relu_gradient)(std::size_t count, const T* y, const T* dy, T* dx);
  void (*sums)(std::size_t count, const T* a, const T* b, T* sum);
  void (*means)(Rows, const T* x, T* mean);
  void (*spread_gradient)(Rows, const T* dmean, T* dx);
};

}  // namespace penstock::train::onednn
