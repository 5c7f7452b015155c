#include "tools/convert/convert_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/usable_cores.h"
#include "tools/convert/conversion_outcome.h"
#include "tools/convert/conversion_settings.h"
#include "tools/convert/disk_estimate.h"
#include "tools/convert/duplicate/copy_report.h"
#include "tools/convert/duplicate/copy_search.h"
#include "tools/convert/header_survey.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/reason/name_reasons.h"
#include "tools/convert/scan_job.h"
#include "tools/convert/source/stored_files.h"
#include "tools/convert/write/continuation.h"
#include "tools/convert/write/convert_memory.h"
#include "tools/convert/write/manifest_builder.h"
#include "tools/convert/write/shard_production.h"
#include "tools/convert/write/source_stamp.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable;
using tools::printable_path;

// Members of an archive have no times of their own, so it is looked at when all are read.
void check_unchanged(const std::vector<SourceFile>& files) {
  for (const SourceFile& file : files) {
    if (source_file(file.path) == file) continue;
    throw Error(ErrorCode::kIo,
                fmt::format("source: {}: expected it as it was listed, found it changed",
                            printable(file.path)),
                "convert again when nothing writes into SOURCE");
  }
}

constexpr const char* kAgainHint = "the same command goes on from there";

std::string append_hint(const std::string& hint, const std::string& more) {
  return hint.empty() ? more : hint + "; then " + more;
}

class ConvertJob final : private ProductionListener {
 public:
  ConvertJob(const ConvertConfig& config, ConvertObserver& observer, std::stop_token stop)
      : config_(config), observer_(observer), stop_(std::move(stop)) {}

  ConvertSummary run() {
    ScannedSources sources = scan_for_conversion(config_, stop_);
    SourceScan& scan = sources.scan;
    rule_ = sources.rule;
    for (const std::string& text : scan_notices(config_, sources)) observer_.notice(text);
    tell(scan);
    const std::vector<ShardPlan> shards =
        plan_shards(scan.pictures, config_.split.seed, config_.shard_size_bytes);
    const ConvertMemory memory = plan_memory(
        config_.memory_bytes, config_.num_jobs == 0 ? num_usable_cores() : config_.num_jobs, scan,
        shards, config_.policies, config_.near_duplicate_bits.has_value());
    observer_.notice(fmt::format("memory: at most {}, of these {} for pictures; {}",
                                 format_bytes(memory.limit_bytes), format_bytes(memory.pool_bytes),
                                 tools::format_counted(memory.num_jobs, "thread", "threads")));
    observer_.reached(ConvertPoint::kListed);
    folder_.emplace(config_.dataset);
    if (config_.existing == ExistingTarget::kReplace) folder_->lock_old();
    observer_.reached(ConvertPoint::kFolderMade);
    try {
      go_on(scan, shards, memory);
      make_shards(scan, shards, memory);
      finish(scan);
    } catch (const Error& error) {
      throw_on(error, scan);
    }
    return std::move(summary_);
  }

 private:
  void tell(const SourceScan& scan) {
    summary_.layout = scan.description;
    summary_.skipped = scan.skipped;
    summary_.num_outside = scan.num_outside;
    summary_.source_bytes = scan.pictures.total_bytes();
    summary_.has_statistics = config_.depth == CheckDepth::kDecode;
  }

  std::uint64_t estimate_needed_bytes(const SourceScan& scan, const std::vector<ShardPlan>& shards,
                                      const ConvertMemory& memory) {
    if (!needs_survey(config_, scan.pictures)) {
      return estimate_disk_bytes(scan.pictures, shards, nullptr);
    }
    const HeaderSurvey survey = survey_headers(
        config_, scan, memory, [](std::uint32_t, const HeaderLook&) {}, stop_);
    // Resized pictures find room where their files would not.
    reserved_share_ = std::min(1.0, survey.stored_share());
    return estimate_disk_bytes(scan.pictures, shards, &survey);
  }

