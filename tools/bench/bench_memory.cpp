#include "tools/bench/bench_memory.h"

#include <algorithm>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "streamer/pipeline/batch_ring.h"
#include "tools/bench/bare_pad_crop.h"
#include "tools/bench/stage_workspace.h"

namespace penstock::tools::bench {
namespace {

// Smaller than this no loader is worth measuring.
constexpr std::uint64_t kLeastLoaderBytes = 64u << 20;

// What is not known yet is not told.
std::string lines(const BenchMemory& memory) {
  std::string text = format_bytes(memory.loader_bytes) + " for the loader";
  const auto add = [&text](std::uint64_t bytes, const char* what) {
    if (bytes > 0) text += ", " + format_bytes(bytes) + " for " + what;
  };
  add(memory.samples_bytes, "the samples of a round");
  add(memory.workspaces_bytes + memory.libjpeg_bytes, "the threads of stages and ceilings");
  add(memory.batches_bytes, "their batches");
  add(memory.decoded_bytes, "decoded pixels");
  return text;
}

std::string hint(const BenchMemory& memory, std::uint64_t usable_bytes) {
  const std::uint64_t beside = memory.total_bytes() - memory.loader_bytes;
  if (beside + kLeastLoaderBytes <= usable_bytes) {
    // As much as a loader takes without --memory: the rest of the machine goes on.
    return "--memory " +
           std::to_string(std::min(usable_bytes - beside, usable_bytes / 5 * 4) >> 20) + "M";
  }
  return "fewer --samples or --threads";
}

}  // namespace

std::uint64_t BenchMemory::total_bytes() const noexcept {
  return loader_bytes + samples_bytes + workspaces_bytes + libjpeg_bytes + batches_bytes +
         decoded_bytes;
}

BenchMemory bench_memory(const SampleWindow& window, const Stream& stream,
                         const LoaderThreads& loader, std::uint32_t num_threads) {
  const std::uint64_t ring_bytes =
      BatchRing::price_bytes({.spec = stream.spec, .num_slots = loader.num_slots});
  // What libjpeg allocates for a picture is what the engine's decoder has as scratch.
  const std::uint64_t libjpeg_bytes =
      window.are_all(Codec::kJpeg) ? window.max_price().scratch_bytes : 0;
  return {.loader_bytes = stream.memory_bytes,
          .samples_bytes = window.held_bytes() + window.size() * 2 * sizeof(PadCrop),
          .workspaces_bytes = num_threads * StageWorkspace::price_bytes(window, stream.spec),
          .libjpeg_bytes = num_threads * libjpeg_bytes,
          // One of the stages and ceilings together, one each of collate and delivery.
          .batches_bytes = 3 * ring_bytes,
          .decoded_bytes = most_decoded_bytes(window, {})};
}

void check_memory(const BenchMemory& memory, std::uint64_t usable_bytes) {
  if (memory.total_bytes() <= usable_bytes) return;
  const SizeTexts texts = format_bytes_apart(memory.total_bytes(), usable_bytes);
  throw Error(ErrorCode::kOutOfMemory,
              "bench: memory: expected at most the " + texts.there + " available, found " +
                  texts.needed + ": " + lines(memory),
              hint(memory, usable_bytes));
}

}  // namespace penstock::tools::bench
