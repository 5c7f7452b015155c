// A backend with a few programs of one graph and made-up batches, for tests of train/backend.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "train/backend/backend.h"
#include "train/backend/bfloat16.h"

namespace penstock::train {

/// A batch in the test's own memory, handed out as a lease that owns nothing.
class ToyBatch {
 public:
  ToyBatch(const BatchSpec& spec, std::uint32_t num_classes, unsigned seed)
      : spec_(spec),
        values_(spec.batch * num_pixels() * spec.channels),
        labels_(spec.batch),
        weights_(spec.batch, 1.0f) {
    // One picture per (seed, sample), the same whatever the layout.
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (std::size_t n = 0; n < spec.batch; ++n) {
      for (std::size_t c = 0; c < spec.channels; ++c) {
        for (std::size_t i = 0; i < num_pixels(); ++i) values_[place(n, c, i)] = normal(random);
      }
      labels_[n] = static_cast<std::uint32_t>(random() % num_classes);
    }
  }

  std::vector<std::uint32_t>& labels() { return labels_; }
  std::vector<float>& weights() { return weights_; }
  std::vector<float>& values() { return values_; }
  /// Gives every sample one target a class, [batch, classes], beside its label.
  void set_targets(std::vector<float> targets) {
    targets_ = std::move(targets);
    spec_.label_form = LabelForm::kTargets;
    spec_.num_targets = static_cast<std::uint32_t>(targets_.size() / spec_.batch);
  }
  std::size_t place(std::size_t n, std::size_t c, std::size_t i) const {
    return spec_.layout == PixelLayout::kNchw ? (n * spec_.channels + c) * num_pixels() + i
                                              : (n * num_pixels() + i) * spec_.channels + c;
  }

  BatchLease lease() const {
    struct NoOwner : LeaseOwner {
      void give_back(std::uint32_t) noexcept override {}
    };
    BatchView view;
    view.spec = &spec_;
    view.pixels = reinterpret_cast<const std::byte*>(values_.data());
    if (spec_.element == ElementType::kBfloat16) {
      rounded_.clear();
      for (const float value : values_) rounded_.push_back(rounded_to<Bfloat16>(value));
      view.pixels = reinterpret_cast<const std::byte*>(rounded_.data());
    }
    view.class_idx = labels_;
    view.weights = weights_;
    view.targets = targets_;
    view.num_valid = spec_.batch;
    return {view, std::make_shared<NoOwner>(), 0};
  }

  float inv_weight_sum(std::uint32_t first = UINT32_MAX) const {
    float sum = 0;
    for (std::size_t n = 0; n < std::min<std::size_t>(first, labels_.size()); ++n) {
      if (labels_[n] != kUnlabelled) sum += weights_[n];
    }
    return 1.0f / sum;
  }

 private:
  std::size_t num_pixels() const { return std::size_t{spec_.height_px} * spec_.width_px; }

  BatchSpec spec_;
  std::vector<float> values_;
  mutable std::vector<Bfloat16> rounded_;  // as a batch of bfloat16 has them, while it is lent
  std::vector<std::uint32_t> labels_;
  std::vector<float> weights_;
  std::vector<float> targets_;
};

/// Random shares that sum up to 1 in each sample.
inline std::vector<float> soft_targets(std::size_t batch, std::size_t num_classes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> targets(batch * num_classes);
  for (std::size_t n = 0; n < batch; ++n) {
    const float share = std::uniform_real_distribution<float>(0, 1)(random);
    targets[n * num_classes + random() % num_classes] += share;
    targets[n * num_classes + random() % num_classes] += 1 - share;
  }
  return targets;
}

/// Programs of one graph, bound into one arena, with initial parameters, or, without a seed, none yet.
class Bench {
 public:
  Bench(std::unique_ptr<Backend> backend, const ModelGraph& graph, std::vector<Lowering> lowerings,
        std::optional<std::uint64_t> seed = 3)
      : backend_(std::move(backend)), graph_(graph) {
    for (Lowering& lowering : lowerings) {
      if (!programs_.empty()) lowering.share_with = programs_.front().get();
      programs_.push_back(backend_->lower(graph_, lowering));
    }
    std::vector<Program*> list;
    for (const auto& program : programs_) list.push_back(program.get());
    arena_ = std::make_unique<BoundArena>(*backend_, list, plan_programs(list));
    if (seed) initialize_params(*programs_.front(), graph_, *seed);
  }

  Program& program(std::size_t i = 0) { return *programs_.at(i); }
  Backend& backend() { return *backend_; }
  const ModelGraph& graph() const { return graph_; }

  ToyBatch batch(std::uint32_t size, unsigned seed) const {
    const ComputeType compute = programs_.front()->lowering().compute;
    return {backend_->input_spec(graph_, size, compute), graph_.num_classes(), seed};
  }

  StepReport forward(Program& program, const ToyBatch& batch, StepScalars scalars = {}) {
    backend_->upload(batch.lease(), 0);
    scalars.inv_weight_sum = batch.inv_weight_sum(program.lowering().batch);
    backend_->set_scalars(scalars, 0);
    program.run(Phase::kForward, 0);
    backend_->finish();
    return backend_->poll().value();
  }

  /// The first two phases of a step: gradients can be read until update().
  StepReport forward_and_backward(const ToyBatch& batch, const StepScalars& scalars,
                                  std::size_t which = 0) {
    const StepReport report = forward(program(which), batch, scalars);
    program(which).run(Phase::kBackward, 0);
    return report;
  }
  UpdateReport update(std::size_t which = 0) {
    program(which).run(Phase::kUpdate, 0);
    backend_->finish();
    return backend_->poll_update().value();
  }

  StepReport step(const ToyBatch& batch, const StepScalars& scalars, std::size_t which = 0) {
    const StepReport report = forward_and_backward(batch, scalars, which);
    update(which);
    return report;
  }

  std::vector<float> read(std::size_t param_idx, ParamPart part = ParamPart::kMaster,
                          std::size_t which = 0) {
    std::vector<float> values(graph_.parameters()[param_idx].num_elements());
    program(which).export_param(param_idx, part, values);
    return values;
  }

  std::vector<float> logits(std::size_t which = 0) {
    std::vector<float> values(std::size_t{program(which).lowering().batch} * graph_.num_classes());
    program(which).read_logits(values);
    return values;
  }

 private:
  std::unique_ptr<Backend> backend_;
  ModelGraph graph_;
  std::unique_ptr<BoundArena> arena_;  // outlives the programs
  std::vector<std::unique_ptr<Program>> programs_;
};

/// |a - b| / |b|.
inline double relative_l2(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += d * d;
    size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return size == 0 ? std::sqrt(difference) : std::sqrt(difference / size);
}

}  // namespace penstock::train
