// SIGINT, SIGTERM and SIGHUP (the terminal is gone) as a stop token. The first signal asks for a
// stop; the second one ends the process the ordinary way, without waiting for anybody.
#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

namespace penstock::tools {

/// Turns the signals into a token while it lives. Make it before any other thread starts: they
/// inherit its signal mask. One that is ignored already, as under nohup, stays ignored. SIGPIPE
/// is ignored meanwhile: a reader of the progress that goes away must not end the work.
///
/// Threads  one instance at a time
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  std::stop_token token() const noexcept { return stop_.get_token(); }

 private:
  void wait_for_signals();

  sigset_t awaited_;
  sigset_t old_mask_{};
  void (*old_pipe_handler_)(int);
  std::stop_source stop_;
  std::atomic<bool> is_ending_ = false;
  std::jthread waiter_;  // the one thread that receives the signals
};

}  // namespace penstock::tools
