// What a fuzz target gives its drivers beside LLVMFuzzerTestOneInput().
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::fuzz {

/// "shard_fuzz"
const char* target_name();

/// Inputs that are good, none of them empty: changes begin there.
std::vector<std::vector<std::uint8_t>> target_seeds();

}  // namespace penstock::fuzz
