// 2,000 steps with validations and checkpoints between: nothing grows.
#include <boost/test/unit_test.hpp>

#include <iostream>

#include "tests/sanitizer.h"
#include "tests/train/run/held_memory.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(run_growth)

BOOST_AUTO_TEST_CASE(
    two_thousand_steps_with_validations_and_checkpoints_hold_no_more_than_five_hundred) {
  tests::TinyRun place;
  RunConfig config = place.config();
  config.epochs = 20;
  config.steps_per_epoch = 100;
  config.validate_every_steps = 25;
  config.checkpoint.every_steps = 40;
  std::uint64_t num_validations = 0;
  std::uint64_t num_steps = 0;
  std::uint64_t warm_bytes = 0;
  std::uint64_t end_bytes = 0;
  place.watcher.at_validation = [&](const EpochReport&) { ++num_validations; };
  place.watcher.at_epoch = [&](const EpochReport& report) {
    num_steps = report.num_steps;
    end_bytes = tests::status_bytes("VmRSS");
    if (report.epoch_idx == 4) warm_bytes = end_bytes;
  };
  const RunOutcome outcome = train_run(config, place.watcher, place.stop.get_token());
  BOOST_TEST(num_steps == 2000u);
  BOOST_TEST(num_validations >= 60u);
  BOOST_TEST((outcome.checkpoint_step == 2000u));
  BOOST_TEST_MESSAGE("resident after 500 steps " << warm_bytes << " bytes, after 2000 "
                                                 << end_bytes);
  if (penstock::tests::kHasSanitizer || warm_bytes == 0) {
    std::cout
        << "SKIPPED: resident memory: sanitizers keep what was freed, or no /proc/self/status\n";
    return;
  }
  // A batch of 24 KiB left behind at every step would be 36 MiB, the 6 KiB of weights and momentum at every
  // step 9 MiB, 40 KiB at every validation 2.4 MiB. malloc's heaps differ from thread to thread by less than this.
  BOOST_TEST(end_bytes <= warm_bytes + (1u << 20));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
