#include "train/run/folder/stored_settings.h"

#include <optional>
#include <string_view>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_hints.h"
#include "train/run/settings/run_file.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

/// What is left of `text` when a file is cut is shorter, and the same as far as it goes. Cut at the end of a
/// line it is still a run file, of other settings.
bool is_cut_short(const fs::path& file, std::string_view text) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;
  const std::string there = read_text_file(file);
  return there.size() < text.size() && text.starts_with(there);
}

StoredSettings settings_of(const StoredState& found, const std::string& why) {
  const std::string where = (found.entry.path / kCheckpointStateName).native() + ": configuration";
  return {.config = parse_run_file(found.state.configuration, where),
          .note = std::string(kRunFileName) + " " + why +
                  ": the settings are those in checkpoint " + found.entry.name()};
}

/// With the hint where the settings are nowhere.
Error as_refusal(const Error& error, const fs::path& run) {
  if (error.code() != ErrorCode::kNotFound) return error;
  return {ErrorCode::kNotFound,
          "run: " + run.native() + ": expected a folder with " + kRunFileName + ", found none",
          hint_without_run(run)};
}

StoredSettings read_beside(const fs::path& file, const StoredState& copy) {
  try {
    if (is_cut_short(file, copy.state.configuration)) return settings_of(copy, "is cut short");
    return {.config = read_run_file(file)};
  } catch (const Error& error) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return settings_of(copy, "is missing");
    return settings_of(copy, "cannot be read (" + std::string(error.what()) + ")");
  }
}

}  // namespace

StoredSettings read_stored_settings(const fs::path& run) {
  const fs::path file = run / kRunFileName;
  const std::optional<StoredState> copy = find_newest_state(run / kCheckpointsName);
  // Checkpoints of a program's own training have no run file.
  if (copy && !copy->state.configuration.empty()) return read_beside(file, *copy);
  try {
    return {.config = read_run_file(file)};
  } catch (const Error& error) {
    throw as_refusal(error, run);
  }
}

}  // namespace penstock::train
