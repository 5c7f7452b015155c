// A cached loader: the same batches as without a cache, from memory as far as that goes.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <numeric>
#include <thread>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

constexpr std::uint64_t kBudgetBytes = 64u << 20;
const BatchSpec kSpec{.batch = 8, .height_px = 4, .width_px = 5};

// A random part of the picture at a random scale; each number of its place is the sum of many bytes
// of the part, and each byte is in one of them.
class RandomCrops final : public SampleTransform {
 public:
  void accept(const BatchSpec&) const override {}
  SamplePlan plan(const SampleInfo& info, const BatchSpec&,
                  const Draws& draws) const noexcept override {
    const auto words = draws.block(1000);
    SamplePlan plan;
    RectPx& region = plan.source_region;
    region.x = words[0] % info.width_px;
    region.y = words[1] % info.height_px;
    region.width = 1 + words[2] % (info.width_px - region.x);
    region.height = 1 + words[3] % (info.height_px - region.y);
    plan.decode_scale = 1u << (words[3] >> 16) % 4;
    plan.decode_scale = std::min<std::uint32_t>(plan.decode_scale, info.max_decode_scale);
    return plan;
  }
  void apply(const DecodedView& decoded, const SamplePlan&, std::span<std::byte>,
             const SampleSlot& slot) const noexcept override {
    auto* const sums = reinterpret_cast<float*>(slot.pixels);
    const std::size_t count = slot.spec->sample_bytes() / sizeof(float);
    std::fill_n(sums, count, 0.0f);
    const ImageView& image = decoded.image;
    std::size_t i = 0;
    for (std::uint32_t y = 0; y < image.height_px; ++y) {
      for (std::uint32_t x = 0; x < image.width_px * image.channels; ++x, ++i) {
        sums[i % count] += static_cast<float>(image.row(y)[x] * (1 + i % 7));
      }
    }
  }
  std::uint32_t finest_decode_scale(const SampleInfo&, const BatchSpec&) const noexcept override {
    return 1;
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override { return 0; }
  std::string identity() const override { return "random crops\n"; }
};

// JPEGs of every kind, raw samples, and two that end early: their checksum is right, and a part of
// them can be decoded.
std::vector<tests::SmallSample> samples_of_every_kind() {
  auto samples = tests::mixed_samples(50);
  for (std::uint32_t i = 0; i < 20; ++i) samples.push_back(tests::raw_sample(9 + i, 17, i));
  for (std::uint64_t seed : {1u, 2u}) {
    samples.push_back(tests::jpeg_sample(200, 150, seed));
    samples.back().encoded.resize(samples.back().encoded.size() * 2 / 3);
  }
  return samples;
}

struct Streamed {
  std::vector<std::string> hashes;
  std::uint64_t num_failed = 0;
  LoaderStats stats;
};

Streamed stream(const DatasetSplit& split, const LoaderConfig& config) {
  MemoryBudget budget(kBudgetBytes);
  Loader loader(split, config, std::make_shared<RandomCrops>(), budget);
  Streamed streamed;
  while (const BatchLease lease = loader.next()) {
    streamed.hashes.push_back(tests::hash_batch(lease.view()));
    streamed.num_failed += lease->events.size();
  }
  streamed.stats = loader.detailed_stats();
  BOOST_TEST(budget.high_water_bytes() <= kBudgetBytes);
  return streamed;
}

LoaderConfig config_of(std::uint32_t num_threads = 2) {
  return {.batch = kSpec,
          .seed = 5,
          .num_epochs = 4,
          .num_readers = num_threads,
          .num_workers = num_threads,
          .max_bad_fraction = 1.0};
}

struct CacheSetting {
  CacheForm form;
  std::uint64_t bytes;
};
// All that is left; a part of the dataset; a sample or two.
constexpr CacheSetting kSettings[] = {
    {CacheForm::kEncoded, 0}, {CacheForm::kEncoded, 100'000}, {CacheForm::kEncoded, 12'000},
    {CacheForm::kDecoded, 0}, {CacheForm::kDecoded, 500'000}, {CacheForm::kDecoded, 12'000}};

void flip_every_byte(const std::filesystem::path& file, std::uint64_t offset,
                     std::uint64_t length) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes(length, '\0');
  stream.seekg(static_cast<std::streamoff>(offset));
  BOOST_REQUIRE(stream.read(bytes.data(), static_cast<std::streamsize>(length)));
  for (char& byte : bytes) byte = static_cast<char>(~byte);
  stream.seekp(static_cast<std::streamoff>(offset));
  BOOST_REQUIRE(stream.write(bytes.data(), static_cast<std::streamsize>(length)));
}

