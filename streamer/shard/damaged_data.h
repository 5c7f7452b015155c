// What reading damaged data is answered with. The engine knows the file, not the command that was
// typed: train/run/data_hint.h puts a nearer hint in the place of this one.
#pragma once

#include <string>

#include "streamer/core/error.h"

namespace penstock {

inline constexpr const char* kDamageHint =
    "restore the file from a copy, or convert the source again";

/// Throws CorruptData `shard: WHERE: WHAT`; `where` names the file.
[[noreturn]] inline void throw_damaged_shard(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "shard: " + where + ": " + what, kDamageHint);
}

}  // namespace penstock
