// Whether the elements of a batch can hold what the settings make of its pixels.
#pragma once

#include "augment/augment_config.h"
#include "streamer/core/batch.h"

namespace penstock::augment {

/// Throws InvalidArgument naming the field: uint8 elements hold pixels, so nothing may normalise them;
/// float16 ends at 65504.
void check_element_fits(const AugmentConfig& config, const BatchSpec& spec);

}  // namespace penstock::augment
