// A window of a finished sample, overwritten.
#pragma once

#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// Writes `value`, an element as it is, into every channel of a window of the slot; nothing when its
/// width is 0.
///
/// Needs    the window within the slot
/// Stop     a look at the slot's every row
/// Source   torchvision 0.15, transforms.RandomErasing with one value
void erase_window(const RectPx& window, float value, const SampleSlot& slot) noexcept;

}  // namespace penstock::augment
