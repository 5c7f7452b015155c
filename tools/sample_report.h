// One sample of a dataset or of a shard: its record in words and as JSON, its bytes as a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tools/report_form.h"

namespace penstock::tools {

struct SampleChoice {
  std::filesystem::path path{};  // a dataset's folder, or a shard file
  std::string split{};           // of a dataset; empty: its first
  std::uint64_t sample_idx = 0;  // within the split or the shard
  /// Where its bytes go, raw pixels as PNG; empty: nowhere. Replaces a file.
  std::filesystem::path out{};
};

/// Describes a sample, whose bytes are read and verified, and writes it.
///
/// Errors  NotFound; InvalidArgument for a number beyond the last; CorruptData when its bytes are not
///         what was stored; Unsupported, Io
std::string describe_sample(const SampleChoice& choice, ReportForm form);

}  // namespace penstock::tools
