// Run files: a RunConfig as TOML, read strictly, written so that it gives the same run again.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "train/run/settings/run_config.h"

namespace penstock::train {

/// What the layers in a file are called where nothing else names them: as the file is, and "resnet18_layers" in one
/// that is called as a model is that has a name.
std::string name_of_layers(const std::filesystem::path& file);

/// Reads TOML text over `base`: keys that are not there keep its values.
///
/// Layers without `model` are called as the file is. `where` names the text in errors.
/// Errors  InvalidArgument: syntax with line and column; an unknown key, with the nearest known one
///         as the hint; a wrong type or a value out of range, naming key, expected and found
RunConfig parse_run_file(std::string_view text, const std::string& where,
                         const RunConfig& base = {});

/// Errors  as parse_run_file(); NotFound; InvalidArgument for a file larger than 1 MiB
RunConfig read_run_file(const std::filesystem::path& path, const RunConfig& base = {});

/// Sets one key, such as "augment.zoom_range", from the text of a flag. `where` names the flag.
/// Errors  as parse_run_file(), ranges apart: they are looked at when all is set
void set_run_value(RunConfig& config, const std::string& key, const std::string& text,
                   const std::string& where);

/// Writes every setting; parse_run_file() of the text gives an equal RunConfig.
std::string format_run_file(const RunConfig& config);

}  // namespace penstock::train
