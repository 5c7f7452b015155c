// What a fuzz target tells its driver, beside LLVMFuzzerTestOneInput.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace penstock::fuzz {

/// The first byte says what the rest is; with this bit in it, checksums are left wrong.
using Input = std::vector<std::uint8_t>;
inline constexpr std::uint8_t kUnsealed = 0x80;

const char* target_name();
/// Inputs to begin with: good ones.
std::vector<Input> target_seeds();

/// Ends the process where a promise does not hold: the driver keeps the input.
inline void demand(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace penstock::fuzz
