// Which part of an axis of the picture is seen at a range of positions, some of them beside it.
#pragma once

#include "augment/augment_config.h"

namespace penstock::augment {

struct Interval {
  double lo = 0;
  double hi = 0;
};

/// An axis, `extent` pixels long. Neighbours are blended `step` pixels apart, from the centre of the
/// first `step` pixels on: 1 in the picture itself, more where a reduced one is blended.
struct BlendedAxis {
  double extent = 1;
  double step = 1;
};

/// What of the picture is seen at these positions: mirrored ones lie where their images are, wrapped
/// ones anywhere. FillMode::kNearest and kConstant leave them as they are.
Interval seen_interval(Interval positions, const BlendedAxis& axis, FillMode mode) noexcept;

}  // namespace penstock::augment
