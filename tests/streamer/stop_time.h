// Holds the time that a stop takes to the product's bound.
#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace penstock::tests {

/// A loader stops within this, from any state.
inline constexpr double kMaxStopMs = 100;

class StopClock {
 public:
  double ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
        .count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Requests a stop from a thread of its own, 10 ms after it was made.
class DelayedStop {
 public:
  std::stop_token token() const { return stop_.get_token(); }
  /// How long ago the stop was requested; waits for that.
  double ms() {
    stopper_.join();
    return clock_->ms();
  }

 private:
  std::stop_source stop_;
  std::optional<StopClock> clock_;
  std::jthread stopper_{[this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    clock_.emplace();
    stop_.request_stop();
  }};
};

/// Brings a state about and stops in it up to five times, by `stop_once`, which returns how many
/// milliseconds the stop took; the median must be within kMaxStopMs. Not each time, since a busy
/// machine now and then keeps a thread waiting for longer; not the best, which may have been lucky
/// in its moment. Ends as soon as the median's side is certain. The times: --log_level=message.
template <class StopOnce>
void check_stops_in_time(const char* state, const StopOnce& stop_once) {
  constexpr int kMajority = 3;  // of five
  int num_within = 0;
  int num_beyond = 0;
  while (num_within < kMajority && num_beyond < kMajority) {
    const double ms = stop_once();
    BOOST_TEST_MESSAGE("stopped in " << state << " after " << ms << " ms");
    ++(ms < kMaxStopMs ? num_within : num_beyond);
  }
  BOOST_TEST(num_within == kMajority, state << ": " << num_beyond << " stops of "
                                            << num_within + num_beyond << " took more than "
                                            << kMaxStopMs << " ms");
}

}  // namespace penstock::tests
