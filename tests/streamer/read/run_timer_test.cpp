#include "streamer/read/run_timer.h"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(run_timer)

void sleep_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::vector<SampleTask> tasks_of(std::size_t count, std::uint32_t length_bytes) {
  std::vector<SampleTask> tasks(count);
  for (SampleTask& task : tasks) task.record.length_bytes = length_bytes;
  return tasks;
}

BOOST_AUTO_TEST_CASE(a_total_is_divided_in_the_proportion_of_the_parts) {
  BOOST_CHECK((RunTimer::divide(1000, {1, 2, 7, 0}, RunPart::kRead) == RunTimes{100, 200, 700, 0}));
  BOOST_CHECK((RunTimer::divide(1000, {0, 0, 3, 1}, RunPart::kDecode) == RunTimes{0, 0, 750, 250}));
  BOOST_CHECK((RunTimer::divide(1000, {}, RunPart::kDecode) == RunTimes{0, 0, 1000, 0}));
}

BOOST_AUTO_TEST_CASE(every_part_of_large_samples_is_timed) {
  std::vector<SampleTask> tasks = tasks_of(3, 1u << 20);
  RunTimer timer({.tasks = tasks, .batch_seq = 5}, RunPart::kRead);
  for (std::size_t i = 0; i < 3; ++i) {
    timer.begin_sample(i);
    timer.end(RunPart::kRead);
    sleep_ms(2);
    timer.end(RunPart::kChecksum);
    if (i == 2) sleep_ms(20);
    timer.end(RunPart::kDecode);
  }
  const RunTimes times = timer.times();
  BOOST_TEST(times[1] >= 6'000'000);
  BOOST_TEST(times[2] >= 20'000'000);
  BOOST_TEST(times[0] < times[2]);
}

BOOST_AUTO_TEST_CASE(one_of_the_small_samples_stands_for_the_others_each_time_another) {
  // Sample i sleeps in its checksum only in run i, and in its decode in all others: what comes out
  // says which sample was timed.
  for (std::uint64_t seq = 0; seq < 4; ++seq) {
    std::vector<SampleTask> tasks = tasks_of(4, 3072);
    RunTimer timer({.tasks = tasks, .batch_seq = seq}, RunPart::kRead);
    for (std::size_t i = 0; i < 4; ++i) {
      timer.begin_sample(i);
      timer.end(RunPart::kRead);
      if (i == seq) sleep_ms(2);
      timer.end(RunPart::kChecksum);
      if (i != seq) sleep_ms(2);
      timer.end(RunPart::kDecode);
    }
    const RunTimes times = timer.times();
    BOOST_TEST(times[0] + times[1] + times[2] >= 8'000'000);
    BOOST_TEST(times[1] > times[0] + times[2]);
  }
}

// The cache serves all samples but one, wherever that one lies.
BOOST_AUTO_TEST_CASE(a_run_of_which_most_is_left_out_is_timed_all_the_same) {
  for (std::uint64_t seq = 0; seq < 4; ++seq) {
    std::vector<SampleTask> tasks = tasks_of(4, 3072);
    RunTimer timer({.tasks = tasks, .batch_seq = seq}, RunPart::kRead);
    timer.begin_sample(1);
    sleep_ms(2);
    timer.end(RunPart::kRead);
    timer.end(RunPart::kChecksum);
    const RunTimes times = timer.times();
    BOOST_TEST(times[0] >= 1'900'000);
    BOOST_TEST(times[1] < times[0]);
  }
}

BOOST_AUTO_TEST_CASE(a_run_without_samples_is_all_its_main_part) {
  const RunTimes times = RunTimer(SampleRun{.batch_seq = 3}, RunPart::kRead).times();
  BOOST_TEST(times[0] >= 0);
  BOOST_TEST(times[1] + times[2] + times[3] == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