  // Takes up what an earlier conversion has finished.
  void go_on(const SourceScan& scan, const std::vector<ShardPlan>& shards,
             const ConvertMemory& memory) {
    JournalHead head{.settings = conversion_settings(config_, rule_, scan),
                     .source_digest = source_digest(scan)};
    head.settings["penstock"] = PENSTOCK_VERSION;
    builder_.emplace(scan.class_names);
    num_shards_ = shards.size();
    before_.emplace(begin_or_continue(
        *folder_,
        {.head = &head,
         .scan = &scan,
         .shards = &shards,
         .one_picture_bytes = memory.one_picture_bytes},
        [this](SplitKind split, const IndexRecord& record) { builder_->add_sample(split, record); },
        stop_));
    observer_.reached(ConvertPoint::kJournalBegun);
    num_bad_ = num_pictures_of(scan.findings);
    progress_.num_files = scan.pictures.size();
    // A row without its picture is no file, but counts as one of all.
    num_listed_ = scan.pictures.size() + num_pictures_of(scan.findings);
    num_allowed_bad_ = config_.max_bad.allowed_of(num_listed_);
    std::uint64_t needed_bytes = estimate_needed_bytes(scan, shards, memory);
    for (std::size_t i = 0; i < shards.size(); ++i) {
      progress_.total_bytes += shards[i].source_bytes;
      if (!before_->shards[i]) continue;
      const JournalShard& done = *before_->shards[i];
      ++summary_.num_shards_kept;
      num_bad_ += done.contribution.reasons.total_quarantined();
      progress_.num_done_before += shards[i].pictures.size();
      progress_.done_before_bytes += shards[i].source_bytes;
      needed_bytes -= std::min(needed_bytes, done.shard ? done.shard->size_bytes : 0);
    }
    progress_.num_done = progress_.num_done_before;
    progress_.done_bytes = progress_.done_before_bytes;
    num_finished_ = summary_.num_shards_kept;
    if (!before_->redone.empty()) {
      observer_.notice(
          fmt::format("{} made again:{}",
                      tools::format_counted(before_->redone.size(), "shard is", "shards are"),
                      list_some(before_->redone, before_->redone.size())));
    }
    if (num_finished_ > 0) {
      observer_.notice(fmt::format("{} of {} are there already", num_finished_,
                                   tools::format_counted(num_shards_, "shard", "shards")));
    }
    check_free_space(config_.dataset, needed_bytes);
    check_bad();
  }

  // Before the first shard: membership of a copy that goes cannot be taken back.
  void find_copies(const SourceScan& scan, const NameReasons& names, const ConvertMemory& memory) {
    if (!drops_copies(config_.policies)) return;
    observer_.notice("looking for copies: all files are read once before");
    dropped_ = find_dropped_copies({.pictures = &scan.pictures,
                                    .source = scan.source.get(),
                                    .names = &names,
                                    .policies = config_.policies,
                                    .folder = folder_->path(),
                                    .num_jobs = memory.num_jobs,
                                    .one_picture_bytes = memory.one_picture_bytes},
                                   stop_);
    observer_.notice(fmt::format("{} will be quarantined",
                                 tools::format_counted(dropped_.size(), "copy", "copies")));
  }

