// The position of a run: a few integers that say where a stream of batches goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

struct LoaderState {
  /// Version of this record, for readers of later versions.
  std::uint32_t format = 1;
  std::string dataset_id;
  /// XXH3-64 of every setting that affects bytes; a state of other settings is refused.
  std::uint64_t settings_hash = 0;
  std::uint32_t epoch = 0;
  /// First position of the epoch, over all ranks, that has not been consumed.
  std::uint64_t next_position = 0;

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

/// Writes one JSON object.
std::string to_json(const LoaderState& state);

/// Reads what to_json() wrote; throws CorruptData naming the field, Unsupported for a newer format.
LoaderState loader_state_from_json(std::string_view text);

}  // namespace penstock
