// What reading damaged data is answered with: which file, what is wrong, and the line that saves what can be
// saved.
#pragma once

#include <filesystem>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"

namespace penstock {

/// Of more bad samples than a run may have: the engine does not know where its dataset lies.
/// train/run/data/data_hint.h puts a nearer hint in the place of this one.
inline constexpr const char* kDamageHint =
    "penstock verify DATASET lists what is damaged, penstock repair DATASET leaves it out";

/// The command that mends the dataset which `file` is a part of.
inline std::string repair_line(const std::filesystem::path& file) {
  return "penstock repair " +
         shell_quoted(file.has_parent_path() ? file.parent_path().native() : ".");
}

/// What to do about a damaged shard.
inline std::string shard_damage_hint(const std::filesystem::path& shard) {
  return "restore the file from a copy, or save what is left: " + repair_line(shard);
}

/// What to do about a damaged dataset.json: the shards say most of it.
inline std::string manifest_damage_hint(const std::filesystem::path& manifest) {
  return "restore the file from a copy, or make it anew from the shards: " + repair_line(manifest);
}

/// Throws CorruptData `shard: PATH: WHAT`.
[[noreturn]] inline void throw_damaged_shard(const std::filesystem::path& shard,
                                             const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "shard: " + shard.native() + ": " + what,
              shard_damage_hint(shard));
}

}  // namespace penstock
