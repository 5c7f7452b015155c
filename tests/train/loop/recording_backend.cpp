#include "tests/train/loop/recording_backend.h"

#include <algorithm>

namespace penstock::train::tests {
namespace {

class NoMemory final : public DeviceMemory {
 public:
  explicit NoMemory(std::size_t bytes) : bytes_(bytes) {}
  std::byte* base() const noexcept override { return nullptr; }
  std::size_t size_bytes() const noexcept override { return bytes_; }

 private:
  std::size_t bytes_;
};

class RecordingProgram final : public Program {
 public:
  RecordingProgram(RecordingBackend& backend, const ModelGraph& graph, const Lowering& lowering)
      : backend_(backend), lowering_(lowering) {
    for (const Parameter& parameter : graph.parameters()) {
      params_.push_back({parameter.name, parameter.shape, parameter.is_trainable, parameter.decays,
                         parameter.num_elements()});
      values_.emplace_back(parameter.num_elements());
    }
    // 1,000 bytes a sample in training, 200 less for each node that is computed again.
    const auto num_again =
        lowering.mode == Mode::kTrain ? std::ranges::count(lowering.recomputed, true) : 4;
    buffers_.push_back(
        {.name = "activations",
         .bytes = (1000 - 200 * static_cast<std::size_t>(num_again)) * lowering.batch});
  }

  const Lowering& lowering() const noexcept override { return lowering_; }
  std::span<const Buffer> buffers() const noexcept override { return buffers_; }
  std::span<const ParamSlot> params() const noexcept override { return params_; }
  void bind(DeviceMemory&, std::span<const std::size_t>) override {}
  void run(Phase phase, std::uint32_t) override {
    constexpr const char* kNames[] = {"forward", "backward", "backward_add", "update", "drop"};
    record(kNames[static_cast<int>(phase)]);
    const StepScalars& scalars = backend_.scalars();
    const bool is_finite = backend_.is_finite(scalars.step, lowering_.mode);
    if (phase == Phase::kUpdate) {
      backend_.report(UpdateReport{.step = scalars.step, .is_finite = is_finite});
    }
    if (phase != Phase::kForward) return;
    const std::uint32_t num_valid =
        std::min(lowering_.batch, backend_.lease()->num_valid - scalars.first_sample);
    // Loss: the number of the step; the first sample of every batch counts as recognised.
    backend_.report(StepReport{.step = scalars.step,
                               .weighted_loss_sum = static_cast<double>(scalars.step) * num_valid,
                               .weight_sum = static_cast<double>(num_valid),
                               .num_counted = num_valid,
                               .num_correct = 1,
                               .is_finite = is_finite || !backend_.are_infinite_losses});
  }
  void read_logits(std::span<float> logits) override {
    backend_.wait();
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i);
  }
  void import_param(std::size_t idx, ParamPart, std::span<const float> values) override {
    values_.at(idx).assign(values.begin(), values.end());
  }
  void export_param(std::size_t idx, ParamPart, std::span<float> values) override {
    std::copy(values_.at(idx).begin(), values_.at(idx).end(), values.begin());
  }
  void import_num_steps(std::span<const std::uint64_t>) override {}
  void export_num_steps(std::span<std::uint64_t>) override {}
  std::string explain() const override { return {}; }

 private:
  void record(const char* what) {
    backend_.begin_run();
    backend_.calls.push_back({what, lowering_.batch, lowering_.mode, backend_.scalars()});
    backend_.on_run(backend_.calls.back());
  }

  RecordingBackend& backend_;
  Lowering lowering_;
  std::vector<Buffer> buffers_;
  std::vector<ParamSlot> params_;
  std::vector<std::vector<float>> values_;
};

}  // namespace

std::unique_ptr<Program> RecordingBackend::lower(const ModelGraph& graph,
                                                 const Lowering& lowering) {
  lowerings.push_back(lowering);
  return std::make_unique<RecordingProgram>(*this, graph, lowering);
}

std::unique_ptr<DeviceMemory> RecordingBackend::allocate(std::size_t bytes) {
  return std::make_unique<NoMemory>(bytes);
}

ListedBatches::ListedBatches(BatchSpec spec, std::vector<std::vector<std::uint64_t>> batches)
    : spec_(spec),
      batches_(std::move(batches)),
      class_idx_(spec.batch, 0),
      weights_(spec.batch, 1.0f) {}

BatchLease ListedBatches::next() {
  if (next_ == batches_.size()) return {};
  const std::vector<std::uint64_t>& ids = batches_[next_++];
  BatchView view;
  view.spec = &spec_;
  view.class_idx = class_idx_;
  view.weights = weights_;
  view.sample_ids = ids;
  view.positions = ids;
  view.num_valid = static_cast<std::uint32_t>(ids.size());
  view.next_position = position_ += ids.size();
  view.ends_epoch = next_ == batches_.size() && !runs_dry;
  ++owner_->num_lent;
  return {view, owner_, 0};
}

}  // namespace penstock::train::tests
