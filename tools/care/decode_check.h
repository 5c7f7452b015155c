// Decodes every sample whose bytes hold, by the loader's decoders.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string_view>

#include "streamer/core/image_view.h"
#include "tools/care/shard_check.h"

namespace penstock::care {

/// A shard that was checked. What does not decode becomes damage in `check`, and is no longer whole.
struct DecodeItem {
  const CareShard* shard = nullptr;
  ShardCheck* check = nullptr;
};

struct DecodeLimits {
  unsigned num_threads = 1;
  /// Encoded bytes, pixels and scratch of all threads together, at least 1 MiB.
  std::uint64_t memory_bytes = 1ull << 30;
};

/// Throws InvalidArgument `owner: memory: ...` for a limit of less than 1 MiB.
void check_decode_memory(std::string_view owner, std::uint64_t memory_bytes);

/// Is shown each picture that decodes; called from many threads at once, `thread_idx` tells them apart.
using PictureVisitor = std::function<void(unsigned thread_idx, const DecodeItem& item,
                                          std::uint64_t sample_idx, const ImageView& picture)>;

/// Decodes; returns how many did. `tell` hears the number so far, on the calling thread.
///
/// Errors  OutOfMemory, before anything is decoded, when a sample alone takes more than memory_bytes;
///         Stopped
std::uint64_t decode_samples(std::span<const DecodeItem> items, const DecodeLimits& limits,
                             const std::function<void(std::uint64_t)>& tell,
                             const std::stop_token& stop, const PictureVisitor& visit = {});

}  // namespace penstock::care
