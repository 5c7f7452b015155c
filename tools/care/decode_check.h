// Decodes every sample whose bytes hold, by the loader's decoders; JPEG in strips, as conversion does, so that
// what was stored within a limit of memory is checked within it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string_view>

#include "tools/care/shard_check.h"
#include "tools/convert/image/pixel_sums.h"

namespace penstock::care {

/// A shard, and which of its samples are decoded.
struct DecodeItem {
  const CareShard* shard = nullptr;
  /// By sample: 1 for those to decode, whose bytes hold. Becomes 0 for what does not decode. Borrowed.
  std::span<std::uint8_t> is_wanted{};
  /// Gets what does not decode; may be null.
  std::vector<SampleDamage>* damage = nullptr;
};

struct DecodeLimits {
  unsigned num_threads = 1;
  /// Encoded bytes, pixels and scratch of all threads together, at least 1 MiB.
  std::uint64_t memory_bytes = 1ull << 30;
};

/// Throws InvalidArgument `owner: memory: ...` for a limit of less than 1 MiB.
void check_decode_memory(std::string_view owner, std::uint64_t memory_bytes);

/// Decodes; returns how many did. `tell` hears the number so far, on the calling thread. Pixels of what
/// decodes are added to `sums`, where it is given.
///
/// Errors  OutOfMemory, before anything is decoded, when a sample alone takes more than memory_bytes;
///         Stopped
std::uint64_t decode_samples(std::span<const DecodeItem> items, const DecodeLimits& limits,
                             const std::function<void(std::uint64_t)>& tell,
                             const std::stop_token& stop, convert::PixelSums* sums = nullptr);

}  // namespace penstock::care
