// One process's place among those that train together.
#pragma once

#include <cstdint>

namespace penstock {

struct Rank {
  std::uint32_t index = 0;  // 0 .. world - 1
  std::uint32_t world = 1;  // at least 1
};

}  // namespace penstock
