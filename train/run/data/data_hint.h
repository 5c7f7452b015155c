// What to type when the data of a run is damaged: the engine below knows the fault, not the
// dataset.
#pragma once

#include <filesystem>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"

namespace penstock::train {

/// Runs `body`; an error with the engine's general hint gets a nearer one.
template <class Body>
auto with_data_hint(const std::filesystem::path& dataset, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.hint() != kDamageHint) throw;
    throw Error(error.code(), error.what(),
                "penstock verify " + shell_quoted(dataset.native()) +
                    " lists what is damaged, penstock repair " + shell_quoted(dataset.native()) +
                    " leaves it out");
  }
}

}  // namespace penstock::train
