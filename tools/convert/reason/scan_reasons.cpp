#include "tools/convert/reason/scan_reasons.h"

#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tools/convert/quarantine.h"

namespace penstock::convert {
namespace {

std::uint64_t& count_of(SourceScan& scan, ReasonCode reason) {
  switch (reason) {
    case ReasonCode::kSystemFile:
      return scan.skipped.num_system;
    case ReasonCode::kHiddenFile:
      return scan.skipped.num_hidden;
    case ReasonCode::kSymlink:
      return scan.skipped.num_symlinks;
    case ReasonCode::kSpecialFile:
      return scan.skipped.num_special;
    default:
      return scan.num_outside;
  }
}

void check_classes(const SourceScan& scan, const ReasonPolicies& policies) {
  if (scan.class_names.size() == 1 && policies[ReasonCode::kOneClass] == Policy::kStop) {
    refuse_reason({.path = scan.class_names.front(), .reason = ReasonCode::kOneClass});
  }
  if (policies[ReasonCode::kEmptyClass] != Policy::kStop) return;
  std::vector<bool> has_pictures(scan.class_names.size());
  for (std::uint32_t i = 0; i < scan.pictures.size(); ++i) {
    const std::uint32_t class_idx = scan.pictures[i].class_idx;
    if (class_idx != kUnlabelled) has_pictures[class_idx] = true;
  }
  for (std::size_t i = 0; i < has_pictures.size(); ++i) {
    if (has_pictures[i]) continue;
    refuse_reason({.path = scan.class_names[i], .reason = ReasonCode::kEmptyClass});
  }
}

}  // namespace

void apply_policies(SourceScan& scan, const ReasonPolicies& policies) {
  for (const QuarantineEntry& entry : scan.findings) {
    if (policies[entry.reason] == Policy::kStop) refuse_reason(entry);
  }
  check_classes(scan, policies);
  for (QuarantineEntry& entry : scan.passed_over) {
    if (policies[entry.reason] == Policy::kStop) refuse_reason(entry);
    if (policies[entry.reason] != Policy::kQuarantine) continue;
    --count_of(scan, entry.reason);
    scan.findings.push_back(std::move(entry));
  }
  std::vector<QuarantineEntry>().swap(scan.passed_over);
}

}  // namespace penstock::convert
