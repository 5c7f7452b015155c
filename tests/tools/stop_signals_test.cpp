#include "tools/stop_signals.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <initializer_list>
#include <thread>

namespace penstock::tools {
namespace {

// Gives back at the end what a signal did before; who runs the tests may have it ignored.
class Disposition {
 public:
  Disposition(int number, void (*handler)(int)) : number_(number) {
    before_ = std::signal(number, handler);
  }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;
  ~Disposition() { std::signal(number_, before_); }

 private:
  int number_;
  void (*before_)(int);
};

// Far longer than it takes, so that a stop that never comes fails instead of hanging.
bool comes_to_a_stop(const std::stop_token& token) {
  for (int i = 0; i < 30'000 && !token.stop_requested(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return token.stop_requested();
}

bool is_blocked(int number) {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return ::sigismember(&mask, number) == 1;
}

// What wait() says of a process that gets the same signal twice.
int status_after_two(int number) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60);
    const StopSignals signals;
    ::kill(::getpid(), number);
    if (!comes_to_a_stop(signals.token())) ::_exit(1);
    ::kill(::getpid(), number);
    while (true) ::pause();
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

BOOST_AUTO_TEST_SUITE(stop_signals)

BOOST_AUTO_TEST_CASE(the_first_signal_asks_for_a_stop) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    BOOST_TEST_CONTEXT(number) {
      const Disposition ends_the_process(number, SIG_DFL);
      const StopSignals signals;
      BOOST_TEST(!signals.token().stop_requested());
      ::kill(::getpid(), number);
      BOOST_TEST(comes_to_a_stop(signals.token()));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_second_signal_ends_the_process_at_once) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    BOOST_TEST_CONTEXT(number) {
      const Disposition ends_the_process(number, SIG_DFL);
      const int status = status_after_two(number);
      BOOST_REQUIRE(WIFSIGNALED(status));
      BOOST_TEST(WTERMSIG(status) == number);
    }
  }
}

// As under nohup, or in a shell script's background job.
BOOST_AUTO_TEST_CASE(a_signal_that_is_ignored_stays_ignored) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    BOOST_TEST_CONTEXT(number) {
      // Who runs the tests may ignore others, too.
      const Disposition interrupt(SIGINT, SIG_DFL);
      const Disposition terminate(SIGTERM, SIG_DFL);
      const Disposition hang_up(SIGHUP, SIG_DFL);
      const Disposition is_ignored(number, SIG_IGN);
      const StopSignals signals;
      for (const int each : {SIGINT, SIGTERM, SIGHUP}) {
        BOOST_TEST(is_blocked(each) == (each != number));
      }
      ::kill(::getpid(), number);
      BOOST_TEST(!signals.token().stop_requested());
    }
  }
}

BOOST_AUTO_TEST_CASE(afterwards_the_signals_do_what_they_did_before) {
  const Disposition ends_the_process(SIGHUP, SIG_DFL);
  { const StopSignals signals; }
  BOOST_TEST(!is_blocked(SIGHUP));
  BOOST_TEST(!is_blocked(SIGINT));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
