// The position of a run: a few integers that say where a stream of batches goes on, and the
// settings that they are positions of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// The same on every rank. It does not say how many ranks, threads or slots there were: a stream
/// may go on with others.
struct LoaderState {
  /// Version of this record. 1 had the hash of the settings, not the settings.
  std::uint32_t format = 2;
  std::string dataset_id;
  /// XXH3-64 of every setting that affects bytes; check_resume() says which may differ.
  std::uint64_t settings_hash = 0;
  /// These settings, loader_identity(): a refusal names what differs. Empty in format 1.
  std::string settings;
  std::uint32_t epoch = 0;
  /// First position of the epoch, over all ranks, that has not been consumed.
  std::uint64_t next_position = 0;

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

/// The lines of `settings`, borrowed, without their ends.
std::vector<std::string_view> settings_lines(std::string_view settings);

/// Writes one JSON object, of about 1 KB.
///
/// Errors  InvalidArgument when the settings are not UTF-8
std::string to_json(const LoaderState& state);

/// Reads what to_json() of this or an earlier version wrote.
///
/// Errors  CorruptData naming the field, also when the settings are not those of the hash;
///         Unsupported for a newer format
LoaderState loader_state_from_json(std::string_view text);

}  // namespace penstock
