#include "tools/convert/duplicate/copy_report.h"

#include <fmt/core.h>

#include "streamer/core/error.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/quarantine.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

std::string other_path_text(const CopyReportConfig& config, std::uint32_t other_idx) {
  return "the same bytes as " + tools::printable(std::string(config.pictures->name(other_idx)));
}

[[noreturn]] void refuse_changed(const CopyReportConfig& config, std::uint32_t picture_idx) {
  throw Error(ErrorCode::kIo,
              fmt::format("source: {}: expected it as it was when copies were looked for, found it "
                          "changed",
                          tools::printable(std::string(config.pictures->name(picture_idx)))),
              "convert again when nothing writes into SOURCE");
}

void report_near(const CopyReportConfig& config, CopyList& list, ReasonCounts& counts,
                 const std::stop_token& stop) {
  find_near_pairs(
      {.pictures = config.pictures,
       .looks = config.looks,
       .runs = config.look_runs,
       .folder = config.folder,
       .max_bits = config.near_bits},
      stop, [&](const NearFinding& finding) {
        counts.add_kept(finding.reason);
        list.add(copy_row({.reason = finding.reason,
                           .picture_idx = finding.picture_idx,
                           .other_idx = finding.other_idx},
                          finding.distance_bits, *config.pictures, *config.class_names));
      });
}

}  // namespace

void report_copies(const CopyReportConfig& config, ReasonCounts& counts,
                   const std::stop_token& stop) {
  CopyList list(config.folder / kDuplicatesName);
  visit_groups(
      *config.prints, config.runs, config.folder, {}, [&](std::vector<std::uint32_t>& group) {
        resolve_copies(group, *config.pictures, config.policies, [&](const CopyFinding& finding) {
          if (config.policies[finding.reason] == Policy::kStop) {
            refuse_reason({.path = std::string(config.pictures->name(finding.picture_idx)),
                           .reason = finding.reason,
                           .detail = other_path_text(config, finding.other_idx)});
          }
          const bool was_dropped = config.dropped->find(finding.picture_idx) != nullptr;
          if (was_dropped != finding.is_dropped) refuse_changed(config, finding.picture_idx);
          if (!finding.is_dropped) counts.add_kept(finding.reason);
          list.add(copy_row(finding, 0, *config.pictures, *config.class_names));
        });
      });
  if (config.looks != nullptr) report_near(config, list, counts, stop);
  list.finish();
}

}  // namespace penstock::convert
