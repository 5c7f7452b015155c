#include "tools/care/refused_copies.h"

#include <utility>

#include "tools/care/remove_job.h"
#include "tools/care/row_list.h"
#include "tools/convert/quarantine.h"

namespace penstock::care {
namespace {

void take_out(const CopyRefusal& refusal, const std::vector<std::string>& names, Manifest& added,
              const std::stop_token& stop) {
  std::uint64_t num_samples = 0;
  for (const ManifestSplit& split : added.splits) num_samples += split.num_samples;
  std::uint64_t source_bytes = added.sample_bytes ? added.sample_bytes->source_bytes : 0;
  for (const std::string& name : names) source_bytes -= refusal.pictures.source_bytes(name);
  const auto duplicates = added.duplicates;
  const auto near_duplicates = added.near_duplicates;
  const bool knows_bytes = added.sample_bytes.has_value();
  if (names.size() == num_samples) {
    added.splits.clear();
    added.pixel_totals.reset();
    added.num_reencoded = 0;
  } else {
    remove_samples(
        {.dataset = refusal.adding,
         .names = names,
         .rows = NamedRows::kKept,
         .limits = refusal.config.limits},
        [](const CheckProgress&) {}, stop);
    added = read_manifest(refusal.adding);
  }
  *added.num_quarantined += names.size();
  added.duplicates = duplicates;
  added.near_duplicates = near_duplicates;
  if (knows_bytes) added.sample_bytes = SampleBytes{.source_bytes = source_bytes};
}

// A row of quarantine.csv for it, without its line feed.
std::string row_of(const convert::QuarantineEntry& entry) {
  std::string row = convert::quarantine_row(entry);
  row.pop_back();
  return row;
}

}  // namespace

FoundCopies refuse_copies(const CopyRefusal& refusal, Manifest& added,
                          const std::stop_token& stop) {
  FoundCopies found;
  if (added.splits.empty()) return found;
  const AddConfig& config = refusal.config;
  OldCopies copies = find_old_copies({.dataset = config.dataset,
                                      .added = refusal.adding,
                                      .memory_bytes = config.limits.memory_bytes},
                                     stop);
  found.all = std::move(copies.named);
  found.num_unnamed = copies.num_unnamed;
  std::vector<std::string> going;
  for (const OldCopy& copy : found.all) {
    for (std::size_t i = 0; i < copy.others.size(); ++i) {
      if (!copy.others[i]) continue;
      const convert::ReasonCode reason = kCopyReasonOrder[i];
      const convert::Policy policy = refusal.policies[reason];
      const convert::QuarantineEntry entry{
          .path = copy.added.name,
          .reason = reason,
          .size_bytes = refusal.pictures.source_bytes(copy.added.name),
          .detail = "stored as the same bytes as " + copy.others[i]->name};
      if (policy == convert::Policy::kStop) {
        std::filesystem::remove_all(refusal.adding);
        convert::refuse_reason(entry);
      }
      if (policy != convert::Policy::kQuarantine) continue;
      if (!found.refused.insert(listed_name(copy.added.name)).second) continue;
      going.push_back(copy.added.name);
      found.refused_rows.push_back(row_of(entry));
    }
  }
  if (!going.empty()) take_out(refusal, going, added, stop);
  return found;
}

}  // namespace penstock::care
