// Conversions in processes of their own, so that they can be killed; and what they leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/folder_contents.h"
#include "tools/convert/convert_job.h"

namespace penstock::tests {

/// A source whose dataset has several shards of some megabytes, a re-encoded picture, one of several
/// scans, bad ones, two that end too early, and text.
void write_mixed_source(const std::filesystem::path& source);

/// A small picture in a file of 60,000 bytes for each of its comments.
std::vector<std::byte> padded_jpeg(std::uint32_t seed, std::size_t num_comments);

/// A disk in memory, where there is one: what a killed process has written is there on any, and to
/// wait for a disk would be most of these tests' time.
std::filesystem::path quick_disk();

/// Source, dataset, and the dataset that an unbroken conversion makes of it.
struct RestartPlace {
  RestartPlace();

  TemporaryFolder folder{quick_disk()};
  convert::ConvertConfig config;
  std::map<std::string, std::string> expected;
  std::string report;
  std::uint64_t num_shards = 0;
  std::uint64_t num_files = 0;

  std::filesystem::path partial() const { return folder.path() / "ds.partial"; }
};

/// What a conversion in a process of its own came to.
struct ChildResult {
  int signal_number = 0;  // that ended it; 0: none did
  bool is_done = false;   // it returned
  int error_code = -1;    // an ErrorCode, when it threw
  std::string what;
  std::string hint;
  std::string report;                // when it returned: the summary, but for times and shards kept
  std::uint64_t num_begun = 0;       // shards
  std::uint64_t num_journalled = 0;  // shards
};

/// Called in the child. `num_before` counts how often the point was reached before.
struct ChildHooks {
  std::function<void()> at_start = {};
  std::function<void(convert::ConvertPoint point, std::uint64_t num_before)> at_point = {};
  std::function<void(std::uint64_t num_done)> at_picture = {};
  /// Asked to stop when it returns true.
  std::function<bool(std::uint64_t num_done)> stops_at = {};
};

/// Runs a conversion in a child and waits for it. `kill_after_us` microseconds after its start it is
/// killed; 0: never.
ChildResult convert_in_child(const convert::ConvertConfig& config, const ChildHooks& hooks = {},
                             std::uint64_t kill_after_us = 0);

/// Ends the calling process as `kill -9` does.
[[noreturn]] void kill_self();

}  // namespace penstock::tests
