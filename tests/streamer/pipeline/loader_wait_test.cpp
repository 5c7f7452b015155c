// What is ready when: prefetching over the end of an epoch, and waiting for a time.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>

#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::hash_all;
using tests::hash_batch;

BOOST_AUTO_TEST_SUITE(loader_wait)

constexpr std::uint64_t kBudgetBytes = 256u << 20;
const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 20};

// Notes when a sample of the second epoch is augmented.
class EpochWatcher final : public SampleTransform {
 public:
  void accept(const BatchSpec& spec) const override { resize_.accept(spec); }
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override {
    if (draws.place().epoch == 1) num_planned_of_epoch_1_.fetch_add(1);
    return resize_.plan(info, spec, draws);
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    resize_.apply(decoded, plan, scratch, slot);
    num_applied_.fetch_add(1);
    num_applied_.notify_all();
  }
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override {
    return resize_.finest_decode_scale(info, spec);
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override {
    return resize_.worst_case_scratch_bytes(spec);
  }
  std::string identity() const override { return resize_.identity(); }

  ResizeTransform resize_;
  mutable std::atomic<int> num_planned_of_epoch_1_{0};
  mutable std::atomic<int> num_applied_{0};
};

BOOST_AUTO_TEST_CASE(the_next_epoch_is_prefetched_before_the_last_batch_of_this_one_is_asked_for) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(16));
  MemoryBudget budget(kBudgetBytes);
  const auto transform = std::make_shared<EpochWatcher>();
  Loader loader(dataset.split("train"), {.batch = kSpec, .num_epochs = 2, .num_slots = 4},
                transform, budget);
  // Nothing is asked for; the four slots hold both batches of epoch 0 and both of epoch 1. A loader
  // that paused at the end of an epoch would leave this waiting for ever.
  for (int seen = 0; seen < 32; seen = transform->num_applied_) transform->num_applied_.wait(seen);
  BOOST_TEST(transform->num_planned_of_epoch_1_ == 16);
}

// A transform that a test can hold up.
class GatedTransform final : public SampleTransform {
 public:
  std::atomic<bool> is_open{false};

  void accept(const BatchSpec& spec) const override { inner_.accept(spec); }
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override {
    return inner_.plan(info, spec, draws);
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    is_open.wait(false);
    inner_.apply(decoded, plan, scratch, slot);
  }
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override {
    return inner_.finest_decode_scale(info, spec);
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override {
    return inner_.worst_case_scratch_bytes(spec);
  }
  std::string identity() const override { return inner_.identity(); }

 private:
  ResizeTransform inner_;
};

BOOST_AUTO_TEST_CASE(try_next_tells_a_batch_from_a_wait_that_is_over_and_from_the_end) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(16));
  const auto transform = std::make_shared<GatedTransform>();
  MemoryBudget budget(kBudgetBytes);
  Loader loader(dataset.split("train"), {.batch = kSpec}, transform, budget);
  for (const int wait_ms : {-1, 0, 20}) {
    const NextBatch none = loader.try_next(std::chrono::milliseconds(wait_ms));
    BOOST_TEST((none.outcome == NextOutcome::kTimedOut));
    BOOST_TEST(!none.lease);
  }
  BOOST_TEST(loader.stats().num_batches == 0u);
  transform->is_open = true;
  transform->is_open.notify_all();
  const auto hashes = hash_all(dataset, {.batch = kSpec});
  for (std::uint64_t i = 0; i < 2; ++i) {
    const NextBatch next = loader.try_next(std::chrono::minutes(5));
    BOOST_REQUIRE((next.outcome == NextOutcome::kBatch));
    BOOST_TEST(hash_batch(next.lease.view()) == hashes[i]);
  }
  BOOST_TEST((loader.try_next(std::chrono::minutes(5)).outcome == NextOutcome::kEnd));
  BOOST_TEST((loader.try_next({}).outcome == NextOutcome::kEnd));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
