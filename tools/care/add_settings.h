// How an addition is converted: by what the dataset's conversion recorded, so that what is added is as if it
// had been there from the start.
#pragma once

#include "streamer/shard/manifest.h"
#include "tools/care/add_job.h"
#include "tools/convert/convert_config.h"
#include "tools/convert/source/split_draw.h"

namespace penstock::care {

/// The setting by which an addition that is converted and has not joined is told from a dataset of the user's.
inline constexpr const char* kAdditionSetting = "addition";

/// All of the conversion but its target, its fractions and what amends its scan.
convert::ConvertConfig addition_config(const AddConfig& config, const Manifest& old);

/// The fractions recorded, 0 among them, but for splits that the source itself has.
convert::SplitRequest addition_splits(const AddConfig& config, const Manifest& old,
                                      const convert::SourceScan& scan);

/// The policies of the dataset's conversion.
convert::ReasonPolicies recorded_policies(const Manifest& old);

}  // namespace penstock::care
