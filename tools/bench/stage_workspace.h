// What one thread of a stage works with, and the batches that it writes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "streamer/core/host_memory.h"
#include "streamer/read/decoder_set.h"
#include "tools/bench/sample_window.h"

namespace penstock::tools::bench {

/// Buffers large enough for every sample of a window, and decoders.
///
/// Threads  one per thread
struct StageWorkspace {
  explicit StageWorkspace(const SampleWindow& window);

  /// Reads the stored bytes of a sample. Errors  Io, CorruptData
  std::span<const std::byte> read(const SampleTask& task);
  /// Decodes a sample into `pixels`; empty when it is damaged.
  std::optional<DecodedView> decode(const SampleTask& task, std::span<const std::byte> encoded);

  std::vector<std::byte> encoded;
  std::vector<std::byte> pixels;
  std::vector<std::byte> scratch;
  std::vector<std::byte> transform_scratch;
  std::unique_ptr<DecoderSet> decoders;
  SampleTask task;
};

/// Memory for batches going round, as large as the loader's ring.
class OutputRing {
 public:
  OutputRing(const BatchSpec& spec, std::uint32_t num_slots);

  SampleSlot slot(std::size_t sample_idx) const noexcept {
    return {.spec = &spec_,
            .pixels = memory_.data() + sample_idx % num_places_ * spec_.sample_bytes()};
  }

 private:
  BatchSpec spec_;
  std::size_t num_places_;
  HostBuffer memory_;
};

}  // namespace penstock::tools::bench
