// A batch source of one's own. This one draws its pictures; one that reads a camera or a simulator looks the
// same.
#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/draws.h"
#include "streamer/core/error.h"

// The memory of one batch. A lease shares it, so that it may outlive the source.
struct OneBatch : penstock::LeaseOwner {
  explicit OneBatch(const penstock::BatchSpec& batch_spec)
      : spec(batch_spec),
        pixels(static_cast<float*>(std::aligned_alloc(
                   kPageBytes, (spec.pixels_bytes() / kPageBytes + 1) * kPageBytes)),
               std::free),
        class_idx(spec.batch),
        weights(spec.batch, 1.0f),
        sample_ids(spec.batch),
        positions(spec.batch) {
    if (pixels == nullptr) throw std::bad_alloc();
  }

  void give_back(std::uint32_t) noexcept override { is_lent = false; }

  static constexpr std::size_t kPageBytes = 4096;

  const penstock::BatchSpec spec;
  std::unique_ptr<float, void (*)(void*)> pixels;  // BatchView wants whole pages
  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
  std::vector<std::uint64_t> sample_ids;
  std::vector<std::uint64_t> positions;
  std::atomic<bool> is_lent{false};  // a lease may be released in any thread
};

// Gray pictures in float32: class 1 is brighter on its right side. The seed decides the pixels; every epoch has
// the same samples.
class DrawnBatches final : public penstock::BatchSource {
 public:
  struct Config {
    std::uint64_t num_batches = 50;  // of one epoch
    std::uint32_t num_epochs = 1;
    std::uint64_t seed = 1;
  };

  DrawnBatches(const penstock::BatchSpec& spec, Config config)
      : config_(config), batch_(std::make_shared<OneBatch>(spec)) {}

  const penstock::BatchSpec& spec() const noexcept override { return batch_->spec; }

  penstock::BatchLease next() override {
    if (next_batch_ == config_.num_batches * config_.num_epochs) return {};
    if (batch_->is_lent) {
      throw penstock::Error(penstock::ErrorCode::kInvalidArgument,
                            "drawn batches: next batch: expected no lease held, found 1",
                            "release the lease before asking for the next");
    }
    fill();
    batch_->is_lent = true;
    return {view(), batch_, 0};
  }

  penstock::SourceStats stats() const override {
    return {.num_batches = next_batch_, .num_samples = next_batch_ * spec().batch};
  }

 private:
  void fill() {
    const penstock::BatchSpec& spec = batch_->spec;
    float* pixel = batch_->pixels.get();
    for (std::uint32_t i = 0; i < spec.batch; ++i) {
      const std::uint64_t id = next_batch_ % config_.num_batches * spec.batch + i;
      const penstock::Draws draws(
          {.seed = config_.seed, .position = id, .purpose = penstock::DrawPurpose::kUser});
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

  penstock::BatchView view() {
    penstock::BatchView view;
    view.spec = &batch_->spec;
    view.pixels = reinterpret_cast<const std::byte*>(batch_->pixels.get());
    view.class_idx = batch_->class_idx;
    view.weights = batch_->weights;
    view.sample_ids = batch_->sample_ids;
    view.positions = batch_->positions;
    view.batch_idx = next_batch_++;
    view.num_valid = batch_->spec.batch;
    view.epoch = static_cast<std::uint32_t>(view.batch_idx / config_.num_batches);
    view.next_position = (view.batch_idx % config_.num_batches + 1) * view.num_valid;
    view.ends_epoch = next_batch_ % config_.num_batches == 0;
    return view;
  }

  Config config_;
  std::shared_ptr<OneBatch> batch_;  // shared with the lease
  std::uint64_t next_batch_ = 0;
};
