// What a cache keeps of one sample.
#pragma once

#include <cstddef>

#include "streamer/core/sample_decoder.h"
#include "streamer/read/cache_form.h"

namespace penstock {

/// Bytes that a cache takes to keep one sample, 0 when there is nothing to keep. A decoded one is
/// kept once for each decode scale that is asked for.
std::size_t cache_entry_bytes(CacheForm form, const StoredInfo& info,
                              const DecodeRequest& request) noexcept;

/// The request for the whole picture at the scale of `request`.
DecodeRequest whole_picture(const StoredInfo& info, const DecodeRequest& request) noexcept;

}  // namespace penstock
