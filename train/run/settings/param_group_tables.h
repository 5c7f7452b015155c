// `[[param_group]]` tables of run files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/graph/toml_reader.h"
#include "train/optim/param_groups.h"

namespace penstock::train {

inline constexpr const char* kParamGroup = "param_group";

/// Reads the tables in place of `groups`, which stay when there are none.
/// Errors  InvalidArgument: `run: param_group[1].KEY: expected TYPE, found VALUE`, an unknown key with the
///         nearest, a group without a pattern
void read_param_groups(TomlReader& reader, std::vector<ParamGroup>& groups);

/// Writes them so that they read back equal; empty for none.
std::string format_param_groups(std::span<const ParamGroup> groups);

}  // namespace penstock::train
