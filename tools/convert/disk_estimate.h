// The space that a dataset will take, before anything is written: what a dry run says and what a conversion
// checks. Of pictures that are made anew an upper side, by the sides, the codec and the quality they get.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/convert/convert_config.h"
#include "tools/convert/header_survey.h"
#include "tools/convert/image/header_look.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

/// Whether sizes of files do not tell: something is asked for, or a name is not that of a JPEG. Then headers
/// are looked at; of a folder of JPEG none is.
bool needs_survey(const ConvertConfig& config, const PictureList& pictures);

/// What one picture takes as stored: of bare pixels that, of what is encoded as JPEG what photographs of such
/// sides and that quality take, and somewhat more. A header that tells no sides leaves the size of the file.
std::uint64_t estimate_stored_bytes(const HeaderLook& look, std::uint64_t file_bytes,
                                    const ConvertConfig& config);

/// What the dataset takes; without a survey what is in the files goes over as it is.
std::uint64_t estimate_disk_bytes(const PictureList& pictures, const std::vector<ShardPlan>& shards,
                                  const HeaderSurvey* survey);

}  // namespace penstock::convert
