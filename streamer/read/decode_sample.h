// From a sample's verified bytes to pixels.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "streamer/read/decoder_set.h"
#include "streamer/read/run_layout.h"

namespace penstock {

/// Fills `decoded` or `fault` of `task`, whose stored bytes are `encoded`, with the scratch and the
/// pixels of `parts`, or from the cache. Does nothing for a task that has a fault already.
///
/// Stop  looked for by the decoders; what the task then says means nothing
void decode_sample(SampleTask& task, std::span<const std::byte> encoded, const RunParts& parts,
                   DecoderSet& decoders, const std::stop_token& stop) noexcept;

}  // namespace penstock
