// What was found wrong with a dataset, in words and as JSON.
#pragma once

#include <string>

#include "tools/care/dataset_check.h"

namespace penstock::care {

/// "312 of 1,024 MiB, 5.1 GB/s, 3 s left"
std::string check_progress_text(const CheckProgress& progress);

/// "train-00000.h5: train sample 12 (cat/1.jpg): checksum: ..."
std::string damage_text(const Damage& damage);
/// A JSON array of objects.
std::string damage_json(const std::vector<Damage>& damage);

/// A line for each damage, and one for the whole.
std::string check_text(const DatasetCheck& check, const std::string& dataset);
std::string check_json(const DatasetCheck& check, const std::string& dataset);

}  // namespace penstock::care
