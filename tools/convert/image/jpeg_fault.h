// What the words of libjpeg mean for a file.
#pragma once

#include <string_view>

#include "streamer/core/result.h"
#include "tools/convert/reason/reason_code.h"

namespace penstock::convert {

/// What a fault of the loader's decoder means. Never kUnreadable or kFileTooLarge.
ReasonCode reason_of_jpeg_fault(const SampleFault& fault);

/// What libjpeg's own words mean. Source: jerror.h of 6b and all its successors.
ReasonCode reason_of_jpeg_text(std::string_view text);

}  // namespace penstock::convert
