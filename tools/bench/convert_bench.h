// penstock bench convert: conversions beside what bounds them, in one run, on the user's own pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/rounds.h"

namespace penstock::tools::bench {

inline constexpr const char* kCopySideName = "cp -r";
inline constexpr const char* kDecodeSideName = "libjpeg-turbo";
inline constexpr const char* kTrustSideName = "convert --trust";
inline constexpr const char* kDefaultSideName = "convert";
inline constexpr const char* kBareResizeSideName = "decode, resize, encode";
inline constexpr const char* kResizeSideName = "convert --resize-short 256 --quality 90";
inline constexpr const char* kCropsRowName = "crops";

struct ConvertBenchConfig {
  std::filesystem::path source{};  // a folder, as `penstock convert` takes it
  /// Where datasets and copies are made, in a folder of their own that is gone at the end.
  std::filesystem::path place{};
  std::uint32_t num_threads = 0;  // of conversions and of libjpeg; 0: one per core
  std::uint32_t num_rounds = 5;
  std::uint64_t memory_bytes = 1ull << 30;  // of conversions
  /// One of the conversions, by its side's name, or kCropsRowName; empty: all conversions.
  std::string row{};
};

struct ConvertBenchResult {
  std::uint64_t num_files = 0;
  std::uint64_t num_bytes = 0;
  std::uint64_t num_optimized_bytes = 0;  // of the crops' pictures; 0: not measured
  std::uint64_t num_found_bytes = 0;      // of the same, as they were found
  std::uint32_t num_threads = 0;
  std::uint32_t num_rounds = 0;
  std::vector<SideResult> sides;
};

/// Measures the sides in rounds: `convert --trust` beside `cp -r` of the folder into a new one,
/// `convert` beside libjpeg-turbo that reads and decodes the same files on as many threads, and
/// `convert --resize-short 256 --quality 90` beside that, OpenCV's resize and libjpeg-turbo's encoder.
/// The row of crops measures crop_sides() instead. Conversions include the scan and every fsync;
/// `cp` has none. `tell` hears what comes next.
///
/// Errors  those of convert_folder(); Io; InvalidArgument for a row that is none
ConvertBenchResult bench_convert(const ConvertBenchConfig& config,
                                 const std::function<void(std::string_view what)>& tell);

}  // namespace penstock::tools::bench
