#include "tests/train/backend/cuda/stand_in/plain_loops.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace penstock::tests {

using train::cuda::ConvolutionProblem;
using train::cuda::DenseProblem;
using train::cuda::ProductOperands;
using train::cuda::ProductPass;
using train::cuda::ValueType;

double value_at(ValueType type, const void* values, std::size_t i) {
  switch (type) {
    case ValueType::kFloat16:
      return __half2float(static_cast<const __half*>(values)[i]);
    case ValueType::kBfloat16:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(values)[i]);
    case ValueType::kFloat32:
      break;
  }
  return static_cast<const float*>(values)[i];
}

void set_value(ValueType type, void* values, std::size_t i, double value) {
  const auto rounded = static_cast<float>(value);
  switch (type) {
    case ValueType::kFloat16:
      static_cast<__half*>(values)[i] = __float2half_rn(rounded);
      return;
    case ValueType::kBfloat16:
      static_cast<__nv_bfloat16*>(values)[i] = __float2bfloat16_rn(rounded);
      return;
    case ValueType::kFloat32:
      break;
  }
  static_cast<float*>(values)[i] = rounded;
}

namespace {

/// Calls visit(y, w, x) with the element numbers of every product that a convolution adds up.
template <class Visit>
void for_each_product(const ConvolutionProblem& p, const Visit& visit) {
  const std::size_t group_in = p.in_channels / p.groups;
  const std::size_t group_out = p.filters / p.groups;
  const train::Window& w = p.window;
  const train::Extent out = p.output();
  for (std::size_t n = 0; n < p.batch; ++n) {
    for (std::size_t row = 0; row < out.rows; ++row) {
      for (std::size_t col = 0; col < out.cols; ++col) {
        for (std::size_t kr = 0; kr < w.kernel.rows; ++kr) {
          for (std::size_t kc = 0; kc < w.kernel.cols; ++kc) {
            const std::size_t in_row = row * w.stride.rows + kr * w.dilation.rows - w.pad_top;
            const std::size_t in_col = col * w.stride.cols + kc * w.dilation.cols - w.pad_left;
            if (in_row >= p.height || in_col >= p.width) continue;  // wrapped around below 0
            for (std::size_t k = 0; k < p.filters; ++k) {
              for (std::size_t c = 0; c < group_in; ++c) {
                visit(((n * out.rows + row) * out.cols + col) * p.filters + k,
                      ((k * w.kernel.rows + kr) * w.kernel.cols + kc) * group_in + c,
                      ((n * p.height + in_row) * p.width + in_col) * p.in_channels +
                          k / group_out * group_in + c);
              }
            }
          }
        }
      }
    }
  }
}

/// relu(x * scale + shift), in float32 as scale and shift are given.
std::vector<double> normed(const ConvolutionProblem& p, const ProductOperands& operands,
                           std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t c = i % p.in_channels;
    const double scaled = value_at(p.type, operands.x, i) * value_at(p.type, operands.scale, c);
    values[i] = std::max(0.0, scaled + value_at(p.type, operands.shift, c));
  }
  return values;
}

void take_statistics(const ConvolutionProblem& p, const std::vector<double>& y, float* sums) {
  std::vector<double> totals(2 * std::size_t{p.filters});
  for (std::size_t i = 0; i < y.size(); ++i) {
    totals[i % p.filters] += y[i];
    totals[p.filters + i % p.filters] += y[i] * y[i];
  }
  for (std::size_t i = 0; i < totals.size(); ++i) sums[i] = static_cast<float>(totals[i]);
}

}  // namespace

void convolve(const ConvolutionProblem& p, const ProductOperands& operands) {
  const train::Extent out = p.output();
  const std::size_t num_x = std::size_t{p.batch} * p.height * p.width * p.in_channels;
  const std::size_t num_y = std::size_t{p.batch} * out.rows * out.cols * p.filters;
  const std::size_t num_w = std::size_t{p.filters} * p.window.kernel.rows * p.window.kernel.cols *
                            (p.in_channels / p.groups);
  const auto at = [&](const void* values, std::size_t i) { return value_at(p.type, values, i); };
  std::vector<double> sums(p.pass == ProductPass::kForward        ? num_y
                           : p.pass == ProductPass::kDataGradient ? num_x
                                                                  : num_w);
  if (p.has_bias) {
    for (std::size_t y = 0; y < num_y; ++y) sums[y] = at(operands.bias, y % p.filters);
  }
  const std::vector<double> x_values =
      p.has_norm_relu ? normed(p, operands, num_x) : std::vector<double>();
  const auto x_at = [&](std::size_t x) {
    return p.has_norm_relu ? x_values[x] : at(operands.x, x);
  };
  for_each_product(p, [&](std::size_t y, std::size_t w, std::size_t x) {
    switch (p.pass) {
      case ProductPass::kForward:
        sums[y] += x_at(x) * at(operands.w, w);
        return;
      case ProductPass::kDataGradient:
        sums[x] += at(operands.dy, y) * at(operands.w, w);
        return;
      case ProductPass::kWeightGradient:
        sums[w] += at(operands.dy, y) * x_at(x);
        return;
    }
  });
  for (std::size_t i = 0; i < sums.size(); ++i) set_value(p.type, operands.result, i, sums[i]);
  if (p.has_statistics) take_statistics(p, sums, operands.sums);
}

void multiply(const DenseProblem& p, const ProductOperands& operands) {
  const auto at = [&](const void* values, std::size_t i) { return value_at(p.type, values, i); };
  const std::size_t in = p.inputs;
  const std::size_t out = p.units;
  std::vector<double> sums(p.pass == ProductPass::kForward        ? p.rows * out
                           : p.pass == ProductPass::kDataGradient ? p.rows * in
                                                                  : out * in);
  for (std::size_t n = 0; n < p.rows; ++n) {
    for (std::size_t o = 0; o < out; ++o) {
      if (p.pass == ProductPass::kForward && p.has_bias) {
        sums[n * out + o] = at(operands.bias, o);
      }
      for (std::size_t i = 0; i < in; ++i) {
        if (p.pass == ProductPass::kForward) {
          sums[n * out + o] += at(operands.x, n * in + i) * at(operands.w, o * in + i);
        } else if (p.pass == ProductPass::kDataGradient) {
          sums[n * in + i] += at(operands.dy, n * out + o) * at(operands.w, o * in + i);
        } else {
          sums[o * in + i] += at(operands.dy, n * out + o) * at(operands.x, n * in + i);
        }
      }
    }
  }
  const ValueType result = p.has_float32_result ? ValueType::kFloat32 : p.type;
  for (std::size_t i = 0; i < sums.size(); ++i) set_value(result, operands.result, i, sums[i]);
}

}  // namespace penstock::tests
