// A stop that is asked for while a training is prepared, between two things that take seconds.
#pragma once

#include <stop_token>

#include "streamer/core/error.h"

namespace penstock::train {

/// Throws Stopped when `stop` was asked for.
inline void check_not_stopped(const std::stop_token& stop) {
  if (!stop.stop_requested()) return;
  throw Error(ErrorCode::kStopped, "train: stopped before the first step; nothing is stored",
              "the same command again");
}

}  // namespace penstock::train
