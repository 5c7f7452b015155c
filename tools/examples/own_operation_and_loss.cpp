// An operation and a loss of one's own in a network: softplus between two layers, and the Huber loss on the
// scores. Neither is known to the library.
//
//     own_operation_and_loss [EPOCHS]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "drawn_batches.h"
#include "train/train.h"

namespace {

using namespace penstock;
using namespace penstock::train;

// y = ln(1 + e^x), element by element.
class Softplus final : public CustomOperation {
 public:
  std::string name() const override { return "softplus"; }
  TensorShape output_shape(std::span<const TensorShape> inputs) const override {
    return inputs.front();
  }
  std::uint64_t forward_flops(std::span<const TensorShape> inputs) const override {
    return 3 * inputs.front().num_elements();
  }
  void forward(const CustomTensors& tensors, float* y) const override {
    const float* x = tensors.inputs.front();
    for (std::size_t i = 0; i < count(tensors); ++i) {
      y[i] = std::max(x[i], 0.0f) + std::log1p(std::exp(-std::abs(x[i])));
    }
  }
  void backward(const CustomTensors& tensors, const float* dy, std::span<float* const> dx,
                std::span<float* const>) const override {
    if (dx.front() == nullptr) return;  // nobody needs it
    const float* x = tensors.inputs.front();
    for (std::size_t i = 0; i < count(tensors); ++i) {
      dx.front()[i] += dy[i] / (1.0f + std::exp(-x[i]));
    }
  }

 private:
  static std::size_t count(const CustomTensors& tensors) {
    return tensors.batch * tensors.input_shapes.front().num_elements();
  }
};

// The mean over scores of e^2 / 2 up to |e| = 1, of |e| - 1/2 beyond; e to 1 at the label and to 0 elsewhere.
class HuberLoss final : public CustomLoss {
 public:
  std::string name() const override { return "huber"; }
  double value(std::span<const double> scores, const TargetRow& target) const override {
    double sum = 0;
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const double size = std::abs(scores[k] - target.at<double>(k));
      sum += size <= 1 ? size * size / 2 : size - 0.5;
    }
    return sum / static_cast<double>(scores.size());
  }
  void gradient(std::span<const double> scores, const TargetRow& target,
                std::span<double> by_scores) const override {
    for (std::size_t k = 0; k < scores.size(); ++k) {
      by_scores[k] = std::clamp(scores[k] - target.at<double>(k), -1.0, 1.0) /
                     static_cast<double>(scores.size());
    }
  }
  bool is_correct(std::span<const double> scores, const TargetRow& target) const override {
    const auto best = std::ranges::max_element(scores) - scores.begin();
    return static_cast<std::size_t>(best) == target.top_class();
  }
};

ModelGraph network() {
  ModelGraph graph("own", {.channels = 1, .height = 8, .width = 8});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 4});
  const NodeId from[] = {x};
  x = graph.custom("softplus", from, std::make_shared<Softplus>());
  x = graph.flatten("flatten", x);
  graph.set_output(graph.dense("head", x, {.units = 2}));
  return graph;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::uint32_t num_epochs = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 3;
  constexpr std::uint32_t kBatch = 16;
  constexpr std::uint64_t kSteps = 40;
  const ModelGraph graph = network();
  const auto backend = make_backend("onednn");
  const OptimizerConfig optimizer = OptimizerConfig::of(OptimizerKind::kAdam);
  ProgramSet programs(
      *backend, graph,
      {.train_batch = kBatch,
       .evaluation_batch = 0,
       .optimizer = optimizer,
       .loss = {.kind = LossKind::kCustom, .custom = std::make_shared<HuberLoss>()}});
  programs.bind();
  initialize_params(programs.any_program(), graph, 1);
  DrawnBatches batches(backend->input_spec(graph, kBatch),
                       {.num_batches = kSteps, .num_epochs = num_epochs});
  Trainer trainer(
      programs,
      {.optimizer = optimizer, .num_steps = kSteps * num_epochs, .steps_per_epoch = kSteps});
  for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
    const PassReport report =
        trainer.train_epoch({.source = batches, .num_samples = kSteps * kBatch});
    std::printf("epoch %u: loss %.4f, right %.3f\n", epoch, report.totals.loss(),
                report.totals.top1());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
