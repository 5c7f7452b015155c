#include "tools/bench/bench_threads.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "streamer/core/usable_cores.h"

namespace penstock::tools::bench {
namespace {

BOOST_AUTO_TEST_SUITE(bench_threads)

BOOST_AUTO_TEST_CASE(every_item_is_worked_on_once) {
  for (const std::uint32_t num_threads : {1u, 3u}) {
    for (const std::size_t num_items : {std::size_t{1}, std::size_t{1000}}) {
      std::vector<std::atomic<int>> seen(num_items);
      std::atomic<bool> is_in_range = true;
      const RunTime time = run_on_threads(num_threads, num_items, [&](const Share& share) {
        if (share.thread_idx >= num_threads || share.end > num_items) is_in_range = false;
        for (std::size_t i = share.begin; i < share.end; ++i) ++seen[i];
      });
      BOOST_TEST(is_in_range);
      for (const auto& count : seen) BOOST_REQUIRE(count == 1);
      BOOST_TEST(time.seconds > 0);
      BOOST_TEST(time.cpu_seconds >= 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_thread_reaches_the_caller) {
  BOOST_CHECK_THROW(
      (void)run_on_threads(2, 100, [](const Share&) { throw std::runtime_error("no"); }),
      std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_core_limit_holds_for_its_scope) {
  const std::uint32_t before = num_usable_cores();
  {
    const CoreLimit limit(1);
    BOOST_TEST(num_usable_cores() == 1u);
  }
  BOOST_TEST(num_usable_cores() == before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
