// What libjpeg warns of: the rule that conversion and the loader share.
#pragma once

namespace penstock {

/// Whether a warning (a JWRN_ code) leaves every pixel what the bytes say. Any other means that
/// libjpeg made pixels up.
///
/// Source   jerror.h of libjpeg-turbo 2.1.5 and where it raises them
bool costs_no_pixel(int warning) noexcept;

}  // namespace penstock
