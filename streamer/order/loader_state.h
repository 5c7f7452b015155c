// The position of a run: a few integers that say where a stream of batches goes on.
#pragma once

#include <cstdint>
#include <string>

namespace penstock {

struct LoaderState {
  std::uint32_t format = 1;
  std::string dataset_id;
  /// Hash of every setting that affects bytes; a state of other settings is refused.
  std::uint64_t settings_hash = 0;
  std::uint32_t epoch = 0;
  /// First position of the epoch, over all ranks, that has not been consumed.
  std::uint64_t next_position = 0;

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

}  // namespace penstock
