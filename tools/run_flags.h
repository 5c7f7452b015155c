// The flags of `penstock train` that set one key of a run file each. The key's own checks apply, so
// that a flag and a file are refused with the same words.
#pragma once

#include <string>
#include <vector>

#include "train/run/run_config.h"

namespace CLI {
class App;
}

namespace penstock::tools {

/// What was typed, to be applied over a run file.
struct RunOverride {
  std::string flag;  // "--epochs"
  std::string key;   // "epochs"
  std::string text;
};

/// Adds every such flag to `command`. A value that can never be right is refused while the command
/// line is read. `overrides` outlives the parsing.
void add_run_flags(CLI::App& command, std::vector<RunOverride>& overrides);

/// Applies what was typed; a preset of the augmentation before its fields, wherever it stood.
void apply_overrides(train::RunConfig& config, const std::vector<RunOverride>& overrides);

}  // namespace penstock::tools
