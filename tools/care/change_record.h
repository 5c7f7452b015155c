// What stands in unfinished_change.json: names of files and samples as printable() writes them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/care/dataset_change.h"

namespace penstock::care {

struct ChangeRecord {
  ChangePlan plan{};
  std::string manifest_xxh3{};       // of the bytes of dataset.json before the change
  std::vector<std::string> lists{};  // quarantine.csv and its like that were there before
};

/// Writes it whole and flushed; throws Io.
void write_change_record(const std::filesystem::path& dataset, const ChangeRecord& record);

/// Nothing when there is none. Names that lead out of the folder are none of ours.
///
/// Errors  CorruptData, Io
std::optional<ChangeRecord> read_change_record(const std::filesystem::path& dataset);

}  // namespace penstock::care
