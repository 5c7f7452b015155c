// A batch source of one's own: whatever trains on a Loader trains on it too. This one draws its
// pictures; one that reads a camera or a simulator looks the same.
//
//     own_batch_source [BATCHES]
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "softmax_classifier.h"
#include "streamer/core/batch.h"
#include "streamer/core/draws.h"
#include "streamer/core/error.h"

namespace {

using namespace penstock;

// The memory of one batch. A lease shares it, so that it may outlive the source.
struct OneBatch final : LeaseOwner {
  explicit OneBatch(const BatchSpec& batch_spec)
      : spec(batch_spec),
        pixels(spec.pixels_bytes() / sizeof(float)),
        class_idx(spec.batch),
        weights(spec.batch, 1.0f),
        sample_ids(spec.batch),
        positions(spec.batch) {}

  void give_back(std::uint32_t) noexcept override { is_lent = false; }

  const BatchSpec spec;
  std::vector<float> pixels;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
  std::vector<std::uint64_t> sample_ids;
  std::vector<std::uint64_t> positions;
  std::atomic<bool> is_lent{false};  // a lease may be released in any thread
};

// One epoch of gray pictures: class 1 is brighter on its right side. The seed decides the pixels.
class DrawnBatches final : public BatchSource {
 public:
  struct Config {
    std::uint64_t num_batches = 50;
    std::uint64_t seed = 1;
  };

  explicit DrawnBatches(Config config)
      : config_(config),
        batch_(std::make_shared<OneBatch>(
            BatchSpec{.batch = 16, .height_px = 8, .width_px = 8, .channels = 1})) {}

  const BatchSpec& spec() const noexcept override { return batch_->spec; }

  BatchLease next() override {
    if (next_batch_ == config_.num_batches) return {};
    if (batch_->is_lent) {
      throw Error(ErrorCode::kInvalidArgument,
                  "drawn batches: next batch: expected no lease held, found 1",
                  "release the lease before asking for the next");
    }
    fill();
    batch_->is_lent = true;
    return {view(), batch_, 0};
  }

  SourceStats stats() const override {
    return {.num_batches = next_batch_, .num_samples = next_batch_ * spec().batch};
  }

 private:
  void fill() {
    const BatchSpec& spec = batch_->spec;
    float* pixel = batch_->pixels.data();
    for (std::uint32_t i = 0; i < spec.batch; ++i) {
      const std::uint64_t id = next_batch_ * spec.batch + i;
      const Draws draws({.seed = config_.seed, .position = id, .purpose = DrawPurpose::kUser});
      batch_->sample_ids[i] = batch_->positions[i] = id;
      const std::uint32_t class_idx = draws.uniform(0) < 0.5 ? 0 : 1;
      batch_->class_idx[i] = class_idx;
      for (std::uint32_t p = 0; p < spec.height_px * spec.width_px; ++p) {
        const bool is_bright = class_idx == 1 && p % spec.width_px >= spec.width_px / 2;
        *pixel++ = static_cast<float>(draws.uniform(static_cast<std::uint16_t>(p + 1)) - 0.5 +
                                      (is_bright ? 1.0 : 0.0));
      }
    }
  }

  BatchView view() {
    BatchView view;
    view.spec = &batch_->spec;
    view.pixels = reinterpret_cast<const std::byte*>(batch_->pixels.data());
    view.class_idx = batch_->class_idx;
    view.weights = batch_->weights;
    view.sample_ids = batch_->sample_ids;
    view.positions = batch_->positions;
    view.batch_idx = next_batch_++;
    view.num_valid = batch_->spec.batch;
    view.next_position = next_batch_ * view.num_valid;
    view.ends_epoch = next_batch_ == config_.num_batches;
    return view;
  }

  Config config_;
  std::shared_ptr<OneBatch> batch_;  // shared with the lease
  std::uint64_t next_batch_ = 0;
};

// Knows no more than the contract: a Loader would do as well.
void train(BatchSource& source) {
  SoftmaxClassifier model(source.spec(), 2);
  while (const BatchLease batch = source.next()) {
    const double loss = model.take_step(batch.view());
    if (batch->batch_idx == 0 || batch->ends_epoch) {
      std::printf("batch %llu: loss %.4f\n", static_cast<unsigned long long>(batch->batch_idx),
                  loss);
    }
  }
  std::printf("%llu samples\n", static_cast<unsigned long long>(source.stats().num_samples));
}

}  // namespace

int main(int argc, char** argv) try {
  DrawnBatches source({.num_batches = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50});
  train(source);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
