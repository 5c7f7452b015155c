// What the sides work with: buffers and decoders of each thread, and the batches that are written
// to. Made once; the sides run one after another and share them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "streamer/core/host_memory.h"
#include "streamer/read/decoder_set.h"
#include "tools/bench/bare_jpeg.h"
#include "tools/bench/sample_window.h"

namespace penstock::tools::bench {

/// Buffers large enough for every sample of a window, aligned as the engine's arena is, and
/// decoders.
///
/// Threads  one per thread
struct StageWorkspace {
  StageWorkspace(const SampleWindow& window, const BatchSpec& spec);

  /// Bytes of the buffers.
  static std::uint64_t price_bytes(const SampleWindow& window, const BatchSpec& spec) noexcept;

  /// Reads the stored bytes of a sample. Errors  Io, CorruptData
  std::span<const std::byte> read(const SampleTask& task);
  /// Decodes a sample into `to`, which has the bytes of its price; empty when it is damaged.
  std::optional<DecodedView> decode(const SampleTask& task, std::span<const std::byte> stored,
                                    std::span<std::byte> to);

  HostBuffer encoded;
  HostBuffer pixels;   // of a sample, of a whole picture, or of a place of a batch
  HostBuffer scratch;  // the larger of decoder's and transform's
  std::unique_ptr<DecoderSet> decoders;
  BareJpeg bare_jpeg;
  SampleTask task;
};

/// Memory for batches going round, as large as the loader's ring.
class OutputRing {
 public:
  OutputRing(const BatchSpec& spec, std::uint32_t num_slots);

  SampleSlot slot(std::size_t sample_idx) const noexcept {
    return {.spec = &spec_, .pixels = place(sample_idx)};
  }
  std::byte* place(std::size_t sample_idx) const noexcept {
    return memory_.data() + sample_idx % num_places_ * spec_.sample_bytes();
  }

 private:
  BatchSpec spec_;
  std::size_t num_places_;
  HostBuffer memory_;
};

/// All that the sides share.
struct BenchBuffers {
  BenchBuffers(const SampleWindow& window, const BatchSpec& spec, std::uint32_t num_threads,
               std::uint32_t num_slots);

  std::vector<StageWorkspace> workspaces;  // one a thread
  OutputRing ring;
};

/// A sample's pixels and what the transform needs beside them.
struct DecodedSample {
  HostBuffer pixels;
  SampleTask task;  // its `decoded` points into `pixels`
};

struct DecodedBound {
  std::size_t num_samples = 64;
  std::uint64_t bytes = 32u << 20;  // of pixels; a single sample may be above it
};

/// The bytes that decoded_samples() takes at most.
std::uint64_t most_decoded_bytes(const SampleWindow& window, const DecodedBound& bound) noexcept;

/// Decodes the window's first samples, damaged ones left out, as many as the bound allows.
/// Errors  CorruptData when none can be decoded
std::vector<DecodedSample> decoded_samples(const SampleWindow& window, StageWorkspace& space,
                                           const DecodedBound& bound);

}  // namespace penstock::tools::bench
