// Streams a dataset in a process of its own, so that its memory can be measured from
// outside: at the entry of main and at the end it writes a line and waits for one.
//
//   loader_rss_probe DATASET LIMIT_BYTES NUM_READERS NUM_WORKERS BATCH SIDE_PX resize|augment CACHE NUM_EPOCHS
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

#include "augment/augment_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"

namespace {

void pause_after(const char* line) {
  std::printf("%s\n", line);
  std::fflush(stdout);
  while (std::getchar() != '\n' && !std::feof(stdin)) {
  }
}

std::uint32_t number(const char* text) {
  return static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

std::shared_ptr<const penstock::SampleTransform> transform(const std::string& name) {
  namespace augment = penstock::augment;
  if (name == "resize") return std::make_shared<penstock::ResizeTransform>();
  return std::make_shared<augment::AugmentTransform>(augment::AugmentConfig::preset("standard"));
}

}  // namespace

int main(int argc, char** argv) try {
  pause_after("entered");
  if (argc != 10) return 2;
  penstock::MemoryBudget budget(std::strtoull(argv[2], nullptr, 10));
  std::uint64_t num_samples = 0;
  std::uint64_t num_bad = 0;
  penstock::LoaderStats all;
  {
    const penstock::DatasetSplit split = penstock::Dataset::open(argv[1]).split("train");
    penstock::Loader loader(split,
                            {.batch = {.batch = number(argv[5]),
                                       .height_px = number(argv[6]),
                                       .width_px = number(argv[6])},
                             .num_epochs = number(argv[9]),
                             .num_readers = number(argv[3]),
                             .num_workers = number(argv[4]),
                             .cache = penstock::parse_cache_form(argv[8])},
                            transform(argv[7]), budget);
    while (const penstock::BatchLease lease = loader.next()) {
      num_samples += lease->num_valid;
      num_bad += lease->events.size();
    }
    all = loader.detailed_stats();
  }
  const penstock::SourceStats& stats = all.source;
  char line[200];
  std::snprintf(line, sizeof line, "done %llu %llu %llu %llu %llu %llu %llu",
                static_cast<unsigned long long>(num_samples),
                static_cast<unsigned long long>(num_bad),
                static_cast<unsigned long long>(stats.high_water_bytes),
                static_cast<unsigned long long>(stats.in_flight_limit_bytes),
                static_cast<unsigned long long>(stats.in_flight_high_water_bytes),
                static_cast<unsigned long long>(all.cache.kept_bytes),
                static_cast<unsigned long long>(all.cache.num_hits));
  pause_after(line);
  return 0;
} catch (const std::exception& error) {
  std::printf("failed %s\n", error.what());
  return 1;
}
