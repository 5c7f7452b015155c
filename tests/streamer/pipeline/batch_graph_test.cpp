// The graph alone, with stages made by the tests.
#include "streamer/pipeline/batch_graph.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "streamer/core/usable_cores.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(batch_graph)

// Collects what comes out, and waits for it.
class Outcome {
 public:
  void add(std::uint64_t seq) {
    const std::scoped_lock lock(mutex_);
    seqs_.push_back(seq);
    changed_.notify_all();
  }
  void fail(const std::exception_ptr& error) {
    const std::scoped_lock lock(mutex_);
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      errors_.emplace_back(e.what());
    }
    changed_.notify_all();
  }
  std::vector<std::uint64_t> wait_for_batches(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return seqs_.size() >= count; });
    return seqs_;
  }
  std::string wait_for_error() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !errors_.empty(); });
    return errors_.front();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> seqs_;
  std::vector<std::string> errors_;
};

BatchGraph::Stages plain_stages(Outcome& outcome) {
  return {.fill = [](const SampleRun&, std::uint32_t) {},
          .collate = [](const SampleRun& run) -> std::optional<FilledBatch> {
            return FilledBatch{run.batch_seq, run.slot_idx};
          },
          .finish = [](const FilledBatch&) {},
          .deliver = [&outcome](const FilledBatch& batch) { outcome.add(batch.seq); },
          .on_error = [&outcome](const std::exception_ptr& error) { outcome.fail(error); }};
}

SampleRun run_of(std::uint64_t seq) {
  SampleRun run;
  run.batch_seq = seq;
  return run;
}

BOOST_AUTO_TEST_CASE(batches_leave_in_order_however_they_come) {
  Outcome outcome;
  BatchGraph graph(2, plain_stages(outcome));
  for (const std::uint64_t seq : {3u, 1u, 0u, 2u, 7u, 6u, 5u, 4u}) graph.push(run_of(seq));
  const std::vector<std::uint64_t> expected = {0, 1, 2, 3, 4, 5, 6, 7};
  BOOST_TEST(outcome.wait_for_batches(8) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_exception_from_any_stage_is_handed_over_and_hangs_nothing) {
  for (const std::string stage : {"fill", "collate", "finish", "deliver"}) {
    BOOST_TEST_INFO("stage " << stage);
    Outcome outcome;
    BatchGraph::Stages stages = plain_stages(outcome);
    if (stage == "fill") {
      stages.fill = [](const SampleRun&, std::uint32_t) { throw std::runtime_error("fill"); };
    } else if (stage == "collate") {
      stages.collate = [](const SampleRun&) -> std::optional<FilledBatch> {
        throw std::runtime_error("collate");
      };
    } else if (stage == "finish") {
      stages.finish = [](const FilledBatch&) { throw std::runtime_error("finish"); };
    } else {
      stages.deliver = [](const FilledBatch&) { throw std::runtime_error("deliver"); };
    }
    BatchGraph graph(2, std::move(stages));
    graph.push(run_of(0));
    BOOST_TEST(outcome.wait_for_error() == stage);
    graph.push(run_of(1));  // into a cancelled graph: ignored
  }
}

// What a worker owns is used by one thread at a time.
BOOST_AUTO_TEST_CASE(no_two_runs_are_filled_at_once_under_the_same_workers_number) {
  Outcome outcome;
  std::array<std::atomic<int>, 8> num_inside{};
  std::atomic<int> num_wrong = 0;
  BatchGraph::Stages stages = plain_stages(outcome);
  stages.fill = [&](const SampleRun&, std::uint32_t worker) {
    if (worker >= 8 || num_inside[worker]++ != 0) return void(++num_wrong);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    --num_inside[worker];
  };
  BatchGraph graph(8, std::move(stages));
  BOOST_TEST(graph.num_workers() == std::min(num_usable_cores(), 8u));
  for (std::uint64_t seq = 0; seq < 200; ++seq) graph.push(run_of(seq));
  outcome.wait_for_batches(200);
  BOOST_TEST(num_wrong == 0);
}

// Each run waits for a partner, so that it ends only when two are filled at a time: from the first pair to
// the last.
BOOST_AUTO_TEST_CASE(runs_are_filled_side_by_side_as_long_as_there_are_any) {
  if (num_usable_cores() < 2) {
    std::cout << "SKIPPED: one core has one worker\n";
    return;
  }
  Outcome outcome;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t num_begun = 0;
  std::atomic<int> num_alone = 0;
  BatchGraph::Stages stages = plain_stages(outcome);
  stages.fill = [&](const SampleRun&, std::uint32_t) {
    std::unique_lock lock(mutex);
    const std::uint64_t partner = num_begun++ | 1;  // the second of the pair
    changed.notify_all();
    const bool has_met =
        changed.wait_for(lock, std::chrono::seconds(5), [&] { return num_begun > partner; });
    if (!has_met) {
      ++num_alone;
      num_begun |= 1;  // lets the others go on
    }
  };
  BatchGraph graph(2, std::move(stages));
  for (std::uint64_t seq = 0; seq < 40; ++seq) {
    graph.push(run_of(seq));
    if (seq % 8 == 7) outcome.wait_for_batches(seq + 1);  // it runs dry between
  }
  outcome.wait_for_batches(40);
  BOOST_TEST(num_alone == 0);
}

// The same for whole batches, of which the first is held up until the second has begun.
BOOST_AUTO_TEST_CASE(batches_are_finished_side_by_side_and_leave_in_order) {
  if (num_usable_cores() < 2) {
    std::cout << "SKIPPED: one core has one worker\n";
    return;
  }
  Outcome outcome;
  std::mutex mutex;
  std::condition_variable changed;
  bool has_second_begun = false;
  std::atomic<bool> was_side_by_side = false;
  BatchGraph::Stages stages = plain_stages(outcome);
  stages.finish = [&](const FilledBatch& batch) {
    std::unique_lock lock(mutex);
    if (batch.seq == 1) has_second_begun = true;
    changed.notify_all();
    if (batch.seq == 0) {
      was_side_by_side =
          changed.wait_for(lock, std::chrono::seconds(5), [&] { return has_second_begun; });
    }
  };
  BatchGraph graph(2, std::move(stages));
  graph.push(run_of(0));
  std::this_thread::sleep_for(
      std::chrono::milliseconds(5));  // the first is being finished: one runner
  graph.push(run_of(1));
  const std::vector<std::uint64_t> expected = {0, 1};
  BOOST_TEST(outcome.wait_for_batches(2) == expected, boost::test_tools::per_element());
  BOOST_TEST(was_side_by_side);
}

BOOST_AUTO_TEST_CASE(a_graph_may_die_with_runs_under_way) {
  for (int i = 0; i < 50; ++i) {
    Outcome outcome;
    BatchGraph graph(2, plain_stages(outcome));
    for (std::uint64_t seq = 0; seq < 20; ++seq) graph.push(run_of(seq));
    if (i % 2 == 0) graph.cancel();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
