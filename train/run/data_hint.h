// What to type when the data of a run is damaged: the engine below knows the fault, not the command.
#pragma once

#include <filesystem>

#include "streamer/core/error.h"

namespace penstock::train {

/// Runs `body`; an error of the data that comes without a hint gets one.
template <class Body>
auto with_data_hint(const std::filesystem::path& dataset, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    const bool is_damage =
        error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kTooManyBad;
    if (!is_damage || !error.hint().empty()) throw;
    throw Error(error.code(), error.what(),
                "look at it with penstock inspect " + dataset.native() +
                    ", or convert the pictures again: penstock convert SOURCE " + dataset.native() +
                    " --force");
  }
}

}  // namespace penstock::train
