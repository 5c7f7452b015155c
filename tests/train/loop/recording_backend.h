// A backend whose memory the host cannot read: it only writes down what it is asked to do. With it
// the loop is tested without any arithmetic.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "train/backend/backend.h"

namespace penstock::train::tests {

/// RecordingBackend::num_runs_behind that tests try: none, within a step, over a step, more than a pass has.
inline const std::vector<std::uint64_t> kRunsBehind = {0, 1, 5, 1000};

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
  /// Called with every run that was asked for; what it throws, the run throws.
  std::function<void(const RecordedCall&)> on_run = [](const RecordedCall&) {};
  /// Runs that come between a run and its report, as on a device that lags behind.
  std::uint64_t num_runs_behind = 0;
  /// An update, and all before it, finishes between a poll() and the poll_update() after it.
  bool finishes_between_polls = false;
  std::uint64_t num_finishes = 0;
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

  std::optional<StepReport> poll() override { return pop_due(reports_); }
  std::optional<UpdateReport> poll_update() override {
    if (finishes_between_polls && !updates_.empty()) wait();
    return pop_due(updates_);
  }
  bool is_finite(std::uint64_t step, Mode mode) const {
    return mode != infinite_mode || step < infinite_step ||
           step - infinite_step >= num_infinite_steps;
  }
  void finish() override {
    ++num_finishes;
    wait();
  }
  /// Waits for what was asked for so far.
  void wait() { num_finished_ = num_runs_; }
  void begin_run() { ++num_runs_; }
  void report(const StepReport& report) { reports_.push_back({num_runs_, report}); }
  void report(const UpdateReport& update) { updates_.push_back({num_runs_, update}); }

 private:
  template <class Report>
  struct Pending {
    std::uint64_t run = 0;
    Report report;
  };

  template <class Report>
  std::optional<Report> pop_due(std::deque<Pending<Report>>& pending) {
    if (pending.empty()) return std::nullopt;
    const std::uint64_t run = pending.front().run;
    if (run > num_finished_ && run + num_runs_behind > num_runs_) return std::nullopt;
    const Report report = pending.front().report;
    pending.pop_front();
    return report;
  }

  std::deque<Pending<StepReport>> reports_;
  std::deque<Pending<UpdateReport>> updates_;
  std::uint64_t num_runs_ = 0;
  std::uint64_t num_finished_ = 0;  // of these
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
  /// Leases that nobody has given back.
  int num_lent() const noexcept { return owner_->num_lent; }

 private:
  struct Owner final : LeaseOwner {
    int num_lent = 0;
    void give_back(std::uint32_t) noexcept override { --num_lent; }
  };
  std::shared_ptr<Owner> owner_ = std::make_shared<Owner>();
  BatchSpec spec_;
  std::vector<std::vector<std::uint64_t>> batches_;
  std::vector<std::uint32_t> class_idx_;
  std::vector<float> weights_;
  std::size_t next_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace penstock::train::tests
