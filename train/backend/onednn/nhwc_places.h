// Where a value lies in NHWC and in NCHW, for those who move values between the two.
#pragma once

#include <cstddef>

#include "train/backend/onednn/parallel.h"
#include "train/graph/tensor_shape.h"

namespace penstock::train::onednn {

/// Calls visit(index in NHWC, index in NCHW) for every value of `samples` of a batch, in the order of NHWC.
template <class Visit>
void for_each_place(const TensorShape& shape, Range samples, Visit&& visit) {
  const std::size_t area = shape.area();
  for (std::size_t n = samples.begin; n < samples.end; ++n) {
    const std::size_t first = n * shape.num_elements();
    for (std::size_t place = 0; place < area; ++place) {
      for (std::size_t c = 0; c < shape.channels; ++c) {
        visit(first + place * shape.channels + c, first + c * area + place);
      }
    }
  }
}

}  // namespace penstock::train::onednn
