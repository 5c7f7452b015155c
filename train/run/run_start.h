// Whether a run begins or goes on.
#pragma once

#include <cstdint>

namespace penstock::train {

enum class RunStart : std::uint8_t {
  kNew,     // RUN must not be there
  kResume,  // behind the newest whole checkpoint in RUN; from the start where RUN has come to none yet
};

}  // namespace penstock::train
