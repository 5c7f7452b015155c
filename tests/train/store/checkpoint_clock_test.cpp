#include "train/store/checkpoint_clock.h"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

using Reason = CheckpointReason;
using std::chrono::minutes;
using std::chrono::seconds;

/// A clock that stands until it is told.
struct Fixture {
  CheckpointClock::Clock::time_point now{};
  std::uint64_t step = 0;

  CheckpointClock clock_of(const CheckpointTimes& times) {
    return CheckpointClock(times, [this] { return now; });
  }
  std::optional<Reason> after_step(CheckpointClock& clock, seconds took,
                                   bool is_epoch_end = false) {
    clock.note_step_start();
    now += took;
    return clock.due_after({.step = ++step, .is_epoch_end = is_epoch_end});
  }
  void save(CheckpointClock& clock, seconds took) {
    clock.note_save_start();
    now += took;
    clock.note_save_end();
  }
};

bool is(std::optional<Reason> found, Reason expected) {
  return found == expected;
}

BOOST_FIXTURE_TEST_SUITE(checkpoint_clock, Fixture)

BOOST_AUTO_TEST_CASE(by_default_it_is_every_ten_minutes_and_every_epoch) {
  CheckpointClock clock = clock_of({});
  for (int i = 0; i < 9; ++i) BOOST_TEST(!after_step(clock, minutes(1)));
  BOOST_TEST(is(after_step(clock, minutes(1)), Reason::kMinutes));
  save(clock, minutes(3));
  // From its end: ten minutes of work may be lost, not seven.
  for (int i = 0; i < 9; ++i) BOOST_TEST(!after_step(clock, minutes(1)));
  BOOST_TEST(is(after_step(clock, minutes(1)), Reason::kMinutes));
  save(clock, seconds(1));
  BOOST_TEST(is(after_step(clock, seconds(1), true), Reason::kEpoch));
}

// A step of any length is cut off when only twice the last save, of 60 s, is left of 60 minutes.
BOOST_AUTO_TEST_CASE(within_a_step_time_is_up_when_a_save_is_all_that_is_left) {
  CheckpointClock clock = clock_of({.every_minutes = 0, .every_epoch = false, .max_minutes = 60});
  save(clock, seconds(60));
  BOOST_TEST(!after_step(clock, minutes(20)));
  now += minutes(36);
  BOOST_TEST(clock.is_time_up());
  BOOST_TEST(!clock.is_time_up_in_step());
  now += seconds(61);
  BOOST_TEST(clock.is_time_up_in_step());
  BOOST_TEST(!clock_of({.max_minutes = 0}).is_time_up_in_step());
  // A save is taken to last 10 s, but a process of 4 s has 2 s to take a step in.
  const CheckpointClock hurried = clock_of({.max_minutes = 4.0 / 60});
  BOOST_TEST(!hurried.is_time_up_in_step());
  now += seconds(3);
  BOOST_TEST(hurried.is_time_up_in_step());
}

BOOST_AUTO_TEST_CASE(until_it_is_stored_it_stays_due) {
  CheckpointClock clock = clock_of({.every_minutes = 1});
  BOOST_TEST(is(after_step(clock, seconds(60)), Reason::kMinutes));
  BOOST_TEST(is(after_step(clock, seconds(1)), Reason::kMinutes));
  save(clock, seconds(1));
  BOOST_TEST(!after_step(clock, seconds(1)));
}

// So that a resumed run stores at the same steps as the unbroken one.
BOOST_AUTO_TEST_CASE(steps_are_counted_from_the_start_of_the_run) {
  CheckpointClock clock = clock_of({.every_steps = 100, .every_minutes = 0, .every_epoch = false});
  step = 149;  // went on from a checkpoint there
  std::vector<std::uint64_t> stored;
  while (step < 450) {
    if (after_step(clock, minutes(30), step % 10 == 0)) stored.push_back(step);
  }
  BOOST_TEST(stored == (std::vector<std::uint64_t>{200, 300, 400}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_all_off_none_is_due) {
  CheckpointClock clock = clock_of({.every_minutes = 0, .every_epoch = false});
  for (int i = 0; i < 100; ++i) BOOST_TEST(!after_step(clock, minutes(60), true));
}

// 60 minutes, steps of at most 2, saves of at most 3: the last step may begin with 2 + 2 * 3 left.
BOOST_AUTO_TEST_CASE(the_last_checkpoint_is_stored_before_the_time_ends) {
  CheckpointClock clock = clock_of({.every_minutes = 0, .every_epoch = false, .max_minutes = 60});
  BOOST_TEST(!after_step(clock, minutes(2)));
  save(clock, minutes(3));
  save(clock, minutes(1));
  BOOST_TEST(!after_step(clock, minutes(1)));
  now += minutes(40);                          // a validation: no step is that long
  BOOST_TEST(!after_step(clock, minutes(1)));  // at 48
  BOOST_TEST(!after_step(clock, minutes(2)));
  BOOST_TEST(!after_step(clock, minutes(2)));  // at 52: 8 are left
  BOOST_TEST(is(after_step(clock, seconds(1)), Reason::kMaxTime));
  BOOST_TEST(is(after_step(clock, seconds(1), true), Reason::kMaxTime));
}

BOOST_AUTO_TEST_CASE(before_the_first_checkpoint_its_time_is_guessed) {
  CheckpointClock clock =
      clock_of({.every_minutes = 0, .every_epoch = false, .max_minutes = 1, .first_save_s = 20});
  for (int i = 0; i < 39; ++i) BOOST_TEST(!after_step(clock, seconds(1)));  // 21 s are left
  BOOST_TEST(is(after_step(clock, seconds(1)), Reason::kMaxTime));
}

BOOST_AUTO_TEST_CASE(times_out_of_range_are_refused) {
  const auto refusal_of = [](const CheckpointTimes& times) -> std::string {
    try {
      times.validate();
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
      return error.what();
    }
    return "accepted";
  };
  BOOST_TEST(refusal_of({}) == "accepted");
  BOOST_TEST(refusal_of({.every_minutes = -1}) ==
             "checkpoint: every_minutes: expected 0 to 525600, found -1");
  BOOST_TEST(refusal_of({.max_minutes = 525601}) ==
             "checkpoint: max_minutes: expected 0 to 525600, found 525601");
  BOOST_TEST(refusal_of({.max_minutes = std::numeric_limits<double>::quiet_NaN()}) ==
             "checkpoint: max_minutes: expected 0 to 525600, found nan");
  BOOST_TEST(refusal_of({.first_save_s = 3601}) ==
             "checkpoint: first_save_s: expected 0 to 3600, found 3601");
  BOOST_CHECK_THROW(CheckpointClock({.every_minutes = -1}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
