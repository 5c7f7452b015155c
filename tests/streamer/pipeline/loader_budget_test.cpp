// Loaders and the budget that they draw from: alone, side by side, and outliving it.
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

using tests::hash_all;
using tests::hash_batch;

BOOST_AUTO_TEST_SUITE(loader_budget)

constexpr std::uint64_t kBudgetBytes = 256u << 20;
const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 20};

BOOST_AUTO_TEST_CASE(what_does_not_fit_the_budget_is_refused_and_draws_nothing) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10));
  MemoryBudget budget(2u << 20);
  BOOST_CHECK_EXCEPTION(
      Loader(dataset.split("train"),
             {.batch = {.batch = 100, .height_px = 96, .width_px = 96},
              .num_readers = 1,
              .num_workers = 1},
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
