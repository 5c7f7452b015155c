// What the program's exit codes mean, and which one an error gets.
#pragma once

#include "streamer/core/error.h"

namespace penstock::tools {

enum ExitCode : int {
  kExitDone = 0,         // a conversion that quarantined files included
  kExitFailed = 1,       // the machine, the place or the settings did not allow it
  kExitUsage = 2,        // the command line says something that no command knows
  kExitDataDamaged = 3,  // bytes fail a check, or a stated limit of bad data was passed
  kExitStopped = 4,      // stopped by a signal or by a time limit
};

/// Returns the exit code for an error that ended a command.
constexpr ExitCode exit_code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kCorruptData:
    case ErrorCode::kTooManyBad:
      return kExitDataDamaged;
    case ErrorCode::kStopped:
      return kExitStopped;
    default:
      return kExitFailed;
  }
}

}  // namespace penstock::tools
