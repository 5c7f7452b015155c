#include "tools/care_watch.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <thread>

#include "streamer/core/error.h"

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(care_watch)

BOOST_AUTO_TEST_CASE(a_command_that_a_signal_stops_names_the_line_that_starts_it_again) {
  const auto stopped = [] {
    return watch_care(Verbosity::kQuiet, {.name = "verify", .arguments = "photos.ds --deep"},
                      [](const care::CheckListener&, const std::stop_token& stop) -> int {
                        ::kill(::getpid(), SIGTERM);
                        while (!stop.stop_requested()) std::this_thread::yield();
                        throw Error(ErrorCode::kStopped, "stopped: rewriting: on request");
                      });
  };
  BOOST_CHECK_EXCEPTION(stopped(), Error, [](const Error& error) {
    return error.code() == ErrorCode::kStopped &&
           std::string(error.what()) == "stopped: verify: on request" &&
           error.hint() == "once more: penstock verify photos.ds --deep";
  });
}

BOOST_AUTO_TEST_CASE(another_error_stays_what_it_was) {
  const auto failed = [] {
    return watch_care(Verbosity::kQuiet, {.name = "verify", .arguments = "photos.ds"},
                      [](const care::CheckListener&, const std::stop_token&) -> int {
                        throw Error(ErrorCode::kIo, "read: EIO", "look at the disk");
                      });
  };
  BOOST_CHECK_EXCEPTION(failed(), Error, [](const Error& error) {
    return error.code() == ErrorCode::kIo && error.hint() == "look at the disk";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
