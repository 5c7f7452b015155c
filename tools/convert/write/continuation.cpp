#include "tools/convert/write/continuation.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "tools/convert/duplicate/copy_groups.h"
#include "tools/convert/reason/reason_policies.h"
#include "tools/convert/write/finished_shard.h"
#include "tools/convert/write/side_files.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

[[noreturn]] void refuse(const PartialFolder& folder, const std::string& expected,
                         const std::vector<std::string>& differences, const char* separator) {
  throw Error(ErrorCode::kAlreadyExists,
              fmt::format("dataset: {}: expected {}{}", tools::printable_path(folder.path()),
                          expected, fmt::join(differences, separator)),
              "rm -r " + shell_quoted(folder.path().native()) +
                  " discards what was done; or type the command as before");
}

// What was done about reasons that no finished shard has met was done about nothing: a policy for them may
// change. Returns those that were met, with both policies.
std::vector<std::string> policy_differences(const JournalContents& before, const JournalHead& now) {
  const ReasonPolicies was =
      ReasonPolicies::from_changes(before.head.settings.at(kPoliciesSetting));
  const ReasonPolicies is = ReasonPolicies::from_changes(now.settings.at(kPoliciesSetting));
  ReasonSet met;
  for (const JournalShard& shard : before.shards) met.add(shard.contribution.met);
  // Which pictures are copies of others no shard knows. Those that were to go are in none.
  const auto drops = [&](ReasonCode code) {
    return was[code] == Policy::kQuarantine || is[code] == Policy::kQuarantine;
  };
  copy_reasons().each(
      [&](ReasonCode code) { met.add_if(!before.shards.empty() && drops(code), code); });
  std::vector<std::string> differences;
  was.differences(is).each([&](ReasonCode code) {
    if (!met.has(code)) return;
    differences.push_back(fmt::format("--on {}: {} before, now {}", reason_code_name(code),
                                      policy_name(was[code]), policy_name(is[code])));
  });
  return differences;
}

void check_same(const PartialFolder& folder, const JournalContents& contents, JournalHead now,
                const SourceScan& scan) {
  JournalHead before = contents.head;
  if (before == now) return;
  std::vector<std::string> policies;
  // Another version may know other reasons; it is refused for its number.
  if (before.settings["penstock"] == now.settings["penstock"]) {
    policies = policy_differences(contents, now);
    before.settings.erase(kPoliciesSetting);
    now.settings.erase(kPoliciesSetting);
    if (policies.empty() && before == now) return;
  }
  std::vector<std::string> settings = setting_differences(before, now);
  if (settings.empty() && !policies.empty()) {
    refuse(folder, "the policies that finished shards were made with, found ", policies, "; ");
  }
  settings.insert(settings.end(), policies.begin(), policies.end());
  if (!settings.empty()) {
    refuse(folder, "the settings it was begun with, found ", settings, "; ");
  }
  refuse(folder, "the source as it was when it was begun, found it changed: ",
         source_differences(folder.path(), scan), "; ");
}

// Whether a shard would be another with what one picture may take now. What is quarantined for it says how
// much that was.
bool depends_on_limit(const JournalShard& shard, std::uint64_t one_picture_bytes) {
  if (shard.one_picture_bytes == one_picture_bytes) return false;
  return shard.contribution.reasons.num_quarantined(ReasonCode::kAboveMemory) > 0 ||
         shard.contribution.largest_picture_bytes > one_picture_bytes;
}

// Of a conversion that takes looks.
std::unique_ptr<PrintFile> looks_of(const PartialFolder& folder, const JournalHead& head,
                                    std::uint64_t kept_bytes) {
  if (!head.settings.contains(kNearDuplicatesSetting)) return nullptr;
  return std::make_unique<PrintFile>(folder.path(), kLooksName, kept_bytes);
}

}  // namespace

Continuation begin_or_continue(PartialFolder& folder, const ConversionTask& task,
                               const VisitFinished& visit, const std::stop_token& stop) {
  const JournalHead& head = *task.head;
  const std::vector<ShardPlan>& shards = *task.shards;
  std::optional<JournalContents> before = read_journal(folder.path());
  if (!before || before->shards.empty()) {
    folder.remove_all_but({});
    folder.set_kept(false);
    write_source_rows(folder.path(), *task.scan);
    return {.journal = Journal(folder.path(), head),
            .rows = std::make_unique<ListedRowsFile>(folder.path(), 0),
            .prints = std::make_unique<PrintFile>(folder.path(), kPrintsName, 0),
            .looks = looks_of(folder, head, 0),
            .shards = std::vector<std::optional<JournalShard>>(shards.size()),
            .redone = {}};
  }
  folder.set_kept(true);
  check_same(folder, *before, head, *task.scan);
  const bool has_same_head = before->head == head;

  std::uint64_t rows_bytes = 0;
  std::uint64_t prints_bytes = 0;
  std::uint64_t looks_bytes = 0;
  for (const JournalShard& shard : before->shards) {
    rows_bytes = std::max(rows_bytes, shard.contribution.rows.end_bytes);
    prints_bytes = std::max(prints_bytes, shard.contribution.prints.end_bytes);
    looks_bytes = std::max(looks_bytes, shard.contribution.looks.end_bytes);
  }
  auto rows = std::make_unique<ListedRowsFile>(folder.path(), rows_bytes);
  auto prints = std::make_unique<PrintFile>(folder.path(), kPrintsName, prints_bytes);
  auto looks = looks_of(folder, head, looks_bytes);
  std::map<std::string, JournalShard> done;
  for (JournalShard& shard : before->shards) done.insert_or_assign(shard.file, std::move(shard));
  std::vector<std::optional<JournalShard>> finished(shards.size());
  std::vector<std::string> redone;
  std::set<std::string> kept(std::begin(kJournalFiles), std::end(kJournalFiles));
  bool has_any = false;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto found = done.find(shards[i].file_name());
    if (found == done.end()) continue;
    JournalShard& shard = found->second;
    if (depends_on_limit(shard, task.one_picture_bytes)) {
      redone.push_back(fmt::format(
          "{}: one picture may take {} of --memory now, {} when it was "
          "finished",
          shard.file, format_bytes(task.one_picture_bytes), format_bytes(shard.one_picture_bytes)));
      continue;
    }
    std::optional<std::vector<IndexRecord>> records;
    bool is_as_it_was = rows->is_intact(shard.contribution.rows) &&
                        prints->is_intact(shard.contribution.prints) &&
                        (!looks || looks->is_intact(shard.contribution.looks));
    if (is_as_it_was && shard.shard) {
      records = read_finished_shard(folder.path() / shard.file, *shard.shard, stop);
      is_as_it_was = records.has_value();
    }
    if (!is_as_it_was) {
      redone.push_back(shard.file + ": it is not as it was finished");
      continue;
    }
    if (records) {
      for (const IndexRecord& record : *records) visit(shards[i].split, record);
      kept.insert(shard.file);
    }
    finished[i] = std::move(shard);
    has_any = true;
  }
  folder.remove_all_but(kept);
  folder.set_kept(has_any);
  std::vector<JournalShard> trusted;
  for (const auto& shard : finished) {
    if (shard && !has_same_head) trusted.push_back(*shard);
  }
  return {.journal = has_same_head ? Journal(folder.path(), *before)
                                   : Journal(folder.path(), head, trusted),
          .rows = std::move(rows),
          .prints = std::move(prints),
          .looks = std::move(looks),
          .shards = std::move(finished),
          .redone = std::move(redone)};
}

}  // namespace penstock::convert
