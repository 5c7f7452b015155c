// The passes of a layer of weights as products of a library, whatever the problem is.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "train/backend/cuda/device_lowering.h"
#include "train/backend/cuda/product_library.h"

namespace penstock::train::cuda {

/// Those that a pass reads and writes.
struct ProductBuffers {
  BufferId x = kNoBuffer;
  BufferId w = kNoBuffer;
  BufferId dy = kNoBuffer;
  BufferId bias = kNoBuffer;
  BufferId scale = kNoBuffer;
  std::size_t shift_offset_bytes = 0;  // behind the scale
  BufferId result = kNoBuffer;
  BufferId sums = kNoBuffer;
};

/// Problem: ConvolutionProblem or DenseProblem.
template <class Problem>
class ProductPasses {
 public:
  /// Of the layer `node`, whose name is `name`.
  ProductPasses(std::string name, NodeId node) : name_(std::move(name)), node_(node) {}

  void set(const Problem& problem) { problem_ = problem; }
  const Problem& problem() const { return problem_; }
  /// What computes a pass in the place of what the library finds for the problem.
  void set_extra(ProductPass pass, std::shared_ptr<Product> extra) {
    extras_[pass] = std::move(extra);
  }

  void emit(DeviceLowering& context, ProductPass pass, const ProductBuffers& of) {
    const std::shared_ptr<Product> product = product_of(context, pass);
    const std::size_t bytes = product->workspace_bytes();
    BufferId workspace = kNoBuffer;
    if (bytes > 0) workspace = context.add_workspace(name_ + suffix_of(pass), bytes);
    context.emit_product({of.x, of.dy, of.scale, of.result, of.sums, workspace},
                         {node_, layer_pass_of(pass)}, [=, &list = context.buffers](Stream stream) {
                           const auto* const scale = list.at<std::byte>(of.scale);
                           return product->run(
                               {.x = list.at<void>(of.x),
                                .w = list.at<void>(of.w),
                                .dy = list.at<void>(of.dy),
                                .bias = list.at<void>(of.bias),
                                .scale = scale,
                                .shift = scale == nullptr ? nullptr : scale + of.shift_offset_bytes,
                                .result = list.at<void>(of.result),
                                .sums = list.at<float>(of.sums)},
                               list.at<void>(workspace), stream);
                         });
    plan_names_ += (plan_names_.empty() ? "" : " / ") + product->name();
  }

  std::string explain() const { return plan_names_; }

 private:
  std::shared_ptr<Product> product_of(DeviceLowering& context, ProductPass pass) {
    if (const auto extra = extras_.find(pass); extra != extras_.end()) return extra->second;
    Problem problem = problem_;
    problem.pass = pass;
    if (pass != ProductPass::kForward) problem.has_bias = false;
    if (pass != ProductPass::kWeightGradient) problem.has_float32_result = false;
    return context.products.find(problem, context.plan_limits);
  }

  static LayerPass layer_pass_of(ProductPass pass) {
    return pass == ProductPass::kForward        ? LayerPass::kForward
           : pass == ProductPass::kDataGradient ? LayerPass::kBackward
                                                : LayerPass::kWeightGradient;
  }

  static const char* suffix_of(ProductPass pass) {
    return pass == ProductPass::kForward        ? ".forward"
           : pass == ProductPass::kDataGradient ? ".data"
                                                : ".weights";
  }

  std::string name_;
  NodeId node_;
  Problem problem_{};
  std::map<ProductPass, std::shared_ptr<Product>> extras_;
  std::string plan_names_;
};

}  // namespace penstock::train::cuda
