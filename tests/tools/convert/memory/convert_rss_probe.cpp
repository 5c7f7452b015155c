// Converts in a process of its own, so that its memory can be measured from outside: at the entry of
// main and at the end it writes a line and waits for one.
//
//   convert_rss_probe SOURCE DATASET LIMIT_BYTES NUM_JOBS decode|near|trust SHARD_BYTES
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "tools/convert/convert_job.h"
#include "tools/convert/duplicate/look_hash.h"
#include "tools/process_limits.h"

namespace {

void pause_after(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  while (std::getchar() != '\n' && !std::feof(stdin)) {
  }
}

class Nobody final : public penstock::convert::ConvertObserver {
 public:
  void notice(const std::string&) override {}
  void progress(const penstock::convert::ConvertProgress&) override {}
};

}  // namespace

int main(int argc, char** argv) try {
  namespace convert = penstock::convert;
  pause_after("entered");
  if (argc != 7) return 2;
  penstock::tools::return_freed_memory();
  Nobody nobody;
  const std::string depth = argv[5];
  const convert::ConvertSummary summary = convert::convert_folder(
      {.source = argv[1],
       .dataset = argv[2],
       .shard_size_bytes = std::strtoull(argv[6], nullptr, 10),
       .num_jobs = static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10)),
       .depth = depth == "trust" ? convert::CheckDepth::kHeader : convert::CheckDepth::kDecode,
       .near_duplicate_bits = depth == "near" ? std::optional(convert::kMaxNearBits) : std::nullopt,
       .memory_bytes = std::strtoull(argv[3], nullptr, 10)},
      nobody, {});
  std::uint64_t num_samples = 0;
  for (const penstock::ManifestSplit& split : summary.manifest.splits) {
    num_samples += split.num_samples;
  }
  const auto found = summary.num_by_reason.find("above_memory");
  pause_after("done " + std::to_string(num_samples) + " " +
              std::to_string(*summary.manifest.num_quarantined) + " " +
              std::to_string(found == summary.num_by_reason.end() ? 0 : found->second));
} catch (const std::exception& error) {
  std::printf("failed: %s\n", error.what());
  return 1;
}
