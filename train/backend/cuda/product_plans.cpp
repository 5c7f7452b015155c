#include "train/backend/cuda/product_plans.h"

namespace penstock::train::cuda {
namespace {

const char* pass_name(ProductPass pass) {
  switch (pass) {
    case ProductPass::kForward:
      return "forward";
    case ProductPass::kDataGradient:
      return "data_gradient";
    case ProductPass::kWeightGradient:
      break;
  }
  return "weight_gradient";
}

const char* type_name(ValueType type, bool may_use_tf32) {
  switch (type) {
    case ValueType::kFloat16:
      return "f16";
    case ValueType::kBfloat16:
      return "bf16";
    case ValueType::kFloat32:
      break;
  }
  return may_use_tf32 ? "tf32" : "f32";
}

std::string text(std::uint32_t number) {
  return std::to_string(number);
}

std::string text(Extent extent) {
  return text(extent.rows) + "x" + text(extent.cols);
}

template <class Problem>
std::string head_of(const char* kind, const Problem& problem) {
  return std::string(kind) + " " + pass_name(problem.pass) + " " +
         type_name(problem.type, problem.may_use_tf32);
}

template <class Problem>
std::string tail_of(const Problem& problem) {
  return std::string(problem.has_bias ? " bias" : "") +
         (problem.has_float32_result ? " to_f32" : "");
}

std::uint32_t places(std::uint32_t side, std::uint32_t padding, std::uint32_t kernel,
                     std::uint32_t stride, std::uint32_t dilation) {
  const std::uint64_t padded = std::uint64_t{side} + padding;
  const std::uint64_t window = std::uint64_t{dilation} * (kernel - 1) + 1;
  if (kernel == 0 || stride == 0 || padded < window) return 0;
  return static_cast<std::uint32_t>((padded - window) / stride + 1);
}

}  // namespace

Extent ConvolutionProblem::output() const noexcept {
  const Window& w = window;
  return {places(height, w.pad_top + w.pad_bottom, w.kernel.rows, w.stride.rows, w.dilation.rows),
          places(width, w.pad_left + w.pad_right, w.kernel.cols, w.stride.cols, w.dilation.cols)};
}

ConvolutionProblem ConvolutionProblem::alone() const noexcept {
  ConvolutionProblem problem = *this;
  problem.has_norm_relu = false;
  problem.has_statistics = false;
  return problem;
}

std::string ConvolutionProblem::key() const {
  const Window& w = window;
  return head_of("conv", *this) + " " + text(batch) + "x" + text(height) + "x" + text(width) + "x" +
         text(in_channels) + " k" + text(filters) + " g" + text(groups) + " w" + text(w.kernel) +
         " s" + text(w.stride) + " d" + text(w.dilation) + " p" + text(w.pad_top) + "." +
         text(w.pad_left) + "." + text(w.pad_bottom) + "." + text(w.pad_right) + tail_of(*this) +
         (has_norm_relu ? " norm_relu" : "") + (has_statistics ? " statistics" : "");
}

std::string DenseProblem::key() const {
  return head_of("dense", *this) + " " + text(rows) + "x" + text(inputs) + " u" + text(units) +
         tail_of(*this);
}

}  // namespace penstock::train::cuda
