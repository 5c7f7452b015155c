// Runs that go on with another number of threads.
#include <boost/test/unit_test.hpp>

#include "tests/cli/cut_off_run.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

BOOST_FIXTURE_TEST_SUITE(resume_threads_cli, CutOffRun)

BOOST_AUTO_TEST_CASE(other_threads_go_on_and_say_that_the_bits_are_others) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const CommandResult done = resume({"--threads", "2"});
  BOOST_TEST(done.exit_code == 0);
  BOOST_TEST(contains(done.err,
                      "): continues, no longer bit for bit, because num_compute_threads: "
                      "expected 1, found 2\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
