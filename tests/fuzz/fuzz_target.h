// What a fuzz target tells its driver, beside LLVMFuzzerTestOneInput.
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::fuzz {

/// The first byte says what the rest is; with this bit in it, checksums are left wrong.
using Input = std::vector<std::uint8_t>;
inline constexpr std::uint8_t kUnsealed = 0x80;

const char* target_name();
/// Inputs to begin with: good ones.
std::vector<Input> target_seeds();

}  // namespace penstock::fuzz
