#include "tools/care/mutual_help.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

namespace penstock::care {
namespace {

BOOST_AUTO_TEST_SUITE(mutual_help)

BOOST_AUTO_TEST_CASE(every_part_is_done_once_whoever_does_it) {
  constexpr std::size_t kNumTasks = 5;
  constexpr std::size_t kNumParts = 200;
  constexpr unsigned kNumThreads = 4;
  MutualHelp help(kNumTasks);
  std::array<std::array<std::atomic<int>, kNumParts>, kNumTasks> num_done{};
  std::atomic<std::size_t> next = 0;
  std::atomic<int> num_left = 0;  // parts that were not done when do_parts() had returned
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kNumThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = next++; i < kNumTasks; i = next++) {
          const MutualHelp::TaskScope task(help);
          help.do_parts(t, kNumParts, [&, i](unsigned, std::size_t part) { ++num_done[i][part]; });
          for (const std::atomic<int>& n : num_done[i]) num_left += n == 1 ? 0 : 1;
        }
        help.help(t);
      });
    }
  }
  BOOST_TEST(num_left == 0);
  for (const auto& task : num_done) {
    for (const std::atomic<int>& n : task) BOOST_REQUIRE_EQUAL(n.load(), 1);
  }
}

BOOST_AUTO_TEST_CASE(a_thread_without_a_task_does_parts_of_anothers) {
  MutualHelp help(1);
  std::array<std::atomic<int>, 2> num_done_by{};
  std::jthread helper([&] { help.help(1); });
  std::latch both(2);  // two parts at a time take two threads
  {
    const MutualHelp::TaskScope task(help);
    help.do_parts(0, 2, [&](unsigned thread_idx, std::size_t) {
      ++num_done_by[thread_idx];
      both.arrive_and_wait();
    });
  }
  BOOST_TEST(num_done_by[0] == 1);
  BOOST_TEST(num_done_by[1] == 1);
}

BOOST_AUTO_TEST_CASE(help_ends_with_tasks_that_had_no_parts) {
  MutualHelp help(2);
  std::jthread helper([&] { help.help(1); });
  { const MutualHelp::TaskScope task(help); }
  { const MutualHelp::TaskScope task(help); }
  helper.join();
}

BOOST_AUTO_TEST_CASE(what_a_part_throws_leaves_by_the_thread_that_did_it) {
  MutualHelp help(1);
  std::array<std::atomic<bool>, 2> has_thrown{};
  const auto note = [&](unsigned thread_idx, const auto& call) {
    try {
      call();
    } catch (const std::runtime_error&) {
      has_thrown[thread_idx] = true;
    }
  };
  std::jthread helper([&] { note(1, [&] { help.help(1); }); });
  std::latch both(2);
  {
    const MutualHelp::TaskScope task(help);
    note(0, [&] {
      help.do_parts(0, 2, [&](unsigned thread_idx, std::size_t) {
        both.arrive_and_wait();
        if (thread_idx == 1) throw std::runtime_error("a part");
      });
    });
  }
  helper.join();
  BOOST_TEST(!has_thrown[0]);
  BOOST_TEST(has_thrown[1]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
