#include "streamer/pipeline/loader.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "streamer/order/epoch_permutation.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::hash_all;
using tests::hash_batch;

BOOST_AUTO_TEST_SUITE(loader)

constexpr std::uint64_t kBudgetBytes = 256u << 20;
const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 20};

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
                                  .num_workers = num_threads,
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
