#include "tools/convert/write/ordered_work.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(ordered_work)

BOOST_AUTO_TEST_CASE(results_arrive_in_order_for_any_number_of_threads) {
  for (const unsigned num_threads : {1u, 2u, 8u}) {
    OrderedWork<std::string> work(
        {.num_items = 500, .num_threads = num_threads, .window = 3},
        [](unsigned, std::size_t i, const auto& emit) { emit(std::to_string(i)); });
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
                        [&](unsigned, std::size_t i, const auto& emit) {
                          const int now = ++num_alive;
                          int seen = most;
                          while (now > seen && !most.compare_exchange_weak(seen, now)) {
                          }
                          emit(static_cast<int>(i));
                        });
  work.run([&](std::size_t, int) { --num_alive; });
  // One more is with the consumer while the window refills.
  BOOST_TEST(most <= 6);
}

BOOST_AUTO_TEST_CASE(the_first_failure_by_item_is_thrown_on) {
  OrderedWork<int> work({.num_items = 100, .num_threads = 4, .window = 16},
                        [](unsigned, std::size_t i, const auto& emit) {
                          if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
                          emit(0);
                        });
  std::size_t num_consumed = 0;
  BOOST_CHECK_EXCEPTION(
      work.run([&](std::size_t, int) { ++num_consumed; }), std::runtime_error,
      [](const std::runtime_error& error) { return std::string(error.what()) == "7"; });
  BOOST_TEST(num_consumed == 7u);
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_consumer_ends_the_threads) {
  OrderedWork<int> work({.num_items = 1000, .num_threads = 4, .window = 8},
                        [](unsigned, std::size_t, const auto& emit) { emit(1); });
  BOOST_CHECK_THROW(work.run([](std::size_t i, int) {
    if (i == 3) throw std::logic_error("enough");
  }),
                    std::logic_error);
}

BOOST_AUTO_TEST_CASE(no_items_are_no_work) {
  OrderedWork<int> work({.num_items = 0, .num_threads = 2, .window = 2},
                        [](unsigned, std::size_t, const auto& emit) { emit(1); });
  work.run([](std::size_t, int) { BOOST_FAIL("there is nothing"); });
}

BOOST_AUTO_TEST_CASE(an_item_may_have_any_number_of_results) {
  OrderedWork<std::size_t> work({.num_items = 40, .num_threads = 3, .window = 5},
                                [](unsigned, std::size_t i, const auto& emit) {
                                  for (std::size_t k = 0; k < i % 4; ++k) emit(10 * i + k);
                                });
  std::vector<std::size_t> seen;
  work.run([&](std::size_t i, std::size_t result) {
    BOOST_TEST(result / 10 == i);
    seen.push_back(result);
  });
  std::vector<std::size_t> expected;
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t k = 0; k < i % 4; ++k) expected.push_back(10 * i + k);
  }
  BOOST_CHECK(seen == expected);
}

// An item that waits for the consumer to be done with its first result would else wait for ever.
BOOST_AUTO_TEST_CASE(the_first_results_of_an_item_are_seen_while_it_is_worked_on) {
  std::mutex mutex;
  std::condition_variable seen;
  bool is_seen = false;
  OrderedWork<int> work({.num_items = 1, .num_threads = 1, .window = 1}, [&](unsigned, std::size_t,
                                                                             const auto& emit) {
    emit(1);
    std::unique_lock lock(mutex);
    const bool came = seen.wait_for(lock, std::chrono::seconds(30), [&] { return is_seen; });
    emit(came ? 2 : 0);
  });
  std::vector<int> results;
  work.run([&](std::size_t, int result) {
    results.push_back(result);
    const std::lock_guard lock(mutex);
    is_seen = true;
    seen.notify_all();
  });
  BOOST_CHECK((results == std::vector<int>{1, 2}));
}

BOOST_AUTO_TEST_CASE(whoever_waits_elsewhere_is_woken_when_the_work_ends) {
  std::promise<void> ended;
  const std::shared_future<void> end = ended.get_future().share();
  OrderedWork<int> work(
      {.num_items = 10, .num_threads = 2, .window = 4, .on_halt = [&] { ended.set_value(); }},
      [&](unsigned, std::size_t i, const auto&) {
        if (i == 0) throw std::runtime_error("first");
        end.wait();
      });
  BOOST_CHECK_THROW(work.run([](std::size_t, int) {}), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
