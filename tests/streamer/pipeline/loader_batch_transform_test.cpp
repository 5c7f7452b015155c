// Targets, and a batch transform of the test's own, through the whole loader.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstring>
#include <thread>

#include "streamer/core/batch_transform.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/stop_time.h"
#include "tests/streamer/wait_until.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

constexpr std::uint64_t kBudgetBytes = 64u << 20;
const BatchSpec kSpec{.batch = 8,
                      .height_px = 16,
                      .width_px = 16,
                      .label_form = LabelForm::kTargets,
                      .num_targets = 3};

// Turns the places round, halves the targets, and writes what it was given into the first pixels.
class ReversingTransform final : public BatchTransform {
 public:
  struct Stamp {
    PhiloxCounter words;
    std::uint64_t position;
    std::uint32_t epoch;
    std::uint32_t num_valid;
    std::uint32_t num_failed;
  };

  explicit ReversingTransform(std::chrono::microseconds pause = {}) : pause_(pause) {}

  void accept(const BatchSpec& spec) const override {
    if (spec.label_form != LabelForm::kTargets) {
      throw Error(ErrorCode::kUnsupported, "reversing: expected targets, found none");
    }
  }
  void apply(const BatchContent& batch) const noexcept override {
    if (pause_.count() > 0) {
      const int now = ++num_inside_;
      for (int most = most_inside_; most < now && !most_inside_.compare_exchange_weak(most, now);) {
      }
      for (int i = 0; i < 100 && !batch.is_abandoned(); ++i)
        std::this_thread::sleep_for(pause_ / 100);
      --num_inside_;
    }
    for (std::uint32_t i = 0; i < batch.num_valid / 2; ++i) {
      const auto one = batch.sample(i);
      std::swap_ranges(one.begin(), one.end(), batch.sample(batch.num_valid - 1 - i).begin());
    }
    Stamp stamp{.words = batch.draws.block(7),
                .position = batch.draws.place().position,
                .epoch = batch.draws.place().epoch,
                .num_valid = batch.num_valid,
                .num_failed = 0};
    for (std::uint32_t i = 0; i < batch.num_valid; ++i) {
      stamp.num_failed += batch.has_failed(i) ? 1 : 0;
      for (float& target : batch.targets_of(i)) target *= 0.5f;
    }
    std::memcpy(batch.sample(0).data(), &stamp, sizeof stamp);
  }
  std::string identity() const override { return "batch_transform=reversing\n"; }

  int most_inside() const noexcept { return most_inside_; }

 private:
  std::chrono::microseconds pause_;
  mutable std::atomic<int> num_inside_ = 0;
  mutable std::atomic<int> most_inside_ = 0;
};

struct Fixture {
  tests::TemporaryFolder folder;
  Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(30), 13);
  DatasetSplit split = dataset.split("train");
  MemoryBudget budget{kBudgetBytes};

  std::unique_ptr<Loader> load(LoaderConfig config) {
    return std::make_unique<Loader>(split, std::move(config), std::make_shared<ResizeTransform>(),
                                    budget);
  }
};

BOOST_FIXTURE_TEST_SUITE(loader_batch_transform, Fixture)

BOOST_AUTO_TEST_CASE(targets_are_one_hot_by_the_class_index_which_stays) {
  const auto loader = load({.batch = kSpec});
  std::uint32_t num_samples = 0;
  while (const BatchLease lease = loader->next()) {
    BOOST_REQUIRE(lease->targets.size() == 24u);
    for (std::uint32_t i = 0; i < kSpec.batch; ++i) {
      for (std::uint32_t k = 0; k < 3; ++k) {
        const bool is_class = i < lease->num_valid && k == lease->class_idx[i];
        BOOST_TEST(lease->targets[i * 3 + k] == (is_class ? 1.0f : 0.0f));
      }
    }
    for (std::uint32_t i = 0; i < lease->num_valid; ++i, ++num_samples) {
      BOOST_TEST(lease->class_idx[i] == split.record(lease->sample_ids[i]).class_idx);
    }
  }
  BOOST_TEST(num_samples == 30u);
}

BOOST_AUTO_TEST_CASE(batches_of_class_indices_have_no_targets) {
  const auto loader = load({.batch = {.batch = 8, .height_px = 16, .width_px = 16}});
  BOOST_TEST(loader->next()->targets.empty());
}

BOOST_AUTO_TEST_CASE(targets_are_counted_as_memory_of_the_ring_and_named_in_the_plan) {
  LoaderConfig with{.batch = kSpec};
  with.batch.num_targets = 1000;
  LoaderConfig without = with;
  without.batch.label_form = LabelForm::kClassIndex;
  without.batch.num_targets = 0;
  const auto plan = [&](const LoaderConfig& config) {
    return plan_loader_memory(split, config, ResizeTransform(), budget.room());
  };
  const LoaderMemory memory = plan(with);
  // By hand: 4 slots of 8 samples of 1,000 floats.
  BOOST_TEST(memory.ring_bytes == plan(without).ring_bytes + 4u * 8 * 1000 * 4);
  const auto lines = memory_lines(memory, with);
  const auto ring = std::ranges::find(lines, "batch ring", &MemoryLine::what);
  BOOST_REQUIRE(ring != lines.end());
  BOOST_TEST(ring->detail == "4 batches of 8 x 16 x 16 x 3, and 1000 targets a sample");
  const auto loader = load(with);
  BOOST_TEST(budget.used_bytes() == memory.total_bytes());  // drawn as planned
}

