// Training runs whose disk is full: for checkpoints, for weights or for all, for a moment or for good.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <map>
#include <string>

#include "tests/cli/cut_off_run.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

BOOST_FIXTURE_TEST_SUITE(full_disk_cli, CutOffRun)

// The disk is full for checkpoints alone, and from the first on.
BOOST_AUTO_TEST_CASE(a_disk_that_takes_no_checkpoint_costs_warnings_and_no_run) {
  const CommandResult result = run_penstock(
      line({"--quiet"}), fault("pwrite:1+:" + std::to_string(ENOSPC), out / "checkpoints"));
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.err, "warning   checkpoint: "));
  BOOST_TEST(contains(result.err, "No space left on device"));
  BOOST_TEST(checkpoints().empty());
  check_as_unbroken();
}

BOOST_AUTO_TEST_CASE(a_stop_whose_checkpoint_does_not_fit_says_what_is_there_and_what_is_not) {
  const CommandResult stopped =
      run_penstock(line({"--quiet", "--max-time", "1s"}),
                   fault("pwrite:1+:" + std::to_string(ENOSPC), out / "checkpoints"));
  BOOST_TEST(stopped.exit_code == 4);
  BOOST_TEST(contains(stopped.err,
                      "train: stopped after 0 whole epochs and 1 step (--max-time); no "
                      "checkpoint could be stored: the weights are in " +
                          out.native() +
                          "\nhint: free some space; these weights can begin another run: "
                          "penstock train " +
                          shapes.dataset.native() + " -o OTHER --init-from " + out.native() + "\n"),
             stopped.err);
  const CommandResult other =
      run_penstock(shapes.line(folder.path() / "other", {"--epochs", "1", "--init-from", out}));
  BOOST_TEST(other.exit_code == 0, other.err);
}

BOOST_AUTO_TEST_CASE(a_stop_whose_checkpoint_does_not_fit_goes_on_from_the_one_before) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const CommandResult stopped = resume(
      {"--max-time", "1s"}, fault("pwrite:1+:" + std::to_string(ENOSPC), out / "checkpoints"));
  BOOST_TEST(stopped.exit_code == 4);
  BOOST_TEST(
      contains(stopped.err,
               "stopped after 0 whole epochs and 2 steps (--max-time); stored as of step 1; "
               "the 1 step since could not be stored and will be taken again\nhint: to go on: "),
      stopped.err);
  const CommandResult done = resume();
  BOOST_TEST(done.exit_code == 0, done.err);
  check_as_unbroken();
}

// It is full for everything, for as long as one call takes.
BOOST_AUTO_TEST_CASE(a_disk_that_is_full_for_a_moment_costs_no_run) {
  int num_warned = 0;
  for (const int number : {2, 5, 8, 11, 14, 40}) {
    fs::remove_all(out);
    const CommandResult result =
        run_penstock(line({"--quiet", "--checkpoint.every-steps", "2"}),
                     fault("pwrite:" + std::to_string(number) + ":" + std::to_string(ENOSPC), out));
    BOOST_TEST_CONTEXT("call " << number << ": " << result.err) {
      BOOST_TEST(result.exit_code == 0);
      num_warned += contains(result.err, "warning   ") ? 1 : 0;
      check_as_unbroken();
    }
  }
  BOOST_TEST(num_warned == 6);
}

// It stays full, before a run file is stored and after that.
BOOST_AUTO_TEST_CASE(a_disk_that_stays_full_says_what_is_lost_and_what_to_do) {
  const std::map<int, std::string> hints = {
      {ENOSPC, "free some space, or choose another folder with -o"},
      {EFBIG,
       "raise the limit on the size of a file (ulimit -f unlimited), or choose a folder on another "
       "file system with -o"}};
  for (const auto& [error, hint] : hints) {
    for (const char* const plan : {"pwrite:1+:", "pwrite:2+:"}) {
      const CommandResult result = run_penstock(line({"--quiet", "--epochs", "1"}),
                                                fault(plan + std::to_string(error), out));
      BOOST_TEST_CONTEXT(plan << error << ": " << result.err) {
        BOOST_TEST(result.exit_code == 1);
        BOOST_TEST(contains(result.err, "\nhint: " + hint + "\n"));
        BOOST_TEST(!fs::exists(out));
        if (plan == std::string("pwrite:1+:")) continue;
        BOOST_TEST(contains(result.err, "; these weights were not stored"));
        BOOST_TEST(contains(
            result.err, "; nothing of this run is stored, and " + out.native() + " is removed\n"));
      }
    }
  }
}

// The weights alone do not fit, for as long as one or two of their epochs take.
BOOST_AUTO_TEST_CASE(weights_of_the_best_epoch_that_do_not_fit_for_a_moment_are_stored_later) {
  const Words stopping = {"--early-stopping.patience", "3", "--early-stopping.min-delta", "1e9"};
  for (const char* const plan : {"pwrite:1:", "pwrite:2:"}) {
    BOOST_TEST_CONTEXT(plan) {
      fs::remove_all(out);
      const CommandResult result =
          run_penstock(line(stopping), fault(plan + std::to_string(ENOSPC), out / "weights"));
      BOOST_TEST(result.exit_code == 0, result.err);
      BOOST_TEST(contains(result.err, "No space left on device; tried again after the next epoch"));
      check_as_unbroken(stopping);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
