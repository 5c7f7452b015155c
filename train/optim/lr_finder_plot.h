// A search for a learning rate as a picture of plain characters.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "train/optim/lr_finder.h"

namespace penstock::train {

/// Draws the smoothed loss over the logarithm of the rate: 16 rows, at most 80 columns, ASCII. The
/// suggested point is an "o" with a line of "." below it. Points must be two or more, their losses
/// below 1e300; returns an empty text otherwise.
std::string lr_finder_plot(std::span<const LrFinderPoint> points,
                           std::optional<std::size_t> suggested);

}  // namespace penstock::train
