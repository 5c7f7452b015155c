// Which part of a picture a decoder hands out for a request.
#pragma once

#include "streamer/core/sample_decoder.h"

namespace penstock {

/// Returns the pixels at decode scale that cover request.region: DecodedView::region of every
/// decoder. What reaches beyond the picture is cut off; empty when nothing of it is left.
RectPx region_at_scale(const StoredInfo& info, const DecodeRequest& request) noexcept;

}  // namespace penstock