  void tell_copies(const SourceScan& scan) {
    try {
      report_copies({.pictures = &scan.pictures,
                     .class_names = &scan.class_names,
                     .prints = before_->prints.get(),
                     .runs = prints_,
                     .policies = config_.policies,
                     .dropped = &dropped_,
                     .folder = folder_->path(),
                     .looks = before_->looks.get(),
                     .look_runs = looks_,
                     .near_bits = config_.near_duplicate_bits.value_or(kNearBits)},
                    summary_.reasons, stop_);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kTooManyBad) {
        stopped_for_reason_ = config_.policies.first_with(Policy::kStop, copy_reasons());
      }
      throw;
    }
    const auto num_kept = [&](ReasonCode code) { return summary_.reasons.num_kept(code); };
    summary_.manifest.duplicates =
        DuplicateCounts{.num_within_class = num_kept(ReasonCode::kDuplicateWithinClass),
                        .num_across_classes = num_kept(ReasonCode::kDuplicateAcrossClasses),
                        .num_across_splits = num_kept(ReasonCode::kDuplicateAcrossSplits)};
    if (!config_.near_duplicate_bits) return;
    summary_.manifest.near_duplicates =
        DuplicateCounts{.num_within_class = num_kept(ReasonCode::kNearDuplicateWithinClass),
                        .num_across_classes = num_kept(ReasonCode::kNearDuplicateAcrossClasses),
                        .num_across_splits = num_kept(ReasonCode::kNearDuplicateAcrossSplits)};
  }

  void make_shards(const SourceScan& scan, const std::vector<ShardPlan>& shards,
                   const ConvertMemory& memory) {
    const NameReasons names(scan.pictures);
    find_copies(scan, names, memory);
    std::vector<bool> is_done;
    for (const auto& shard : before_->shards) is_done.push_back(shard.has_value());
    start_ = std::chrono::steady_clock::now();
    produce_shards({.pictures = &scan.pictures,
                    .shards = &shards,
                    .worker = {.pictures = &scan.pictures,
                               .source = scan.source.get(),
                               .names = &names,
                               .dropped = &dropped_,
                               .check = config_.check_settings(),
                               .one_picture_bytes = memory.one_picture_bytes,
                               .together_bytes = memory.pool_bytes / (2 * memory.num_jobs)},
                    .folder = folder_->path(),
                    .class_names = scan.class_names,
                    .num_jobs = memory.num_jobs,
                    .pool_bytes = memory.pool_bytes,
                    .store_names = config_.store_names,
                    .reserved_share = reserved_share_,
                    .rows = before_->rows.get(),
                    .prints = before_->prints.get(),
                    .looks = before_->looks.get()},
                   is_done, *this, stop_);
    for (std::size_t i = 0; i < shards.size(); ++i) {
      JournalShard& done = *before_->shards[i];
      if (done.shard) builder_->add_shard(shards[i].split, std::move(*done.shard));
      summary_.counted.add(done.contribution);
      rows_.push_back(done.contribution.rows);
      prints_.push_back(done.contribution.prints);
      looks_.push_back(done.contribution.looks);
    }
    observer_.reached(ConvertPoint::kShardsDone);
  }

  // --on REASON=stop.
  void stop_where_asked(std::string_view path, const ImageVerdict& verdict) {
    ReasonSet reasons = verdict.reasons;
    if (verdict.fate == FileFate::kQuarantined) reasons.add(verdict.reason);
    const auto code = config_.policies.first_with(Policy::kStop, reasons);
    if (!code) return;
    stopped_for_reason_ = code;
    refuse_reason({.path = std::string(path), .reason = *code, .detail = verdict.detail});
  }

  void checked(const ListedPicture& picture, const ImageVerdict& verdict,
               const IndexRecord& record) override {
    stop_where_asked(picture.name, verdict);
    if (is_stored(verdict.fate)) builder_->add_sample(*picture.split, record);
    if (verdict.fate == FileFate::kQuarantined) {
      ++num_bad_;
      check_bad();
    }
    ++progress_.num_done;
    progress_.done_bytes += picture.size_bytes;
    progress_.num_quarantined = num_bad_;
    progress_.elapsed = elapsed();
    observer_.progress(progress_);
  }

  void shard_begun() override { observer_.reached(ConvertPoint::kShardBegun); }
  void shard_filled() override { observer_.reached(ConvertPoint::kShardFilled); }

  void shard_finished(std::size_t shard_idx, JournalShard record) override {
    observer_.reached(ConvertPoint::kShardPublished);
    // Before the line that speaks of them.
    if (record.contribution.rows.begin_bytes < record.contribution.rows.end_bytes) {
      before_->rows->sync();
    }
    before_->prints->sync();
    if (before_->looks) before_->looks->sync();
    before_->journal.add(record);
    before_->shards[shard_idx] = std::move(record);
    ++num_finished_;
    folder_->set_kept(true);
    observer_.reached(ConvertPoint::kShardJournalled);
  }

  void check_bad() const {
    if (num_bad_ <= num_allowed_bad_) return;
    throw Error(ErrorCode::kTooManyBad,
                fmt::format("max_bad: {}: expected at most {} bad among {}, found one more",
                            source_text(config_), tools::format_count(num_allowed_bad_),
                            tools::format_counted(num_listed_, "file", "files")),
                "type the command with a larger --max-bad");
  }

  // Says whether anything was left, and what to type.
  [[noreturn]] void throw_on(const Error& error, const SourceScan& scan) {
    const bool is_kept = folder_->is_kept();
    if (error.code() == ErrorCode::kStopped) {
      throw Error(ErrorCode::kStopped,
                  fmt::format("stopped: {}: on request; {}", printable_path(config_.dataset),
                              is_kept ? finished_words() : "nothing of it was left behind"),
                  is_kept ? kAgainHint : "the same command starts it again");
    }
    const bool is_about_it = error.code() == ErrorCode::kAlreadyExists;
    if (is_about_it) throw error;
    const bool has_too_many = error.code() == ErrorCode::kTooManyBad && !stopped_for_reason_;
    const std::string hint = has_too_many ? list_bad(scan) : error.hint();
    if (!is_kept) throw Error(error.code(), error.what(), hint, error.os_error());
    throw Error(
        error.code(), fmt::format("{} ({})", error.what(), finished_words()),
        append_hint(hint, stopped_for_reason_ ? other_policy_hint() : std::string(kAgainHint)),
        error.os_error());
  }

  // What is bad so far: the first on the screen, all in a list that stays. Returns what to type.
  std::string list_bad(const SourceScan& scan) {
    const fs::path list = folder_->path() / kQuarantineName;
    const ListedRows now = before_->rows->written_so_far();
    std::vector<ListedRows> rows;
    for (const auto& shard : before_->shards) {
      const bool is_of_before = shard && shard->contribution.rows.end_bytes <= now.begin_bytes;
      if (is_of_before) rows.push_back(shard->contribution.rows);
    }
    rows.push_back(now);
    std::vector<std::string> first;
    std::uint64_t num_listed = 0;
    write_list(
        list, ListKind::kQuarantine, *before_->rows, rows, num_bad_, scan.pictures, scan.findings,
        [&](const QuarantineEntry& entry) {
          if (++num_listed > kMaxListed) return;
          first.push_back(fmt::format("{}: {}{}{}", entry.path, reason_code_name(entry.reason),
                                      entry.detail.empty() ? "" : ": ", entry.detail));
        });
    folder_->set_kept(true);
    observer_.notice(fmt::format("{} so far:{}",
                                 tools::format_counted(num_listed, "bad file", "bad files"),
                                 list_some(first, num_listed)));
    return fmt::format("look at {}, or type the command with a larger --max-bad",
                       shell_quoted(list.native()));
  }

  // No finished shard has met the reason; a mended file makes another source.
  std::string other_policy_hint() const {
    const ReasonInfo& info = reason_info(*stopped_for_reason_);
    const Policy policy =
        info.default_policy == Policy::kStop ? Policy::kQuarantine : info.default_policy;
    return fmt::format(
        "the same command with --on {}={} goes on from there; where files were mended, rm -r "
        "{} first",
        info.name, policy_name(policy), shell_quoted(folder_->path().native()));
  }

  std::string finished_words() const {
    if (!before_) return "what was finished is kept";  // how much that is was not yet found out
    return fmt::format("{} of {} are finished and kept", tools::format_count(num_finished_),
                       tools::format_counted(num_shards_, "shard", "shards"));
  }

  void finish(SourceScan& scan) {
    check_unchanged(scan.files);
    count_reasons(scan, summary_);
    if (builder_->num_samples() == 0 && !scan.is_rest) {
      folder_->set_kept(false);
      refuse_nothing_readable(config_, summary_);
    }
    summary_.manifest = builder_->build(conversion_settings(config_, rule_, scan), summary_.counted,
                                        num_pictures_of(scan.findings));
    warn(scan);
    if (summary_.manifest.num_quarantined > 0 || !scan.findings.empty()) {
      write_list(folder_->path() / kQuarantineName, ListKind::kQuarantine, *before_->rows, rows_,
                 summary_.counted.reasons.total_quarantined(), scan.pictures,
                 std::move(scan.findings));
    }
    if (summary_.counted.num_listed_as_fixed > 0) {
      write_list(folder_->path() / kFixedName, ListKind::kFixed, *before_->rows, rows_,
                 summary_.counted.num_listed_as_fixed, scan.pictures, {});
    }
    tell_copies(scan);
    observer_.reached(ConvertPoint::kQuarantineWritten);
    for (const ManifestSplit& split : summary_.manifest.splits) {
      for (const ManifestShard& shard : split.shards) summary_.dataset_bytes += shard.size_bytes;
    }
    write_manifest(folder_->path(), summary_.manifest);
    observer_.reached(ConvertPoint::kManifestWritten);
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
    folder_->publish(config_.existing);
    observer_.reached(ConvertPoint::kPublished);
    summary_.elapsed = std::chrono::steady_clock::now() - began_;
  }

  void warn(const SourceScan& scan) {
    const std::string bad_files = bad_files_warning(num_bad_, num_listed_);
    if (!bad_files.empty()) observer_.notice(bad_files);
    for (const std::string& text : lost_split_warnings(scan, summary_)) observer_.notice(text);
  }

  std::chrono::duration<double> elapsed() const {
    return std::chrono::steady_clock::now() - start_;
  }

  const ConvertConfig& config_;
  ConvertObserver& observer_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point start_ = began_;  // of the shards: what progress is of
  std::optional<PartialFolder> folder_;                   // once the source is known to be one
  std::optional<ManifestBuilder> builder_;                // once the classes are known
  std::optional<Continuation> before_;  // finished shards; while they are made, the committer's
  std::vector<ListedRows> rows_;        // by shard
  std::vector<PrintRun> prints_;        // the same
  std::vector<PrintRun> looks_;         // the same
  DroppedCopies dropped_;               // that are not to become samples
  SplitRule rule_;                      // of the splits that the source leaves open
  std::optional<ReasonCode> stopped_for_reason_;  // --on REASON=stop
  double reserved_share_ = 1.0;
  std::uint64_t num_bad_ = 0;
  std::uint64_t num_listed_ = 0;  // pictures, and what the scan has found to be none
  std::uint64_t num_allowed_bad_ = UINT64_MAX;
  std::atomic<std::uint64_t> num_finished_ = 0;  // shards
  std::uint64_t num_shards_ = 0;
  ConvertProgress progress_;
  ConvertSummary summary_;
};

}  // namespace

ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop) {
  config.validate();
  return ConvertJob(config, observer, stop).run();
}

}  // namespace penstock::convert
