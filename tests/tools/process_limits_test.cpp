#include "tools/process_limits.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(process_limits)

BOOST_AUTO_TEST_CASE(open_files_are_raised_to_the_hard_limit) {
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  raise_open_file_limit();
  rlimit after{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(after.rlim_cur == before.rlim_max);
  BOOST_TEST(after.rlim_max == before.rlim_max);
}

BOOST_AUTO_TEST_CASE(the_signal_of_a_file_too_large_does_not_end_the_process) {
  const auto before = std::signal(SIGXFSZ, SIG_DFL);
  ignore_file_size_signal();
  BOOST_TEST(std::raise(SIGXFSZ) == 0);  // would end this test program
  std::signal(SIGXFSZ, before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
