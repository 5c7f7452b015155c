// One picture into one place of a batch, outside any loader, by the loader's own steps: for
// prediction and for looking at what is trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "streamer/core/memory_budget.h"
#include "streamer/core/result.h"
#include "streamer/core/sample_transform.h"
#include "streamer/shard/index_record.h"

namespace penstock::train {

/// A picture as a shard would hold it: a JPEG or PNG file's bytes, or bare pixels.
struct EncodedPicture {
  std::vector<std::byte> encoded;
  /// Sides, codec, orientation and class count; offset and checksum do not.
  IndexRecord record;
  std::uint64_t sample_id = 0;
};

/// Where a picture goes, and the draws that it gets on its way.
struct PicturePlace {
  const BatchSpec& spec;
  std::byte* pixels = nullptr;  // spec.sample_bytes() bytes
  Draws draws{Draws::Place{}};
};

/// Decodes `picture` and lets `transform`, which has accepted place.spec, fill the place: the same
/// bytes as a loader's place with these draws. With a fault the place is left as it was.
///
/// Errors  OutOfMemory when decoding it does not fit what is left of `budget`
SampleFault fill_place(const EncodedPicture& picture, const SampleTransform& transform,
                       const PicturePlace& place, MemoryBudget& budget);

}  // namespace penstock::train
