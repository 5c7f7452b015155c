// What to type when the data of a run is damaged: the engine below knows the fault, not the command.
#pragma once

#include <filesystem>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"

namespace penstock::train {

/// Runs `body`; an error of the data that comes without a hint, or with the engine's general one,
/// gets a nearer one.
template <class Body>
auto with_data_hint(const std::filesystem::path& dataset, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    const bool is_damage =
        error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kTooManyBad;
    const bool has_own_hint = !error.hint().empty() && error.hint() != kDamageHint;
    if (!is_damage || has_own_hint) throw;
    throw Error(error.code(), error.what(),
                "look at it with penstock inspect " + shell_quoted(dataset.native()) +
                    ", or convert the pictures again: penstock convert SOURCE " +
                    shell_quoted(dataset.native()) + " --force");
  }
}

}  // namespace penstock::train
