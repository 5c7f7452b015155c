// What was drawn for one sample, by name: for labels and for JSON.
#pragma once

#include <string>
#include <vector>

#include "augment/augment_config.h"
#include "augment/augment_draws.h"

namespace penstock::tools {

/// JSON of every value of `drawn`, those of operations that are off included: {"rotation_deg": 12.5, ...}. A
/// policy's operations are a list in their order: {"operation": "Rotate", "angle_deg": -12.5}, with
/// nothing beside the name of those that have no strength.
std::string drawn_json(const augment::AugmentDraws& drawn);

/// Says in a few words each what `config` lets be drawn: "flipped", "zoom 0.97 x 1.04"; a flip that
/// did not happen is not mentioned, nor is a move or a turn of 0.0. Moves and turns go the way in which the
/// sample shows them: "moved 2.2 px right" of a flipped one that had been moved left. A window that is not
/// drawn but centred is named too.
std::vector<std::string> drawn_phrases(const augment::AugmentConfig& config,
                                       const augment::AugmentDraws& drawn);

}  // namespace penstock::tools
