#include "streamer/pipeline/loader.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/order/epoch_permutation.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader)

constexpr std::uint64_t kBudgetBytes = 256u << 20;
const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 20};

std::string hash_batch(const BatchView& batch) {
  StreamHasher hasher;
  hasher.update({batch.pixels, batch.spec->pixels_bytes()});
  hasher.update(std::as_bytes(batch.class_idx));
  hasher.update(std::as_bytes(batch.weights));
  hasher.update(std::as_bytes(batch.sample_ids));
  hasher.update(std::as_bytes(batch.positions));
  const std::uint64_t numbers[] = {batch.epoch, batch.num_valid, batch.ends_epoch,
                                   batch.next_position, batch.events.size()};
  hasher.update(std::as_bytes(std::span(numbers)));
  return hex(hasher.digest_128());
}

std::vector<std::string> hash_all(const Dataset& dataset, const LoaderConfig& config) {
  MemoryBudget budget(kBudgetBytes);
  Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
  std::vector<std::string> hashes;
  while (const BatchLease lease = loader.next()) hashes.push_back(hash_batch(lease.view()));
  return hashes;
}

// The slow twin of the whole engine: no threads, no arena, no ring, libjpeg through the decoder
// that its own test holds against libjpeg.
std::vector<std::string> hash_slowly(const Dataset& dataset, std::uint32_t num_epochs,
                                     std::uint64_t seed) {
  const DatasetSplit split = dataset.split("train");
  const ResizeTransform transform;
  JpegDecoder decoder;
  std::vector<std::string> hashes;
  const std::uint64_t n = split.num_samples();
  for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
    const EpochPermutation permutation(n, {.seed = seed, .epoch = epoch});
    for (std::uint64_t begin = 0; begin < n; begin += kSpec.batch) {
      const std::uint64_t end = std::min<std::uint64_t>(n, begin + kSpec.batch);
      std::vector<std::byte> pixels(kSpec.pixels_bytes());
      std::vector<std::uint32_t> class_idx(kSpec.batch, kUnlabelled);
      std::vector<float> weights(kSpec.batch, 0.0f);
      std::vector<std::uint64_t> ids(kSpec.batch, 0);
      std::vector<std::uint64_t> positions(kSpec.batch, 0);
      for (std::uint64_t p = begin; p < end; ++p) {
        const std::uint64_t id = permutation.sample_at(p);
        const IndexRecord record = split.record(id);
        std::vector<std::byte> encoded(record.length_bytes);
        split.shard_of(id).read_sample(record, encoded);
        const SampleInfo info{.sample_id = id,
                              .width_px = record.width_px,
                              .height_px = record.height_px,
                              .orientation = record.orientation};
        const SamplePlan plan = transform.plan(info, kSpec, Draws({}));
        const DecodeRequest request{.region = plan.source_region,
                                    .decode_scale = plan.decode_scale};
        std::vector<std::byte> decoded(std::size_t{record.width_px} * record.height_px * 3);
        std::vector<std::byte> scratch(8u << 20);
        const auto picture =
            decoder.decode(encoded, stored_info(record), request, decoded, scratch, {});
        const std::uint64_t place = p - begin;
        transform.apply(picture.value(), plan, {},
                        {.spec = &kSpec, .pixels = pixels.data() + place * kSpec.sample_bytes()});
        class_idx[place] = record.class_idx;
        weights[place] = 1.0f;
        ids[place] = id;
        positions[place] = p;
      }
      BatchView view;
      view.spec = &kSpec;
      view.pixels = pixels.data();
      view.class_idx = class_idx;
      view.weights = weights;
      view.sample_ids = ids;
      view.positions = positions;
      view.epoch = epoch;
      view.num_valid = static_cast<std::uint32_t>(end - begin);
      view.ends_epoch = end == n;
      view.next_position = end;
      hashes.push_back(hash_batch(view));
    }
  }
  return hashes;
}

