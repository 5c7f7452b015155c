#include "streamer/pipeline/batch_admitter.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <thread>

#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/stop_time.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(batch_admitter)

// An epoch of 2^25 pieces: more than a second of work, of which no dataset that large is needed.
BOOST_AUTO_TEST_CASE(a_stop_gets_through_while_the_order_of_an_epoch_is_worked_out) {
  constexpr std::uint64_t kNumPieces = 1u << 25;
  const tests::TemporaryFolder folder;
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", {tests::raw_sample(8, 8, 1)}).split("train");
  const BatchSpec spec{.batch = 2, .height_px = 8, .width_px = 8};
  const OrderPlan plan({.order = SampleOrder::kWindowed,
                        .num_samples = kNumPieces,
                        .window_bytes = 1u << 20,
                        .piece_bytes = 1,
                        .shards = {{.num_samples = kNumPieces, .size_bytes = kNumPieces}}});
  const StreamEpochs epochs(
      {.whole = {.num_positions = kNumPieces, .batch = spec.batch}, .num_epochs = std::nullopt});
  const Admission admission(split, {.spec = spec}, std::make_shared<ResizeTransform>());
  MemoryBudget budget(64u << 20);
  tests::check_stops_in_time("the order of an epoch", [&] {
    const auto ring = std::make_shared<BatchRing>(BatchRing::Config{.spec = spec, .num_slots = 2},
                                                  budget, page_aligned_memory());
    WorkArena arena(1u << 20, budget);
    std::atomic<int> num_read = 0;
    ReaderPool readers(1, arena,
                       {.on_read = [&](const SampleRun&) { ++num_read; },
                        .on_error = [](const std::exception_ptr&) {}});
    tests::DelayedStop stop;
    BatchAdmitter(epochs, plan, admission, {.ring = *ring, .arena = arena, .readers = readers})
        .run(stop.token());
    const double ms = stop.ms();
    BOOST_TEST(num_read == 0);
    // It had not come to its first batch.
    for (int i = 0; i < 2; ++i) BOOST_TEST(ring->acquire(stop.token()).has_value());
    return ms;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
