#include "tools/stop_signals.h"

#include <pthread.h>

#include <initializer_list>

namespace penstock::tools {
namespace {

// Wakes the waiting thread when there is nothing more to wait for.
constexpr int kWakeSignal = SIGUSR1;

sigset_t signal_set(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : signals) ::sigaddset(&set, number);
  return set;
}

bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// A signal that is blocked is delivered to sigwait() even where it was ignored.
sigset_t awaited_signals() {
  sigset_t set = signal_set({kWakeSignal});
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(number)) ::sigaddset(&set, number);
  }
  return set;
}

}  // namespace

StopSignals::StopSignals()
    : awaited_(awaited_signals()), old_pipe_handler_(::signal(SIGPIPE, SIG_IGN)) {
  ::pthread_sigmask(SIG_BLOCK, &awaited_, &old_mask_);
  waiter_ = std::jthread([this] { wait_for_signals(); });
}

StopSignals::~StopSignals() {
  is_ending_ = true;
  ::pthread_kill(waiter_.native_handle(), kWakeSignal);
  waiter_.join();
  ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  ::signal(SIGPIPE, old_pipe_handler_);
}

void StopSignals::wait_for_signals() {
  while (true) {
    int number = 0;
    ::sigwait(&awaited_, &number);
    if (is_ending_) return;
    if (number == kWakeSignal || stop_.request_stop()) continue;
    const sigset_t again = signal_set({number});
    ::signal(number, SIG_DFL);
    ::pthread_sigmask(SIG_UNBLOCK, &again, nullptr);
    ::raise(number);
  }
}

}  // namespace penstock::tools