BOOST_AUTO_TEST_CASE(batches_equal_the_slow_twins_for_any_threads_cuts_slots_and_memory) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(61), 20);
  const auto expected = hash_slowly(dataset, 2, 42);
  BOOST_REQUIRE(expected.size() == 16u);
  for (const std::uint32_t num_threads : {1u, 2u, 8u}) {
    for (const std::uint32_t max_run : {1u, 3u, 64u}) {
      for (const std::uint64_t work_bytes : {std::uint64_t{0}, std::uint64_t{400'000}}) {
        BOOST_TEST_INFO("threads " << num_threads << ", run of " << max_run << ", work bytes "
                                   << work_bytes);
        const LoaderConfig config{.batch = kSpec,
                                  .seed = 42,
                                  .num_epochs = 2,
                                  .num_readers = num_threads,
                                  .num_augmenters = num_threads,
                                  .num_slots = 2 + max_run % 3,
                                  .work_bytes = work_bytes,
                                  .max_run_samples = max_run};
        BOOST_REQUIRE(hash_all(dataset, config) == expected);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_sample_comes_once_an_epoch_in_another_order_each_time) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(30));
  MemoryBudget budget(kBudgetBytes);
  Loader loader(dataset.split("train"), {.batch = kSpec, .seed = 3, .num_epochs = 3},
                std::make_shared<ResizeTransform>(), budget);
  std::map<std::uint32_t, std::vector<std::uint64_t>> ids_by_epoch;
  while (const BatchLease lease = loader.next()) {
    const BatchView& batch = lease.view();
    for (std::uint32_t i = 0; i < batch.num_valid; ++i) {
      BOOST_REQUIRE(batch.positions[i] == ids_by_epoch[batch.epoch].size());
      ids_by_epoch[batch.epoch].push_back(batch.sample_ids[i]);
    }
    BOOST_TEST(batch.ends_epoch == (batch.num_valid == 6));  // 30 = 3 * 8 + 6
  }
  BOOST_TEST(ids_by_epoch.size() == 3u);
  BOOST_TEST((ids_by_epoch[0] != ids_by_epoch[1]));
  for (auto& [epoch, ids] : ids_by_epoch) {
    std::sort(ids.begin(), ids.end());
    for (std::uint64_t i = 0; i < 30; ++i) BOOST_REQUIRE(ids[i] == i);
  }
  BOOST_TEST(loader.stats().num_samples == 90u);
  BOOST_TEST(!loader.next());
}

BOOST_AUTO_TEST_CASE(a_loader_resumed_from_a_state_delivers_exactly_the_rest) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(29));
  const LoaderConfig config{.batch = kSpec, .seed = 9, .num_epochs = 2};
  const auto whole = hash_all(dataset, config);
  for (std::size_t stop_after = 1; stop_after <= whole.size(); ++stop_after) {
    BOOST_TEST_INFO("stopped after batch " << stop_after);
    LoaderConfig rest = config;
    {
      MemoryBudget budget(kBudgetBytes);
      Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
      for (std::size_t i = 0; i + 1 < stop_after; ++i) loader.next();
      const BatchLease last = loader.next();
      const LoaderState state = loader.state_after(last.view());
      rest.resume_from = loader_state_from_json(to_json(state));
      rest.num_epochs = 2 - state.epoch;  // after the last batch: 0, and nothing comes
    }
    rest.num_readers = 3;
    BOOST_REQUIRE(
        (hash_all(dataset, rest) ==
         std::vector<std::string>(whole.begin() + static_cast<long>(stop_after), whole.end())));
  }
}

// 30 samples in batches of 8 on one rank; resumed on two ranks with 6 samples left, fewer than their
// batch of 16: with drop_remainder nothing is left of the epoch.
BOOST_AUTO_TEST_CASE(an_epoch_of_which_nothing_is_left_ends_at_once) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(30));
  LoaderConfig config{.batch = kSpec, .drop_remainder = true};
  {
    MemoryBudget budget(kBudgetBytes);
    Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
    loader.next();
    loader.next();
    config.resume_from = loader.state_after(loader.next().view());
  }
  config.resume_from->epoch = 0;  // where an interrupted third batch would have left it
  config.resume_from->next_position = 24;
  config.rank = {.index = 0, .world = 2};
  MemoryBudget budget(kBudgetBytes);
  Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
  BOOST_TEST(!loader.next());
}

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

BOOST_AUTO_TEST_CASE(a_state_of_other_settings_is_refused) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  LoaderConfig config{.batch = kSpec, .seed = 9};
  {
    MemoryBudget budget(kBudgetBytes);
    Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
    config.resume_from = loader.state_after(loader.next().view());
  }
  config.seed = 10;
  MemoryBudget budget(kBudgetBytes);
  BOOST_CHECK_THROW(
      Loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget), Error);
  config.seed = 9;
  config.resume_from->dataset_id = "another";
  BOOST_CHECK_THROW(
      Loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget), Error);
}

