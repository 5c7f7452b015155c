// Trains on batches of its own making: the components augment and train, without the streamer's files.
#include <cstdio>
#include <memory>
#include <vector>

#include "augment/augment_transform.h"
#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "train/backend/backend.h"
#include "train/graph/model_zoo.h"
#include "train/loop/trainer.h"

namespace {

using namespace penstock;

constexpr std::uint64_t kNumBatches = 3;

// Lends one set of buffers again and again: zeroed pixels, class 0.
class BlankBatches final : public BatchSource {
 public:
  explicit BlankBatches(const BatchSpec& spec) : memory_(std::make_shared<Memory>(spec)) {}

  const BatchSpec& spec() const noexcept override { return memory_->spec; }
  SourceStats stats() const override { return {.num_batches = num_batches_}; }
  BatchLease next() override {
    if (num_batches_ == kNumBatches) return {};
    BatchView view;
    view.spec = &memory_->spec;
    view.pixels = memory_->pixels.data();
    view.class_idx = memory_->class_idx;
    view.weights = memory_->weights;
    for (std::uint64_t& id : memory_->ids)
      id = num_batches_ * spec().batch + (&id - memory_->ids.data());
    view.sample_ids = memory_->ids;
    view.positions = memory_->ids;
    view.num_valid = spec().batch;
    view.batch_idx = num_batches_++;
    view.ends_epoch = num_batches_ == kNumBatches;
    return {view, memory_, 0};
  }

 private:
  struct Memory final : LeaseOwner {
    explicit Memory(const BatchSpec& batch_spec)
        : spec(batch_spec),
          pixels(spec.pixels_bytes()),
          class_idx(spec.batch),
          weights(spec.batch, 1.0f),
          ids(spec.batch) {}
    void give_back(std::uint32_t) noexcept override {}

    BatchSpec spec;
    std::vector<std::byte> pixels;
    std::vector<std::uint32_t> class_idx;
    std::vector<float> weights;
    std::vector<std::uint64_t> ids;
  };

  std::shared_ptr<Memory> memory_;
  std::uint64_t num_batches_ = 0;
};

}  // namespace

int main() try {
  const augment::AugmentTransform transform{augment::AugmentConfig{}};
  const auto backend = train::make_backend("onednn", {.num_threads = 1});
  const train::ModelGraph graph =
      train::build_model("small_cnn", {.channels = 3, .height = 16, .width = 16}, 2);
  train::ProgramSet programs(*backend, graph, {.train_batch = 4, .evaluation_batch = 0});
  programs.bind();
  train::initialize_params(programs.any_program(), graph, 1);
  train::Trainer trainer(programs, {.num_steps = kNumBatches});
  BlankBatches batches(backend->input_spec(graph, 4));
  transform.accept(batches.spec());
  const train::PassReport report =
      trainer.train_epoch({.source = batches, .num_samples = kNumBatches * 4});
  std::printf("train consumer: %s\n", report.num_steps == kNumBatches ? "ok" : "steps are missing");
  return report.num_steps == kNumBatches ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "train consumer: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
