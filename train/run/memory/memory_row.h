// One line of the table of what a run's memory limit was spent on.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::train {

struct MemoryRow {
  std::string what;
  std::uint64_t bytes = 0;
};

}  // namespace penstock::train
