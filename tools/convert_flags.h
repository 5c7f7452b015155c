// The flags of penstock convert, in the order of its help.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/command.h"
#include "tools/convert/convert_config.h"

namespace penstock::tools {

struct ConvertOptions {
  std::vector<std::string> paths;  // of sources, and last the dataset's
  std::uint64_t class_depth = 1;
  std::optional<double> validation_split;
  std::optional<double> test_split;
  std::uint64_t seed = 0;
  std::uint64_t jobs = 0;
  convert::ConvertConfig config;
  bool stratifies = false;
  bool dry_run = false;
  bool force = false;
  bool no_names = false;
  std::vector<std::string> images;
  std::vector<std::string> labels;
  bool channels_first = false;
  bool channels_last = false;
  bool splits_anew = false;
  bool optimizes_crops = false;
  bool trusts = false;
  std::uint64_t memory_bytes = 0;
  std::uint64_t resize_short_px = 0;  // 0: not given, as below
  std::uint64_t max_side_px = 0;
  std::uint64_t quality = 0;
  bool quiet = false;
  bool json = false;
};

/// Adds all but the arguments. `options` outlives the reading.
void add_convert_flags(CLI::App& command, ConvertOptions& options);

}  // namespace penstock::tools
