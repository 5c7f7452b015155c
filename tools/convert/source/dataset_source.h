// A dataset as source: cut into other shards, parts of it, split anew. Its samples go over as they are.
#pragma once

#include <stop_token>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"

namespace penstock::convert {

/// Lists the samples of the dataset in `request.path`: their names, labels and splits. One without a name
/// is called "train/0000017", by its place. Classes keep the dataset's order; with `request.classes`
/// those alone are there, and samples without a label are left out. `request.fraction` keeps the samples
/// that DatasetSplit::subset() keeps of {0, fraction} with the seed of the splits. Findings: damaged
/// (an index page, a status other than whole), unsupported_format (a codec this build does not know).
/// What damage a sample's bytes have, reading it tells.
///
/// The settings of its conversion are kept under "source.": where it came from, and what was done.
///
/// Errors  those of Dataset::open() and Dataset::split(); NotFound: a class that it does not have;
///         InvalidArgument: a fraction not above 0 and below 1, nothing left, a split that is neither train,
///         validation nor test (unless splits are drawn anew), a fraction for a split that is there; Stopped
SourceScan scan_dataset(const SourceRequest& request, const std::stop_token& stop);

}  // namespace penstock::convert
