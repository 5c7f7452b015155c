// The settings of a run that was begun: its run.toml, or the copy of it that each checkpoint has.
#pragma once

#include <filesystem>
#include <string>

#include "train/run/settings/run_config.h"

namespace penstock::train {

struct StoredSettings {
  RunConfig config = {};
  /// Why they are a checkpoint's and not run.toml's, and which checkpoint's: a line for a user. Empty: they
  /// are run.toml's.
  std::string note = {};
};

/// Reads run.toml of a run. Where it is missing, damaged or cut short, its text in the newest checkpoint whose
/// state.json is whole takes its place. Writes nothing.
///
/// Errors  where no checkpoint has them: NotFound with what to do with such a folder; InvalidArgument, Io as
///         read_run_file()
StoredSettings read_stored_settings(const std::filesystem::path& run);

}  // namespace penstock::train
