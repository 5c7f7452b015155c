#include "tools/convert/conversion_outcome.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <map>

#include "streamer/core/error.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/scan_job.h"
#include "tools/terminal.h"

namespace penstock::convert {

void count_reasons(const SourceScan& scan, ConvertSummary& summary) {
  summary.reasons = summary.counted.reasons;
  for (const QuarantineEntry& entry : scan.findings) {
    summary.reasons.add_quarantined(entry.reason, entry.num_pictures);
  }
  for (const ReasonInfo& info : all_reasons()) {
    const std::uint64_t count = summary.reasons.num_quarantined(info.code);
    if (count > 0) summary.num_by_reason.emplace(info.name, count);
  }
}

std::string bad_files_warning(std::uint64_t num_bad, std::uint64_t num_listed) {
  constexpr double kWarnAbove = 0.01;
  const double part = static_cast<double>(num_bad) / static_cast<double>(num_listed);
  if (part <= kWarnAbove) return {};
  return fmt::format("warning: {} of {} {} bad ({:.1f} %); see {}", tools::format_count(num_bad),
                     tools::format_counted(num_listed, "file", "files"),
                     num_bad == 1 ? "is" : "are", 100 * part, kQuarantineName);
}

std::vector<std::string> lost_split_warnings(const SourceScan& scan,
                                             const ConvertSummary& summary) {
  if (scan.is_rest) return {};  // what is added to a dataset may well be bad alone
  std::map<SplitKind, std::uint64_t> num_listed;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) ++num_listed[*scan.pictures[i].split];
  std::vector<std::string> warnings;
  for (const auto& [split, count] : num_listed) {
    if (summary.manifest.find_split(std::string(split_name(split))) != nullptr) continue;
    const bool loses_statistics = split == SplitKind::kTrain && summary.has_statistics;
    warnings.push_back(fmt::format("warning: split {}: none of {} became a sample{}",
                                   split_name(split), tools::format_counted(count, "file", "files"),
                                   loses_statistics ? "; there are no statistics" : ""));
  }
  return warnings;
}

void refuse_nothing_readable(const ConvertConfig& config, const ConvertSummary& summary) {
  std::vector<std::string> reasons;
  for (const auto& [reason, count] : summary.num_by_reason) {
    reasons.push_back(fmt::format("{} {}", count, reason));
  }
  if (summary.counted.num_text_skipped > 0) {
    reasons.push_back(fmt::format("{} text", summary.counted.num_text_skipped));
  }
  throw Error(ErrorCode::kCorruptData,
              fmt::format("source: {}: expected at least one picture that decodes, found {}",
                          source_text(config), fmt::join(reasons, ", ")),
              summary.reasons.num_quarantined(ReasonCode::kFailedChecksum) > 0
                  ? "copy the file again from where it came; --on failed_checksum=keep stores "
                    "what it holds unchecked"
                  : "look at one of the files: are they pictures?");
}

}  // namespace penstock::convert
