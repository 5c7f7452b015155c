// An order for storage that hates random reads: pieces of shards in random order, samples shuffled
// within a window of bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "streamer/order/feistel.h"

namespace penstock {

/// One shard as an order sees it. A sample's index counts over the shards, one after the other.
struct ShardExtent {
  std::uint64_t num_samples = 0;  // at least 1
  /// Bytes of the file over which these samples are spread.
  std::uint64_t size_bytes = 0;
};

/// Cuts every shard into equal pieces of at most `piece_bytes`, puts the pieces of all shards one
/// behind the other in random order, cuts this row into windows of `window_bytes` and shuffles each
/// window. So until every sample of a window has been read, reads go to `window_bytes` of files, in
/// stretches of a piece. The first window is cut short at random: samples that the edge of a window
/// keeps apart in one epoch meet in another.
///
/// Where a piece or a window ends is reckoned with the mean size of a sample of its shard. Both
/// hold at least one sample.
///
/// Cost     two binary searches and one Feistel::permute() a sample; 40 ns a piece to make it
/// Memory   price_bytes(): 16 bytes a piece, 8 a window, and 16 a shard while it is made; five
///          allocations, an epoch each, none later
/// Threads  immutable
class WindowedOrder {
 public:
  struct Config {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
    std::uint64_t window_bytes = 0;  // at least 1
    std::uint64_t piece_bytes = 0;   // at least 1; from the largest shard on: whole shards
  };

  WindowedOrder(std::span<const ShardExtent> shards, const Config& config);

  /// The same, for who may be stopped meanwhile: over millions of pieces it takes its time. Empty
  /// after a stop, which is looked for every few thousand pieces.
  static std::optional<WindowedOrder> make(std::span<const ShardExtent> shards,
                                           const Config& config, const std::stop_token& stop);

  /// Bytes that no order of these shards exceeds, whatever seed and epoch.
  static std::uint64_t price_bytes(std::span<const ShardExtent> shards,
                                   const Config& config) noexcept;

  /// Returns the sample index at `position`, which must be below the number of samples.
  std::uint64_t sample_at(std::uint64_t position) const noexcept;

  /// First position of each window, then the number of samples.
  std::span<const std::uint64_t> window_begins() const noexcept { return window_begins_; }

 private:
  explicit WindowedOrder(const Config& config) noexcept
      : feistel_({.seed = config.seed, .epoch = config.epoch}) {}
  // False after a stop.
  bool lay_out(std::span<const ShardExtent> shards, const Config& config,
               const std::stop_token& stop);

  // In the order of the row: first position of each piece, then the number of samples; and the
  // sample index that the piece begins with.
  std::vector<std::uint64_t> piece_begins_;
  std::vector<std::uint64_t> first_sample_ids_;
  std::vector<std::uint64_t> window_begins_;
  Feistel feistel_;
};

}  // namespace penstock
