// A backend whose memory the host cannot read: it only writes down what it is asked to do. With it
// the loop is tested without any arithmetic.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "train/backend/backend.h"

namespace penstock::train::tests {

struct RecordedCall {
  std::string what;  // "upload", "forward", "backward", "backward_add", "update", "drop", "release"
  std::uint32_t batch = 0;  // of the program; 0 of what is asked of the backend
  Mode mode = Mode::kTrain;
  StepScalars scalars;
};

class RecordingBackend final : public Backend {
 public:
  std::vector<RecordedCall> calls;
  std::vector<Lowering> lowerings;
  std::deque<StepReport> reports;
  std::deque<UpdateReport> updates;
  /// The first step whose loss is no number, and how many follow it.
  std::uint64_t infinite_step = UINT64_MAX;
  std::uint64_t num_infinite_steps = 1;
  /// Or only their gradients are none.
  bool are_infinite_losses = true;
  /// The mode in which it is none.
  Mode infinite_mode = Mode::kTrain;

  std::string_view name() const noexcept override { return "recording"; }
  std::string description() const override { return "recording"; }
  BatchSpec input_spec(const ModelGraph&, std::uint32_t batch,
                       ComputeType = ComputeType::kFloat32) const override {
    return {.batch = batch, .height_px = 1, .width_px = 1};
  }
  std::unique_ptr<Program> lower(const ModelGraph& graph, const Lowering& lowering) override;
  std::unique_ptr<DeviceMemory> allocate(std::size_t bytes) override;
  void upload(BatchLease lease, std::uint32_t) override {
    lease_ = std::move(lease);
    calls.push_back({.what = "upload", .scalars = scalars_});
  }
  void set_scalars(const StepScalars& scalars, std::uint32_t) override { scalars_ = scalars; }
  void release(std::uint32_t) override {
    lease_.release();
    calls.push_back({.what = "release", .scalars = scalars_});
  }
  const BatchLease& lease() const noexcept { return lease_; }
  const StepScalars& scalars() const noexcept { return scalars_; }

  std::optional<StepReport> poll() override {
    if (reports.empty()) return std::nullopt;
    const StepReport report = reports.front();
    reports.pop_front();
    return report;
  }
  std::optional<UpdateReport> poll_update() override {
    if (updates.empty()) return std::nullopt;
    const UpdateReport update = updates.front();
    updates.pop_front();
    return update;
  }
  bool is_finite(std::uint64_t step, Mode mode) const {
    return mode != infinite_mode || step < infinite_step ||
           step - infinite_step >= num_infinite_steps;
  }
  void finish() override {}

 private:
  BatchLease lease_;
  StepScalars scalars_;
};

/// Hands out batches whose sample ids are given; class 0, weight 1, pixels null.
class ListedBatches final : public BatchSource {
 public:
  ListedBatches(BatchSpec spec, std::vector<std::vector<std::uint64_t>> batches);

  /// True: the last batch does not say that the epoch ends, and an empty lease follows.
  bool runs_dry = false;

  const BatchSpec& spec() const noexcept override { return spec_; }
  BatchLease next() override;
  SourceStats stats() const override { return {}; }

 private:
  struct Owner final : LeaseOwner {
    void give_back(std::uint32_t) noexcept override {}
  };
  BatchSpec spec_;
  std::vector<std::vector<std::uint64_t>> batches_;
  std::vector<std::uint32_t> class_idx_;
  std::vector<float> weights_;
  std::size_t next_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace penstock::train::tests
