// Files that lie beside the shards in DATASET.partial while a dataset is made, and never in one.
#pragma once

#include "tools/convert/duplicate/near_search.h"
#include "tools/convert/duplicate/print_runs.h"
#include "tools/convert/write/journal.h"
#include "tools/convert/write/listed_rows.h"
#include "tools/convert/write/source_stamp.h"

namespace penstock::convert {

/// What a conversion goes on with, the journal last: while that is there, so is the rest.
inline constexpr const char* kJournalFiles[] = {kPrintsName, kLooksName, kListedRowsName,
                                                kSourceRowsName, kJournalName};
/// Of a step within one run.
inline constexpr const char* kStepFiles[] = {kSearchPrintsName, kMergedPrintsName, kNearFirstsName,
                                             kNearBandName, kNearFoundName};

}  // namespace penstock::convert
