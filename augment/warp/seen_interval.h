// Which part of an axis of the picture is seen at a range of positions, some of them beside it.
#pragma once

#include "augment/augment_config.h"

namespace penstock::augment {

struct Interval {
  double lo = 0;
  double hi = 0;
};

/// What of the picture, `extent` pixels long, is seen at these positions: mirrored ones lie where
/// their images are, wrapped ones anywhere. FillMode::kNearest and kConstant leave them as they are.
Interval seen_interval(Interval positions, double extent, FillMode mode) noexcept;

}  // namespace penstock::augment