BOOST_AUTO_TEST_CASE(ranks_split_every_batch_and_deliver_the_same_number) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(50));
  std::vector<int> seen(50, 0);
  for (std::uint32_t rank = 0; rank < 3; ++rank) {
    MemoryBudget budget(kBudgetBytes);
    Loader loader(dataset.split("train"), {.batch = kSpec, .rank = {.index = rank, .world = 3}},
                  std::make_shared<ResizeTransform>(), budget);
    std::uint64_t num_leases = 0;
    while (const BatchLease lease = loader.next()) {
      ++num_leases;
      for (std::uint32_t i = 0; i < lease->num_valid; ++i) ++seen[lease->sample_ids[i]];
    }
    BOOST_TEST(num_leases == 3u);  // 50 = 2 * 24 + 2: the third is empty on ranks 1 and 2
  }
  BOOST_TEST(seen == std::vector<int>(50, 1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(raw_samples_come_through_at_full_size) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t i = 0; i < 9; ++i) samples.push_back(tests::raw_sample(32, 32, i));
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  MemoryBudget budget(kBudgetBytes);
  const BatchSpec spec{.batch = 4, .height_px = 32, .width_px = 32, .element = ElementType::kUint8};
  Loader loader(dataset.split("train"), {.batch = spec, .order = SampleOrder::kSequential},
                std::make_shared<ResizeTransform>(), budget);
  std::uint64_t next_id = 0;
  while (const BatchLease lease = loader.next()) {
    for (std::uint32_t i = 0; i < lease->num_valid; ++i, ++next_id) {
      const auto& expected = samples[next_id].encoded;
      BOOST_REQUIRE(
          std::equal(expected.begin(), expected.end(), lease->pixels + i * spec.sample_bytes()));
    }
  }
  BOOST_TEST(next_id == 9u);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_the_budget_is_refused_and_draws_nothing) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  MemoryBudget budget(2u << 20);
  BOOST_CHECK_EXCEPTION(
      Loader(dataset.split("train"),
             {.batch = {.batch = 100, .height_px = 96, .width_px = 96},
              .num_readers = 1,
              .num_augmenters = 1},
             std::make_shared<ResizeTransform>(), budget),
      Error, [](const Error& error) {
        return error.code() == ErrorCode::kOutOfMemory &&
               std::string(error.what())
                   .starts_with("memory limit: loader: expected at most 2.0 MiB, found ");
      });
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(two_loaders_share_one_budget_and_give_everything_back) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(40));
  const LoaderConfig config{.batch = kSpec, .work_bytes = 1u << 20};
  const auto transform = std::make_shared<ResizeTransform>();
  MemoryBudget probe(64u << 20);
  std::uint64_t bytes_of_one = 0;
  {
    const Loader one(dataset.split("train"), config, transform, probe);
    bytes_of_one = probe.used_bytes();
    BOOST_TEST(bytes_of_one > config.work_bytes);
  }
  MemoryBudget budget(3 * bytes_of_one - 1);
  {
    Loader a(dataset.split("train"), config, transform, budget);
    Loader b(dataset.split("train"), config, transform, budget);
    BOOST_CHECK_THROW(Loader(dataset.split("train"), config, transform, budget), Error);
    for (int i = 0; i < 5; ++i) {
      BOOST_TEST(static_cast<bool>(a.next()));
      BOOST_TEST(static_cast<bool>(b.next()));
    }
    BOOST_TEST(budget.used_bytes() == 2 * bytes_of_one);
    BOOST_TEST(a.stats().high_water_bytes >= 2 * bytes_of_one);
  }
  BOOST_TEST(budget.used_bytes() == 0u);
}

