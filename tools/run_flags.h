// The flags of `penstock train` that set one key of a run file each. The key's own checks apply, so
// that a flag and a file are refused with the same words.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "train/run/settings/run_config.h"

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

/// Adds to `command` every such flag whose key is in `keys` ("augment." stands for all of that
/// table), or all of them when it is empty. A value that can never be right is refused while the
/// command line is read. `overrides` outlives the parsing.
void add_run_flags(CLI::App& command, std::vector<RunOverride>& overrides,
                   std::initializer_list<std::string_view> keys = {});

/// Refuses a value that can never be right, as those flags do, for one that a command reads itself. `example` is a
/// value that is right.
/// Errors  InvalidArgument
void check_run_flag(const RunOverride& given, const std::string& example);

/// Applies what was typed; a preset of the augmentation before its fields, wherever it stood.
void apply_overrides(train::RunConfig& config, const std::vector<RunOverride>& overrides);

/// Reads a run file and forgets it: for a command's check, where what it holds is usage like the flags that it
/// stands for. An empty path is none; a file that cannot be read is the command's own error.
/// Errors  InvalidArgument, those of read_run_file()
void check_run_file(const std::filesystem::path& path);

}  // namespace penstock::tools
