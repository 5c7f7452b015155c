// The inputs that fuzzing of array headers starts from.
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::fuzz {

/// The first byte of an input: even, the bytes of a .npy file follow; odd, those of an .npz.
std::vector<std::vector<std::uint8_t>> array_seeds();

}  // namespace penstock::fuzz
