// penstock bench verify: every checksum of a dataset beside reading its shards and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/bench/rounds.h"

namespace penstock::tools::bench {

inline constexpr const char* kReadSideName = "bare pread";
inline constexpr const char* kVerifySideName = "verify";

struct VerifyBenchConfig {
  std::filesystem::path dataset{};
  std::uint32_t num_threads = 0;  // of both sides; 0: one per core
  std::uint32_t num_rounds = 9;
};

struct VerifyBenchResult {
  std::uint64_t num_bytes = 0;  // of the shards
  std::uint64_t num_shards = 0;
  std::uint32_t num_threads = 0;
  std::uint32_t num_rounds = 0;
  std::vector<SideResult> sides;  // a sample is a MiB
};

/// Measures `penstock verify` beside pread() of the same bytes, in equal parts on as many threads. What is in
/// the page cache stays there: warm, this is the memory's bandwidth as far as a file gives it.
///
/// Errors  those of check_dataset(); CorruptData when it is damaged; InvalidArgument below 1 MiB
VerifyBenchResult bench_verify(const VerifyBenchConfig& config);

std::string verify_bench_text(const VerifyBenchResult& result);
std::string verify_bench_json(const VerifyBenchResult& result);

}  // namespace penstock::tools::bench
