// A loader may be destroyed at any moment, with leases still out, and leaves nothing behind.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <thread>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_stop)

const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 16};

std::size_t count_threads() {
  return tests::count_entries("/proc/self/task");
}
std::size_t count_descriptors() {
  return tests::count_entries("/proc/self/fd");
}

BOOST_AUTO_TEST_CASE(destroying_it_after_any_number_of_batches_ends_its_threads) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  const DatasetSplit split = dataset.split("train");
  MemoryBudget budget(64u << 20);
  const auto run = [&](std::uint32_t num_batches) {
    Loader loader(split, {.batch = kSpec, .num_epochs = {}, .num_readers = 2, .num_slots = 3},
                  std::make_shared<ResizeTransform>(), budget);
    for (std::uint32_t i = 0; i < num_batches; ++i) loader.next();
  };
  // TBB keeps its worker threads: after a few runs they are all there.
  std::size_t num_threads = 0;
  for (int i = 0; i < 10; ++i) {
    run(3);
    num_threads = std::max(num_threads, count_threads());
  }
  const std::size_t num_descriptors = count_descriptors();
  for (std::uint32_t i = 0; i < 40; ++i) run(i % 20);
  BOOST_TEST(count_threads() <= num_threads);
  BOOST_TEST(count_descriptors() == num_descriptors);
  BOOST_TEST(budget.used_bytes() == 0u);
}

// Large progressive pictures keep the workers inside a decode, a small arena and held leases keep
// admission waiting: destruction has to leave all of these.
BOOST_AUTO_TEST_CASE(destroying_it_ends_waits_and_decodes_whatever_they_are_in) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  const auto large = tests::jpeg_sample(1600, 1200, 1, {.is_progressive = true});
  for (int i = 0; i < 24; ++i) samples.push_back(large);
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  MemoryBudget budget(256u << 20);
  std::vector<BatchLease> leases;
  for (int i = 0; i < 4; ++i) {
    Loader loader(dataset.split("train"),
                  {.batch = {.batch = 2, .height_px = 16, .width_px = 16},
                   .num_epochs = {},
                   .num_readers = 2,
                   .num_slots = 3,
                   .work_bytes = 30u << 20},
                  std::make_shared<ResizeTransform>(ResizeConfig{.decode_scaling = false}), budget);
    for (int held = 0; held < i; ++held) leases.push_back(loader.next());
  }
  leases.clear();
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(leases_outlive_their_loader) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  MemoryBudget budget(64u << 20);
  std::vector<BatchLease> leases;
  std::vector<std::byte> copy;
  {
    Loader loader(dataset.split("train"), {.batch = kSpec, .num_epochs = {}, .num_slots = 4},
                  std::make_shared<ResizeTransform>(), budget);
    for (int i = 0; i < 3; ++i) leases.push_back(loader.next());
    copy.assign(leases[1]->pixels, leases[1]->pixels + kSpec.pixels_bytes());
  }
  BOOST_TEST(std::memcmp(copy.data(), leases[1]->pixels, copy.size()) == 0);
  BOOST_TEST(leases[2]->spec->batch == 8u);
  BOOST_TEST(budget.used_bytes() > 0u);  // the ring lives as long as its leases
  leases.clear();
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_holds_every_slot_may_go_on_once_it_releases_one) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(60));
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = kSpec, .num_epochs = {}, .num_slots = 2},
                std::make_shared<ResizeTransform>(), budget);
  for (int i = 0; i < 10; ++i) {
    BatchLease a = loader.next();
    BatchLease b = loader.next();
    BOOST_TEST(b->batch_idx == a->batch_idx + 1);
    BOOST_CHECK_THROW(loader.next(), Error);
    std::jthread([lease = std::move(a)]() mutable { lease.release(); }).join();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
