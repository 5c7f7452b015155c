// Streams one epoch of a dataset and says in one line what came of it: a checksum over all that a
// trainer would see, or the error. The fault tests run it in fresh processes.
//
//   stream_dataset DATASET NUM_READERS [least]
//
// least: within the least memory that it takes, so that a large index is held by pages.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/resize_transform.h"

namespace penstock {
namespace {

std::string digest_of_epoch(const std::filesystem::path& folder, std::uint32_t num_readers,
                            bool is_least) {
  const DatasetSplit split = Dataset::open(folder).split("train");
  const LoaderConfig config{.batch = {.batch = 4, .height_px = 16, .width_px = 16},
                            .seed = 3,
                            .num_readers = num_readers};
  std::uint64_t limit_bytes = 64u << 20;
  if (is_least) {
    limit_bytes = plan_loader_memory(split, config, ResizeTransform(),
                                     {.limit_bytes = limit_bytes, .left_bytes = limit_bytes})
                      .least_bytes(config);
  }
  MemoryBudget budget(limit_bytes);
  Loader loader(split, config, std::make_shared<ResizeTransform>(), budget);
  StreamHasher hasher;
  while (const BatchLease lease = loader.next()) {
    hasher.update({lease->pixels, loader.spec().pixels_bytes()});
    hasher.update(std::as_bytes(lease->class_idx));
    hasher.update(std::as_bytes(lease->weights));
    hasher.update(std::as_bytes(lease->sample_ids));
    if (!lease->events.empty()) return "a sample failed";
  }
  return hex(hasher.digest_128());
}

int run(const std::filesystem::path& folder, std::uint32_t num_readers, bool is_least) {
  try {
    std::printf("bytes %s\n", digest_of_epoch(folder, num_readers, is_least).c_str());
    return 0;
  } catch (const Error& error) {
    std::printf("%s: %s\nhint: %s\n", std::string(error_code_name(error.code())).c_str(),
                error.what(), error.hint().c_str());
    return 3;
  }
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) {
  ::alarm(60);  // a hang ends as a failure with a name: SIGALRM
  const bool is_least = argc == 4 && std::strcmp(argv[3], "least") == 0;
  if (argc != 3 && !is_least) return 2;
  return penstock::run(argv[1], static_cast<std::uint32_t>(std::atoi(argv[2])), is_least);
}
