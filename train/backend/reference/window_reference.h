// Walks the window of one output place over its input, leaving out the padding.
#pragma once

#include <cstdint>

#include "train/graph/operations.h"

namespace penstock::train::reference {

/// Calls visit(kernel_row, kernel_col, input_row, input_col) for every place inside the input.
template <class Visit>
void for_each_tap(const Window& window, const TensorShape& input, std::uint32_t out_row,
                  std::uint32_t out_col, Visit&& visit) {
  for (std::uint32_t kr = 0; kr < window.kernel.rows; ++kr) {
    const std::int64_t row = std::int64_t{out_row} * window.stride.rows +
                             std::int64_t{kr} * window.dilation.rows - window.pad_top;
    if (row < 0 || row >= input.height) continue;
    for (std::uint32_t kc = 0; kc < window.kernel.cols; ++kc) {
      const std::int64_t col = std::int64_t{out_col} * window.stride.cols +
                               std::int64_t{kc} * window.dilation.cols - window.pad_left;
      if (col < 0 || col >= input.width) continue;
      visit(kr, kc, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(col));
    }
  }
}

}  // namespace penstock::train::reference