// Different splits of the budget, order, batch and threads; read at the same time, each must deliver
// what it delivers alone.
BOOST_AUTO_TEST_CASE(two_loaders_on_one_budget_deliver_side_by_side_what_each_delivers_alone) {
  const tests::TemporaryFolder folder;
  const Dataset first = tests::write_small_dataset(folder.path() / "a", tests::mixed_samples(61));
  const Dataset second =
      tests::write_small_dataset(folder.path() / "b", tests::mixed_samples(40, 2));
  const LoaderConfig shuffled{
      .batch = kSpec, .seed = 42, .num_epochs = 3, .num_readers = 2, .work_bytes = 1u << 20};
  const LoaderConfig sequential{.batch = {.batch = 3, .height_px = 24, .width_px = 8},
                                .order = SampleOrder::kSequential,
                                .num_epochs = 3,
                                .work_bytes = 2u << 20};
  const auto alone_first = hash_all(first, shuffled);
  const auto alone_second = hash_all(second, sequential);

  MemoryBudget budget(64u << 20);
  std::vector<std::string> beside;
  {
    const auto transform = std::make_shared<ResizeTransform>();
    Loader a(first.split("train"), shuffled, transform, budget);
    Loader b(second.split("train"), sequential, transform, budget);
    std::jthread other([&] {
      while (const BatchLease lease = b.next()) beside.push_back(hash_batch(lease.view()));
    });
    std::vector<std::string> here;
    while (const BatchLease lease = a.next()) {
      here.push_back(hash_batch(lease.view()));
      BOOST_REQUIRE(budget.used_bytes() <= budget.limit_bytes());
    }
    BOOST_TEST((here == alone_first));
  }
  BOOST_TEST((beside == alone_second));
  BOOST_TEST(budget.high_water_bytes() <= budget.limit_bytes());
  BOOST_TEST(budget.used_bytes() == 0u);
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

BOOST_AUTO_TEST_CASE(a_loader_may_outlive_the_budget_it_drew_from) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  std::optional<MemoryBudget> budget(kBudgetBytes);
  const Loader loader(dataset.split("train"), {.batch = kSpec}, std::make_shared<ResizeTransform>(),
                      *budget);
  budget.emplace(1);  // another one where the first was
  BOOST_TEST(loader.stats().limit_bytes == kBudgetBytes);
  BOOST_TEST(loader.stats().high_water_bytes > 0u);
}

BOOST_AUTO_TEST_CASE(targets_are_refused_until_shards_hold_them) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  MemoryBudget budget(kBudgetBytes);
  BatchSpec spec = kSpec;
  spec.label_form = LabelForm::kTargets;
  spec.num_targets = 2;
  BOOST_CHECK_EXCEPTION(
      Loader(dataset.split("train"), {.batch = spec}, std::make_shared<ResizeTransform>(), budget),
      Error, [](const Error& error) {
        return error.code() == ErrorCode::kUnsupported &&
               std::string(error.what()) ==
                   "loader: label_form: expected class indices, found targets, which shards do "
                   "not hold";
      });
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const auto message_of = [](const LoaderConfig& config) {
    try {
      config.validate();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  BOOST_TEST(message_of({.num_readers = 257}) ==
             "loader: num_readers: expected 0 to 256, found 257");
  BOOST_TEST(message_of({.num_slots = 1}) == "loader: num_slots: expected 2 to 64, found 1");
  BOOST_TEST(message_of({.rank = {.index = 2, .world = 2}}) ==
             "loader: rank.index: expected 0 to 1, found 2");
  BOOST_TEST(message_of({.batch = {.batch = 0}}) == "batch: batch: expected 1 to 1048576, found 0");
}

BOOST_AUTO_TEST_CASE(settings_are_checked_before_anything_is_computed_from_them) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  MemoryBudget budget(kBudgetBytes);
  const auto refused = [&](const LoaderConfig& config) {
    BOOST_CHECK_EXCEPTION(
        Loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget), Error,
        [](const Error& error) { return error.code() == ErrorCode::kInvalidArgument; });
  };
  refused({.batch = kSpec, .rank = {.index = 0, .world = 0}});  // a divisor
  refused({.batch = kSpec, .max_bad_fraction = 1e300});  // no integer holds its share of samples
}

BOOST_AUTO_TEST_CASE(identity_changes_with_every_setting_that_affects_bytes_and_no_other) {
  const tests::TemporaryFolder folder;
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(4)).split("train");
  const ResizeTransform transform;
  const LoaderConfig base{.batch = kSpec};
  const std::string identity = loader_identity(split, base, transform);
  LoaderConfig changed = base;
  changed.num_readers = 7;
  changed.num_slots = 9;
  changed.rank = {1, 4};
  BOOST_TEST(loader_identity(split, changed, transform) == identity);
  for (const auto& change : std::vector<std::function<void(LoaderConfig&)>>{
           [](LoaderConfig& c) { c.seed = 1; }, [](LoaderConfig& c) { c.batch.batch = 9; },
           [](LoaderConfig& c) { c.batch.layout = PixelLayout::kNchw; },
           [](LoaderConfig& c) { c.order = SampleOrder::kSequential; },
           [](LoaderConfig& c) { c.drop_remainder = true; }}) {
    changed = base;
    change(changed);
    BOOST_TEST(loader_identity(split, changed, transform) != identity);
  }
  BOOST_TEST(loader_identity(split, base, ResizeTransform({.decode_scaling = false})) != identity);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
