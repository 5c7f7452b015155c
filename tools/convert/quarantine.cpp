#include "tools/convert/quarantine.h"

#include <fmt/core.h>

#include <algorithm>

#include "streamer/core/csv_field.h"
#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {

void refuse_reason(const QuarantineEntry& entry) {
  const std::string_view name = reason_code_name(entry.reason);
  throw Error(ErrorCode::kTooManyBad,
              fmt::format("source: {}: expected nothing that is {} (--on {}=stop), found it{}{}",
                          tools::printable(entry.path), name, name,
                          entry.detail.empty() ? "" : ": ", entry.detail),
              "mend or move the file, or choose another policy: penstock convert --list-reasons");
}

std::string quarantine_csv(std::vector<QuarantineEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const QuarantineEntry& a, const QuarantineEntry& b) { return a.path < b.path; });
  std::string csv = "path,reason,bytes,detail\n";
  for (const QuarantineEntry& entry : entries) {
    csv += csv_field(tools::printable(entry.path));
    csv += ',';
    csv += reason_code_name(entry.reason);
    csv += ',';
    csv += std::to_string(entry.size_bytes);
    csv += ',';
    csv += csv_field(tools::printable(entry.detail));
    csv += '\n';
  }
  return csv;
}

std::map<std::string, std::uint64_t> count_by_reason(const std::vector<QuarantineEntry>& entries) {
  std::map<std::string, std::uint64_t> counts;
  for (const QuarantineEntry& entry : entries) {
    ++counts[std::string(reason_code_name(entry.reason))];
  }
  return counts;
}

}  // namespace penstock::convert
