// What is decided before any picture is read: what a scan has passed over, and its classes.
#pragma once

#include "tools/convert/reason/reason_policies.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Moves what was passed over, and is to be listed, to the findings of `scan`, and no longer counts
/// it as left out. Throws TooManyBad for what is to stop the conversion: a file passed over, a finding,
/// an empty class, a single class.
void apply_policies(SourceScan& scan, const ReasonPolicies& policies);

}  // namespace penstock::convert
