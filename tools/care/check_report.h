// What was found wrong with a dataset, in words and as JSON.
#pragma once

#include <string>

#include "tools/care/dataset_check.h"

namespace penstock::care {

/// "312 of 1,024 MiB, 5.1 GB/s, 3 s left"
std::string check_progress_text(const CheckProgress& progress);

/// A line for each damage, and one for the whole.
std::string check_text(const DatasetCheck& check, const std::string& dataset);
std::string check_json(const DatasetCheck& check, const std::string& dataset);

}  // namespace penstock::care
