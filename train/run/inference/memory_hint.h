// What to do where a stored model does not fit the memory limit. Its batch size is the run's: no flag sets it.
#pragma once

#include <string>

#include "streamer/core/error.h"

namespace penstock::train {

/// Runs `body`; the hint of its OutOfMemory names the limit alone, with the size that would do where one is known.
template <class Body>
auto with_memory_hint(const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    const std::string hint = error.hint().substr(0, error.hint().find(", or lower the batch size"));
    throw Error(error.code(), error.what(), hint, error.os_error());
  }
}

}  // namespace penstock::train
