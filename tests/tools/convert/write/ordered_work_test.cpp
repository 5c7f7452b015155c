#include "tools/convert/write/ordered_work.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(ordered_work)

BOOST_AUTO_TEST_CASE(results_arrive_in_order_for_any_number_of_threads) {
  for (const unsigned num_threads : {1u, 2u, 8u}) {
    OrderedWork<std::string> work({.num_items = 500, .num_threads = num_threads, .window = 3},
                                  [](unsigned, std::size_t i) { return std::to_string(i); });
    std::size_t expected = 0;
    work.run([&](std::size_t i, const std::string& result) {
      BOOST_REQUIRE(i == expected);
      BOOST_REQUIRE(result == std::to_string(expected));
      ++expected;
    });
    BOOST_TEST(expected == 500u);
  }
}

BOOST_AUTO_TEST_CASE(no_more_results_wait_than_the_window_holds) {
  std::atomic<int> num_alive = 0;
  std::atomic<int> most = 0;
  OrderedWork<int> work({.num_items = 200, .num_threads = 4, .window = 5},
                        [&](unsigned, std::size_t i) {
                          const int now = ++num_alive;
                          int seen = most;
                          while (now > seen && !most.compare_exchange_weak(seen, now)) {
                          }
                          return static_cast<int>(i);
                        });
  work.run([&](std::size_t, int) { --num_alive; });
  // One more is with the consumer while the window refills.
  BOOST_TEST(most <= 6);
}

BOOST_AUTO_TEST_CASE(the_first_failure_by_item_is_thrown_on) {
  OrderedWork<int> work({.num_items = 100, .num_threads = 4, .window = 16},
                        [](unsigned, std::size_t i) -> int {
                          if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
                          return 0;
                        });
  std::size_t num_consumed = 0;
  BOOST_CHECK_EXCEPTION(
      work.run([&](std::size_t, int) { ++num_consumed; }), std::runtime_error,
      [](const std::runtime_error& error) { return std::string(error.what()) == "7"; });
  BOOST_TEST(num_consumed == 7u);
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_consumer_ends_the_threads) {
  OrderedWork<int> work({.num_items = 1000, .num_threads = 4, .window = 8},
                        [](unsigned, std::size_t) { return 1; });
  BOOST_CHECK_THROW(work.run([](std::size_t i, int) {
    if (i == 3) throw std::logic_error("enough");
  }),
                    std::logic_error);
}

BOOST_AUTO_TEST_CASE(no_items_are_no_work) {
  OrderedWork<int> work({.num_items = 0, .num_threads = 2, .window = 2},
                        [](unsigned, std::size_t) { return 1; });
  work.run([](std::size_t, int) { BOOST_FAIL("there is nothing"); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
