// A sample on its way into a shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "streamer/shard/index_record.h"

namespace penstock {

/// One sample to be stored. offset_bytes, xxh3 and length_bytes of `record` are filled by the
/// writer; `name` is the path relative to the source, as bytes.
struct NewSample {
  std::span<const std::byte> encoded;
  IndexRecord record = {};
  std::string name = {};
  /// What decoding it at scale 1 takes beside the pixels, for the manifest; 0 when not known.
  std::uint64_t decode_scratch_bytes = 0;
};

}  // namespace penstock
