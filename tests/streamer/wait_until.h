// Waits for a state that other threads bring about.
#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>

namespace penstock::tests {

/// Returns once `holds()` is true. Throws after 60 s, far above what any state here takes.
template <class Holds>
void wait_until(const Holds& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("wait_until: the state did not come within 60 s");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace penstock::tests
