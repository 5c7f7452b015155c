// Brings the rows of a table and the files of a scan together.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/batch.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/split_rule.h"
#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

/// What becomes of a picture whose row has no label.
enum class UnlabelledRows : std::uint8_t {
  kQuarantined,
  kKept,  // a sample of no class (kUnlabelled)
};

/// What a file's row says.
struct RowOfFile {
  std::uint32_t class_idx = kUnlabelled;
  std::optional<SplitKind> split;
  bool has_row = false;
  bool is_picture = false;  // to be converted
};

struct RowMatch {
  std::vector<RowOfFile> files;          // as FolderScan::files
  std::vector<std::string> class_names;  // as stored, sorted by bytes
  std::vector<std::string> class_where;  // "labels.csv:12", the first row of each class
  std::vector<QuarantineEntry> findings;
  std::uint64_t num_rows = 0;
  std::uint64_t num_damaged = 0;  // of these
  std::string first_damaged;      // "labels.jsonl:7: why", for messages
  std::string first_unmatched;    // path of the first row without a file, for messages
};

/// Matches every row. Of two rows for one file the first counts; a label of spaces is none. `table_name` stands
/// before line numbers in findings.
///
/// Cost     8 bytes a file and 60 to 100 a class; nothing for a row that is in order
/// Errors   those of the table; InvalidArgument for more classes than a shard can hold, and for two labels
///          that would have one name in the dataset; Stopped
RowMatch match_rows(const FolderScan& scan, TableReader& table, UnlabelledRows unlabelled,
                    const std::string& table_name, const std::stop_token& stop);

}  // namespace penstock::convert