// Against a loader without it: the same samples, turned round by the test's own hands.
BOOST_AUTO_TEST_CASE(it_sees_whole_batches_with_their_draws_and_the_consumer_what_it_made) {
  LoaderConfig config{.batch = kSpec, .seed = 5, .num_epochs = 2};
  const auto plain = load(config);
  config.batch_transform = std::make_shared<ReversingTransform>();
  const auto turned = load(config);
  while (const BatchLease was = plain->next()) {
    const BatchLease is = turned->next();
    BOOST_REQUIRE(is->num_valid == was->num_valid);
    BOOST_TEST((is->sample_ids.front() == was->sample_ids.front()));
    ReversingTransform::Stamp stamp{};
    std::memcpy(&stamp, is->pixels, sizeof stamp);
    BOOST_TEST(stamp.position == was->positions[0]);
    BOOST_TEST(stamp.epoch == was->epoch);
    BOOST_TEST(stamp.num_valid == was->num_valid);
    BOOST_TEST(stamp.num_failed == 0u);
    const Draws draws({.seed = 5,
                       .epoch = was->epoch,
                       .position = was->positions[0],
                       .purpose = DrawPurpose::kBatch});
    BOOST_TEST((stamp.words == draws.block(7)));
    const std::size_t bytes = kSpec.sample_bytes();
    for (std::uint32_t i = 1; i < kSpec.batch; ++i) {
      const std::uint32_t from = i < was->num_valid ? was->num_valid - 1 - i : i;
      BOOST_TEST(std::memcmp(is->pixels + i * bytes, was->pixels + from * bytes, bytes) == 0);
    }
    for (std::size_t i = 0; i < was->targets.size(); ++i) {
      BOOST_TEST(is->targets[i] == 0.5f * was->targets[i]);
    }
  }
  BOOST_TEST(!turned->next());
}

BOOST_AUTO_TEST_CASE(batches_are_the_same_for_any_threads_cuts_slots_and_after_a_resume) {
  const auto config_of = [](std::uint32_t num_threads, std::uint32_t max_run) {
    return LoaderConfig{.batch = kSpec,
                        .batch_transform = std::make_shared<ReversingTransform>(),
                        .seed = 9,
                        .num_epochs = 2,
                        .num_readers = num_threads,
                        .num_workers = num_threads,
                        .num_slots = 2 + max_run % 3,
                        .max_run_samples = max_run};
  };
  const auto expected = tests::hash_all(dataset, config_of(1, 64));
  BOOST_REQUIRE(expected.size() == 8u);
  for (const std::uint32_t num_threads : {2u, 8u}) {
    for (const std::uint32_t max_run : {1u, 3u, 64u}) {
      BOOST_TEST(tests::hash_all(dataset, config_of(num_threads, max_run)) == expected,
                 boost::test_tools::per_element());
    }
  }
  const auto loader = load(config_of(2, 3));
  LoaderState state;
  for (int i = 0; i < 3; ++i) state = loader->state_after(loader->next().view());
  LoaderConfig resumed = config_of(2, 64);
  resumed.resume_from = state;
  const std::vector<std::string> rest(expected.begin() + 3, expected.end());
  BOOST_TEST(tests::hash_all(dataset, resumed) == rest, boost::test_tools::per_element());

  resumed.batch_transform = nullptr;  // other settings
  BOOST_CHECK_THROW(load(resumed), Error);
}

BOOST_AUTO_TEST_CASE(it_may_refuse_the_batches_before_anything_starts) {
  LoaderConfig config{.batch = {.batch = 8, .height_px = 16, .width_px = 16},
                      .batch_transform = std::make_shared<ReversingTransform>()};
  BOOST_CHECK_EXCEPTION(load(config), Error, [](const Error& error) {
    return error.what() == std::string("reversing: expected targets, found none");
  });
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(its_identity_is_part_of_the_streams) {
  LoaderConfig config{.batch = kSpec};
  const std::string without = loader_identity(split, config, ResizeTransform());
  config.batch_transform = std::make_shared<ReversingTransform>();
  BOOST_TEST(loader_identity(split, config, ResizeTransform()) ==
             without + "batch_transform=reversing\n");
}

// A rank without samples in the last batch has nothing to change there.
BOOST_AUTO_TEST_CASE(a_batch_without_samples_is_left_alone) {
  LoaderConfig config{.batch = kSpec,
                      .batch_transform = std::make_shared<ReversingTransform>(),
                      .rank = {.index = 2, .world = 3}};
  const auto loader = load(config);
  std::uint32_t num_empty = 0;
  while (const BatchLease lease = loader->next()) num_empty += lease->num_valid == 0 ? 1 : 0;
  BOOST_TEST(num_empty == 1u);  // 30 = 24 + 6
}

// A batch takes a second, of which the transform looks at the stop every 10 ms.
BOOST_AUTO_TEST_CASE(a_stop_reaches_a_transform_that_takes_long) {
  tests::check_stops_in_time("a batch transform", [&] {
    const auto slow = std::make_shared<ReversingTransform>(std::chrono::seconds(1));
    auto loader = load({.batch = kSpec, .batch_transform = slow, .num_epochs = {}});
    tests::wait_until([&] { return slow->most_inside() > 0; });
    const tests::StopClock clock;
    loader.reset();
    return clock.ms();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
