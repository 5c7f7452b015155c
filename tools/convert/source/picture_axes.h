// Which sides of an array of pixels are height, width and channels.
#pragma once

#include <string>

#include "tools/convert/source/array_form.h"
#include "tools/convert/source/raw_pictures.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// How the pictures of an array lie in it.
struct PictureAxes {
  RawShape shape{};
  PixelOrder order = PixelOrder::kInterleaved;
};

/// Tells height, width and channels from [n, h, w], [n, h, w, 1 or 3] and [n, 1 or 3, h, w]; with
/// kBySize, the axis of 1 or 3 is that of the channels. `where` names the array in messages.
///
/// Errors  InvalidArgument: no picture, other shapes, sides of 0 or above 65,535, both axes of 1 or 3, an axis asked
///         for that is neither
PictureAxes picture_axes_of(const ArrayForm& form, ChannelAxis channel_axis,
                            const std::string& where);

}  // namespace penstock::convert
