// Draws the splits that a source leaves open.
#pragma once

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

/// What is drawn where a request says nothing: SplitRule's own fractions when no picture has a split,
/// none when some have.
SplitRule split_rule_of(const PictureList& pictures, const SplitRequest& request);

/// Whether all splits are left open, so that both fractions have their defaults.
bool draws_splits(const PictureList& pictures);

/// Gives each picture without a split the one that `rule` draws by its name.
void draw_splits(PictureList& pictures, const SplitRule& rule);

}  // namespace penstock::convert