struct Folder {
  tests::TemporaryFolder folder;
  Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples_of_every_kind(), 30);
  DatasetSplit split = dataset.split("train");
};

BOOST_FIXTURE_TEST_SUITE(loader_cache, Folder)

BOOST_AUTO_TEST_CASE(batches_are_the_same_with_any_cache_and_any_threads) {
  const Streamed expected = stream(split, config_of());
  BOOST_REQUIRE(expected.hashes.size() == 4u * 9);
  BOOST_REQUIRE(expected.num_failed > 0u);
  for (const CacheSetting& setting : kSettings) {
    std::vector<CacheStats> found;
    for (const std::uint32_t num_threads : {1u, 2u, 8u}) {
      BOOST_TEST_INFO(cache_form_name(setting.form)
                      << " in " << setting.bytes << " bytes, threads " << num_threads);
      LoaderConfig config = config_of(num_threads);
      config.cache = setting.form;
      config.cache_bytes = setting.bytes;
      const Streamed streamed = stream(split, config);
      BOOST_REQUIRE(streamed.hashes == expected.hashes);
      found.push_back(streamed.stats.cache);
      // The same samples whatever the threads.
      BOOST_TEST(found.back().num_kept == found.front().num_kept);
      BOOST_TEST(found.back().kept_bytes == found.front().kept_bytes);
      BOOST_TEST(found.back().num_kept > 0u);
      BOOST_TEST(found.back().num_hits > 0u);
      if (setting.bytes > 0) BOOST_TEST(found.back().limit_bytes <= setting.bytes);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_order_subset_rank_and_resumed_stream_has_the_same_batches) {
  std::vector<float> weights(split.num_samples(), 1.0f);
  weights[3] = weights[60] = 30.0f;  // several times in a batch
  const auto check = [](const DatasetSplit& of, LoaderConfig config) {
    config.cache = CacheForm::kNone;
    const Streamed expected = stream(of, config);
    for (const CacheSetting& setting : kSettings) {
      BOOST_TEST_INFO(cache_form_name(setting.form) << " in " << setting.bytes);
      config.cache = setting.form;
      config.cache_bytes = setting.bytes;
      BOOST_REQUIRE(stream(of, config).hashes == expected.hashes);
    }
  };
  LoaderConfig config = config_of();
  config.order = SampleOrder::kWeighted;
  config.sample_weights = std::make_shared<const std::vector<float>>(weights);
  check(split, config);
  config = config_of();
  config.order = SampleOrder::kSequential;
  check(split.subset({.to_fraction = 0.4}), config);
  config.order = SampleOrder::kWindowed;
  check(split, config);
  config.order = SampleOrder::kShuffle;
  config.rank = {.index = 1, .world = 3};
  check(split, config);
  MemoryBudget budget(kBudgetBytes);
  Loader stopped(split, config, std::make_shared<RandomCrops>(), budget);
  for (int i = 0; i < 4; ++i) config.resume_from = stopped.state_after(stopped.next().view());
  check(split, config);
}

BOOST_AUTO_TEST_CASE(a_dataset_that_fits_is_never_read_again) {
  for (const CacheForm form : {CacheForm::kNone, CacheForm::kEncoded, CacheForm::kDecoded}) {
    BOOST_TEST_INFO(cache_form_name(form));
    const tests::TemporaryFolder own;
    const Dataset whole = tests::write_small_dataset(own.path() / "d", tests::mixed_samples(40));
    const DatasetSplit samples = whole.split("train");
    LoaderConfig config = config_of();
    config.num_epochs = 60;
    config.cache = form;
    MemoryBudget budget(kBudgetBytes);
    Loader loader(samples, config, std::make_shared<RandomCrops>(), budget);
    const auto pass = [&](std::uint64_t num_epochs) {
      std::uint64_t num_failed = 0;
      for (std::uint64_t i = 0; i < 5 * num_epochs; ++i) num_failed += loader.next()->events.size();
      return num_failed;
    };
    // Random scales: after so many epochs each of a sample has come, but for a chance of 0.75^30.
    BOOST_REQUIRE(pass(30) == 0u);
    const std::uint64_t num_hits = loader.detailed_stats().cache.num_hits;
    const IndexRecord first = samples.record(0);
    const IndexRecord last = samples.record(39);
    flip_every_byte(samples.shard_of(0).path(), first.offset_bytes,
                    last.offset_bytes + last.length_bytes - first.offset_bytes);
    if (form == CacheForm::kNone) {
      BOOST_CHECK_THROW(pass(30), Error);  // the file was written to
      continue;
    }
    BOOST_TEST(pass(30) == 0u);
    const CacheStats stats = loader.detailed_stats().cache;
    BOOST_TEST(stats.num_places == 60u * 40);
    BOOST_TEST(stats.num_hits - num_hits >= 29u * 40);
    if (form == CacheForm::kEncoded) BOOST_TEST(stats.num_kept == 40u);
  }
}

// Samples of one size, so the arithmetic is plain: bytes that fit over bytes of the dataset.
BOOST_AUTO_TEST_CASE(the_share_served_is_the_share_that_fits) {
  std::vector<tests::SmallSample> samples;
  for (std::uint32_t i = 0; i < 400; ++i) samples.push_back(tests::raw_sample(32, 32, i));
  const tests::TemporaryFolder own;
  const Dataset raws = tests::write_small_dataset(own.path() / "d", samples);
  constexpr std::uint64_t kSampleBytes = 32 * 32 * 3;
  for (const CacheForm form : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    for (const std::uint64_t eighths : {1u, 3u, 6u, 7u}) {
      BOOST_TEST_INFO(cache_form_name(form) << ", " << eighths << " eighths");
      LoaderConfig config = config_of();
      config.cache = form;
      config.cache_bytes = 400 * kSampleBytes * eighths / 8;
      const CacheStats cache = stream(raws.split("train"), config).stats.cache;
      const std::uint64_t num_expected = 400 * eighths / 8;
      // The table takes 2 or 3 % of the bytes, and pages begun.
      BOOST_TEST(cache.num_kept <= num_expected);
      BOOST_TEST(cache.num_kept >= num_expected * 95 / 100 - 4);
      BOOST_TEST(cache.kept_bytes == cache.num_kept * kSampleBytes);
      // Once taken in, every epoch; but for samples that the next one asks for while they are on
      // their way in.
      BOOST_TEST(cache.num_hits <= 3 * cache.num_kept);
      BOOST_TEST(cache.num_hits + 4 * kSpec.batch >= 3 * cache.num_kept);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_fails_its_checksum_fails_in_every_epoch_and_is_not_kept) {
  const std::uint64_t kStruck[] = {0, 17, 55};
  for (const std::uint64_t id : kStruck) {
    const IndexRecord record = split.record(id);
    flip_every_byte(split.shard_of(id).path(), record.offset_bytes + record.length_bytes / 2, 1);
  }
  const Dataset opened = Dataset::open(folder.path() / "d");  // after the damage: nobody writes now
  const DatasetSplit damaged = opened.split("train");
  const Streamed expected = stream(damaged, config_of());
  BOOST_TEST(expected.num_failed >= 3u * 4);
  for (const CacheForm form : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    LoaderConfig config = config_of();
    config.cache = form;
    const Streamed streamed = stream(damaged, config);
    BOOST_TEST(streamed.num_failed == expected.num_failed);
    BOOST_REQUIRE(streamed.hashes == expected.hashes);
    if (form == CacheForm::kEncoded) {
      BOOST_TEST(streamed.stats.cache.num_kept == damaged.num_samples() - 3);
    }
  }
}

// While one loader streams, others come, draw what its cache has, and go.
BOOST_AUTO_TEST_CASE(a_running_loader_gives_its_cache_to_others) {
  for (const CacheForm form : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    BOOST_TEST_INFO(cache_form_name(form));
    LoaderConfig config = config_of();
    config.num_epochs = 60;
    const Streamed expected = stream(split, config);
    config.cache = form;
    MemoryBudget budget(kBudgetBytes);
    Loader loader(split, config, std::make_shared<RandomCrops>(), budget);
    const std::uint64_t cached_bytes = loader.detailed_stats().cache.limit_bytes;
    const std::uint64_t free_bytes = budget.limit_bytes() - budget.used_bytes();
    BOOST_TEST(budget.room().left_bytes > free_bytes);
    std::atomic<bool> has_ended{false};
    std::atomic<int> num_refused{0};
    std::jthread others([&] {
      // One after the other takes an eighth of the cache more, until it has nothing left.
      const std::uint64_t all = budget.room().reclaimable_bytes;
      for (std::uint64_t eighth = 1; eighth <= 8; ++eighth) {
        while (!has_ended && loader.stats().num_batches < eighth * 50) std::this_thread::yield();
        try {
          const auto share = budget.draw(free_bytes + all * eighth / 8, "another loader");
        } catch (const Error&) {
          ++num_refused;
        }
      }
    });
    std::vector<std::string> hashes;
    while (const BatchLease lease = loader.next())
      hashes.push_back(tests::hash_batch(lease.view()));
    has_ended = true;
    others.join();
    BOOST_REQUIRE(hashes == expected.hashes);
    BOOST_TEST(num_refused == 0);
    const CacheStats stats = loader.detailed_stats().cache;
    BOOST_TEST(stats.num_hits > 0u);
    BOOST_TEST(stats.num_kept == 0u);
    BOOST_TEST(stats.limit_bytes < cached_bytes);
    BOOST_TEST(budget.high_water_bytes() <= kBudgetBytes);
  }
}

// The cache of the first has all that was left; the second has what it needs nevertheless.
BOOST_AUTO_TEST_CASE(a_second_loader_fits_where_the_first_ones_cache_is) {
  MemoryBudget budget(26u << 20);
  std::vector<tests::SmallSample> samples;
  for (std::uint32_t i = 0; i < 200; ++i) samples.push_back(tests::raw_sample(200, 200, i));
  const tests::TemporaryFolder own;
  const Dataset large = tests::write_small_dataset(own.path() / "d", samples);
  LoaderConfig config = config_of();
  config.work_bytes = 2u << 20;
  const Streamed expected = stream(large.split("train"), config);
  config.cache = CacheForm::kEncoded;
  Loader first(large.split("train"), config, std::make_shared<RandomCrops>(), budget);
  std::vector<std::string> hashes;
  for (int i = 0; i < 30; ++i) hashes.push_back(tests::hash_batch(first.next().view()));
  BOOST_TEST(budget.limit_bytes() - budget.used_bytes() < kPageBytes);
  const std::uint64_t before = first.detailed_stats().cache.limit_bytes;
  Loader second(large.split("train"), config, std::make_shared<RandomCrops>(), budget);
  BOOST_TEST(first.detailed_stats().cache.limit_bytes < before);
  BOOST_TEST(first.detailed_stats().cache.num_kept > 0u);
  BOOST_TEST(second.detailed_stats().cache.limit_bytes == 0u);  // takes nothing from other caches
  for (const std::string& hash : expected.hashes)
    BOOST_TEST(tests::hash_batch(second.next().view()) == hash);
  while (const BatchLease lease = first.next()) hashes.push_back(tests::hash_batch(lease.view()));
  BOOST_REQUIRE(hashes == expected.hashes);
  BOOST_TEST(budget.high_water_bytes() <= budget.limit_bytes());
}

BOOST_AUTO_TEST_CASE(it_may_be_destroyed_or_stopped_at_any_moment) {
  MemoryBudget budget(kBudgetBytes);
  for (std::uint32_t i = 0; i < 60; ++i) {
    LoaderConfig config = config_of();
    config.num_epochs = {};
    config.cache = i % 2 == 0 ? CacheForm::kEncoded : CacheForm::kDecoded;
    Loader loader(split, config, std::make_shared<RandomCrops>(), budget);
    BatchLease held;
    for (std::uint32_t k = 0; k < i % 20; ++k) held = loader.next();
    if (i % 3 == 0) continue;
    loader.request_stop();
    // A stopped loader that is still there holds up nobody.
    const std::uint64_t left = budget.limit_bytes() - budget.used_bytes();
    try {
      const auto share = budget.draw(left + kPageBytes, "another loader");
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
    }
  }
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(its_settings_are_checked_and_are_no_part_of_the_identity) {
  const auto refused = [](const LoaderConfig& config, const std::string& message) {
    BOOST_CHECK_EXCEPTION(config.validate(), Error,
                          [&](const Error& error) { return error.what() == message; });
  };
  LoaderConfig config = config_of();
  config.cache_bytes = 1;
  refused(config, "loader: cache_bytes: expected 0 without a cache, found 1");
  config.cache = static_cast<CacheForm>(3);
  refused(config, "loader: cache: expected a CacheForm, found 3");
  config.cache = CacheForm::kDecoded;
  config.cache_bytes = ~std::uint64_t{0};
  refused(config, "loader: cache_bytes: expected 0 to 281474976710656, found 18446744073709551615");
  config.cache_bytes = 0;
  BOOST_TEST(loader_identity(split, config, RandomCrops()) ==
             loader_identity(split, config_of(), RandomCrops()));
}

BOOST_AUTO_TEST_CASE(the_plan_counts_it_last_and_within_what_is_left) {
  const std::uint64_t limit = 32u << 20;
  LoaderConfig config = config_of();
  const auto plan = [&](const MemoryRoom& room) {
    return plan_loader_memory(split, config, RandomCrops(), room);
  };
  const LoaderMemory without = plan({.limit_bytes = limit, .left_bytes = limit});
  BOOST_TEST(without.cache.total_bytes() == 0u);
  config.cache = CacheForm::kDecoded;
  const LoaderMemory with = plan({.limit_bytes = limit, .left_bytes = limit});
  BOOST_TEST(with.cache.total_bytes() > 0u);
  BOOST_TEST(with.total_bytes() == without.total_bytes() + with.cache.total_bytes());
  BOOST_TEST(with.least_bytes(config) == without.least_bytes(config));
  const std::vector<MemoryLine> lines = memory_lines(with, config);
  BOOST_REQUIRE(lines.size() == memory_lines(without, config_of()).size() + 1);
  const MemoryLine& line = lines[lines.size() - 3];
  BOOST_TEST(line.what == "cache");
  BOOST_TEST(line.bytes == with.cache.total_bytes());
  BOOST_TEST(line.detail == "decoded, all samples; given back when others draw it");
  BOOST_TEST(std::accumulate(
                 lines.begin(), lines.end() - 1, std::uint64_t{0},
                 [](std::uint64_t sum, const MemoryLine& l) { return sum + l.bytes; }) == limit);
  // Little is left, or what is left belongs to another cache.
  const std::uint64_t little = without.total_bytes() + 20'000;
  const LoaderMemory small = plan({.limit_bytes = limit, .left_bytes = little});
  BOOST_TEST(small.cache.total_bytes() > 0u);
  BOOST_TEST(small.total_bytes() <= little);
  BOOST_TEST(memory_lines(small, config)[6].detail.starts_with("decoded, all samples would take "));
  const LoaderMemory none =
      plan({.limit_bytes = limit, .left_bytes = limit, .reclaimable_bytes = limit});
  BOOST_TEST(none.cache.total_bytes() == 0u);
  BOOST_TEST(none.fits(config));
}

// What the plan says is what the budget counts.
BOOST_AUTO_TEST_CASE(a_loader_draws_what_its_plan_says) {
  LoaderConfig config = config_of();
  for (const CacheForm form : {CacheForm::kEncoded, CacheForm::kDecoded}) {
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{100'000}}) {
      config.cache = form;
      config.cache_bytes = bytes;
      MemoryBudget budget(kBudgetBytes);
      const LoaderMemory memory = plan_loader_memory(split, config, RandomCrops(), budget.room());
      const Loader loader(split, config, std::make_shared<RandomCrops>(), budget);
      BOOST_TEST(budget.used_bytes() == memory.total_bytes());
      BOOST_TEST(loader.detailed_stats().cache.limit_bytes == memory.cache.total_bytes());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
