#include "tools/convert/convert_job.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/usable_cores.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/reason/name_reasons.h"
#include "tools/convert/reason/scan_reasons.h"
#include "tools/convert/source/any_source.h"
#include "tools/convert/source/split_draw.h"
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

bool is_inside(const fs::path& inner, const fs::path& outer) {
  const auto [outer_end, inner_at] =
      std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return outer_end == outer.end();
}

// With a last slash the last name would be an empty one.
fs::path folder_of(const fs::path& dataset) {
  return dataset.has_filename() ? dataset.parent_path() : dataset.parent_path().parent_path();
}

// An archive is apart from whatever lies beside it.
void check_apart(const fs::path& source, const fs::path& dataset) {
  if (!fs::is_directory(source)) return;
  // With a last slash the last name would be an empty one.
  const fs::path from = fs::weakly_canonical(source / ".");
  const fs::path to = fs::weakly_canonical(dataset / ".");
  if (!is_inside(to, from) && !is_inside(from, to)) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("dataset: {}: expected a place outside of {}, found one inside",
                          printable_path(dataset), printable_path(source)),
              "name a DATASET beside SOURCE");
}

bool is_unreadable_folder(const QuarantineEntry& finding) {
  return finding.reason == ReasonCode::kUnreadable && finding.path.ends_with('/');
}

// At most ten of `paths`, a line each.
std::string first_paths(const std::vector<std::string>& paths) {
  constexpr std::size_t kMaxListed = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(paths.size(), kMaxListed); ++i) {
    text += "\n  " + printable(paths[i]);
  }
  if (paths.size() > kMaxListed) text += fmt::format("\n  and {} more", paths.size() - kMaxListed);
  return text;
}

// What may not be read; empty when all may. "1 folder and 3 files may not be read ..."
std::string list_unreadable(const SourceScan& scan) {
  std::vector<std::string> paths;
  for (const QuarantineEntry& finding : scan.findings) {
    if (is_unreadable_folder(finding)) paths.push_back(finding.path);
  }
  std::vector<std::string> counts;
  if (!paths.empty()) counts.push_back(tools::format_counted(paths.size(), "folder", "folders"));
  const std::size_t num_files = scan.unreadable.size();
  if (num_files > 0) counts.push_back(tools::format_counted(num_files, "file", "files"));
  if (counts.empty()) return "";
  paths.insert(paths.end(), scan.unreadable.begin(), scan.unreadable.end());
  return fmt::format("{} may not be read and will be quarantined:{}", fmt::join(counts, " and "),
                     first_paths(paths));
}

// What else could not be listed; empty when nothing.
std::string list_findings(const SourceScan& scan) {
  std::vector<std::string> lines;
  for (const QuarantineEntry& finding : scan.findings) {
    if (is_unreadable_folder(finding)) continue;
    lines.push_back(fmt::format("{}: {}{}{}", finding.path, reason_code_name(finding.reason),
                                finding.detail.empty() ? "" : ", ", finding.detail));
  }
  if (lines.empty()) return "";
  return fmt::format("{} of the source cannot be used and will be quarantined:{}",
                     tools::format_counted(lines.size(), "part", "parts"), first_paths(lines));
}

std::map<std::string, std::string> conversion_settings(const ConvertConfig& config,
                                                       const SourceScan& scan, bool draws) {
  const SplitRule defaults;
  std::map<std::string, std::string> settings = {
      {"validation_split", fmt::format("{}", config.split.validation_fraction.value_or(
                                                 draws ? defaults.validation_fraction : 0.0))},
      {"test_split", fmt::format("{}", config.split.test_fraction.value_or(0.0))},
      {"seed", std::to_string(config.split.seed)},
      {"shard_size_bytes", std::to_string(config.shard_size_bytes)},
      {"max_pixels", std::to_string(config.max_px)},
      {"names", config.store_names ? "kept" : "left out"},
      {"optimize_crops", config.several_scans == SeveralScans::kRewritten ? "true" : "false"},
      {"orientation", "in the index"},
      {"reencode", fmt::format("jpeg quality {} 4:4:4 on {}", kReencodeQuality,
                               colour_text(config.background))},
      {kPoliciesSetting, config.policies.changes()},
      {"statistics", config.depth == CheckDepth::kHeader
                         ? "none"
                         : "all pixels of the training split, full size"},
      {"checked", config.depth == CheckDepth::kHeader ? "headers" : "decoded"},
  };
  settings.insert(scan.settings.begin(), scan.settings.end());
  return settings;
}

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
    const SourceRequest request{.path = config_.source,
                                .split = config_.split,
                                // Beside DATASET: the same disk, whose free space counts.
                                .spool = {.folder = folder_of(config_.dataset)},
                                .label = config_.label,
                                .class_names_file = config_.class_names_file,
                                .list_room_bytes = list_room_bytes(config_.memory_bytes)};
    check_source(request);
    check_target(config_.dataset, config_.existing);
    check_apart(config_.source, config_.dataset);
    SourceScan scan = scan_source(request, stop_);
    if (config_.amend_scan) config_.amend_scan(scan);
    draws_ = scan.settings.at("layout") == "class_folders" || draws_splits(scan.pictures);
    draw_splits(scan.pictures, split_rule_of(scan.pictures, config_.split));
    apply_policies(scan, config_.policies);
    tell(scan);
    const std::vector<ShardPlan> shards =
        plan_shards(scan.pictures, config_.split.seed, config_.shard_size_bytes);
    const ConvertMemory memory =
        plan_memory(config_.memory_bytes,
                    config_.num_jobs == 0 ? num_usable_cores() : config_.num_jobs, scan, shards);
    observer_.notice(fmt::format("memory: at most {}, of these {} for pictures; {}",
                                 format_bytes(memory.limit_bytes), format_bytes(memory.pool_bytes),
                                 tools::format_counted(memory.num_jobs, "thread", "threads")));
    observer_.reached(ConvertPoint::kListed);
    folder_.emplace(config_.dataset);
    observer_.reached(ConvertPoint::kFolderMade);
    try {
      go_on(scan, shards);
      make_shards(scan, shards, memory);
      finish(scan);
    } catch (const Error& error) {
      throw_on(error);
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
    observer_.notice(fmt::format("{}: {}, {}, {}", printable_path(config_.source), scan.description,
                                 tools::format_counted(scan.class_names.size(), "class", "classes"),
                                 tools::format_counted(scan.pictures.size(), "file", "files")));
    for (const std::string& warning : scan.warnings) observer_.notice("warning: " + warning);
    for (const std::string& list : {list_unreadable(scan), list_findings(scan)}) {
      if (!list.empty()) observer_.notice(list);
    }
  }

  // Takes up what an earlier conversion has finished.
  void go_on(const SourceScan& scan, const std::vector<ShardPlan>& shards) {
    JournalHead head{.settings = conversion_settings(config_, scan, draws_),
                     .source_digest = source_digest(scan)};
    head.settings["penstock"] = PENSTOCK_VERSION;
    builder_.emplace(scan.class_names);
    before_.emplace(begin_or_continue(*folder_, head, scan, shards,
                                      [this](SplitKind split, const IndexRecord& record) {
                                        builder_->add_sample(split, record);
                                      }));
    observer_.reached(ConvertPoint::kJournalBegun);
    num_bad_ = scan.findings.size();
    progress_.num_files = scan.pictures.size();
    num_allowed_bad_ = config_.max_bad.allowed_of(scan.pictures.size());
    std::uint64_t needed_bytes = estimate_dataset_bytes(scan.pictures, shards);
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
    num_shards_ = shards.size();
    if (num_finished_ > 0) {
      observer_.notice(fmt::format("{} of {} are there already", num_finished_,
                                   tools::format_counted(num_shards_, "shard", "shards")));
    }
    check_free_space(config_.dataset, needed_bytes);
    check_bad();
  }

  void make_shards(const SourceScan& scan, const std::vector<ShardPlan>& shards,
                   const ConvertMemory& memory) {
    const NameReasons names(scan.pictures);
    std::vector<bool> is_done;
    for (const auto& shard : before_->shards) is_done.push_back(shard.has_value());
    start_ = std::chrono::steady_clock::now();
    produce_shards(
        {.pictures = &scan.pictures,
         .shards = &shards,
         .worker = {.pictures = &scan.pictures,
                    .source = scan.source.get(),
                    .names = &names,
                    .max_px = config_.max_px,
                    .depth = config_.depth,
                    .several_scans = config_.several_scans,
                    .fixes = {.policies = config_.policies, .background = config_.background},
                    .one_picture_bytes = memory.one_picture_bytes,
                    .together_bytes = memory.pool_bytes / (2 * memory.num_jobs)},
         .folder = folder_->path(),
         .class_names = scan.class_names,
         .num_jobs = memory.num_jobs,
         .pool_bytes = memory.pool_bytes,
         .store_names = config_.store_names,
         .rows = before_->rows.get()},
        is_done, *this, stop_);
    for (std::size_t i = 0; i < shards.size(); ++i) {
      JournalShard& done = *before_->shards[i];
      if (done.shard) builder_->add_shard(shards[i].split, std::move(*done.shard));
      all_.add(done.contribution);
      rows_.push_back(done.contribution.rows);
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
                            printable_path(config_.source), tools::format_count(num_allowed_bad_),
                            tools::format_counted(progress_.num_files, "file", "files")),
                "look at the files, or type the command with a larger --max-bad");
  }

  // Says whether anything was left, and what to type.
  [[noreturn]] void throw_on(const Error& error) {
    if (error.code() == ErrorCode::kStopped) {
      throw Error(
          ErrorCode::kStopped,
          fmt::format("stopped: {}: on request; {}", printable_path(config_.dataset),
                      folder_->is_kept() ? finished_words() : "nothing of it was left behind"),
          folder_->is_kept() ? kAgainHint : "the same command starts it again");
    }
    const bool is_about_it = error.code() == ErrorCode::kAlreadyExists;
    if (!folder_->is_kept() || is_about_it) throw error;
    throw Error(error.code(), fmt::format("{} ({})", error.what(), finished_words()),
                append_hint(error.hint(),
                            stopped_for_reason_ ? other_policy_hint() : std::string(kAgainHint)),
                error.os_error());
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
    return fmt::format("{} of {} are finished and kept", tools::format_count(num_finished_),
                       tools::format_counted(num_shards_, "shard", "shards"));
  }

  void finish(SourceScan& scan) {
    check_unchanged(scan.files);
    summary_.reasons = all_.reasons;
    for (const QuarantineEntry& entry : scan.findings) {
      summary_.reasons.add_quarantined(entry.reason);
    }
    for (const ReasonInfo& info : all_reasons()) {
      const std::uint64_t count = summary_.reasons.num_quarantined(info.code);
      if (count > 0) summary_.num_by_reason.emplace(info.name, count);
    }
    summary_.num_listed_as_fixed = all_.num_listed_as_fixed;
    summary_.num_text_skipped = all_.num_text_skipped;
    summary_.num_rewritten = all_.num_rewritten;
    summary_.num_in_several_scans = all_.num_in_several_scans;
    if (builder_->num_samples() == 0) {
      folder_->set_kept(false);
      refuse_nothing_readable();
    }
    summary_.manifest =
        builder_->build(conversion_settings(config_, scan, draws_), all_, scan.findings.size());
    warn_of_bad();
    if (summary_.manifest.num_quarantined > 0) {
      write_list(folder_->path() / kQuarantineName, ListKind::kQuarantine, *before_->rows, rows_,
                 all_.reasons.total_quarantined(), scan.pictures, std::move(scan.findings));
    }
    if (all_.num_listed_as_fixed > 0) {
      write_list(folder_->path() / kFixedName, ListKind::kFixed, *before_->rows, rows_,
                 all_.num_listed_as_fixed, scan.pictures, {});
    }
    observer_.reached(ConvertPoint::kQuarantineWritten);
    for (const ManifestSplit& split : summary_.manifest.splits) {
      for (const ManifestShard& shard : split.shards) summary_.dataset_bytes += shard.size_bytes;
    }
    write_manifest(folder_->path(), summary_.manifest);
    observer_.reached(ConvertPoint::kManifestWritten);
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
    folder_->publish(config_.existing);
    observer_.reached(ConvertPoint::kPublished);
    summary_.elapsed = elapsed();
  }

  void warn_of_bad() {
    constexpr double kWarnAbove = 0.01;
    const double part = static_cast<double>(num_bad_) / static_cast<double>(progress_.num_files);
    if (part <= kWarnAbove) return;
    observer_.notice(fmt::format(
        "warning: {} of {} are bad ({:.1f} %); see {}", tools::format_count(num_bad_),
        tools::format_counted(progress_.num_files, "file", "files"), 100 * part, kQuarantineName));
  }

  [[noreturn]] void refuse_nothing_readable() const {
    std::vector<std::string> reasons;
    for (const auto& [reason, count] : summary_.num_by_reason) {
      reasons.push_back(fmt::format("{} {}", count, reason));
    }
    if (summary_.num_text_skipped > 0) {
      reasons.push_back(fmt::format("{} text", summary_.num_text_skipped));
    }
    throw Error(ErrorCode::kCorruptData,
                fmt::format("source: {}: expected at least one picture that decodes, found {}",
                            printable_path(config_.source), fmt::join(reasons, ", ")),
                "look at one of the files: are they pictures?");
  }

  std::chrono::duration<double> elapsed() const {
    return std::chrono::steady_clock::now() - start_;
  }

  const ConvertConfig& config_;
  ConvertObserver& observer_;
  const std::stop_token stop_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<PartialFolder> folder_;     // once the source is known to be one
  std::optional<ManifestBuilder> builder_;  // once the classes are known
  std::optional<Continuation> before_;      // finished shards; while they are made, the committer's
  ShardContribution all_;                   // what all shards contributed, once they are done
  std::vector<ListedRows> rows_;            // by shard
  bool draws_ = false;                      // splits that the source leaves open
  std::optional<ReasonCode> stopped_for_reason_;  // --on REASON=stop
  std::uint64_t num_bad_ = 0;
  std::uint64_t num_allowed_bad_ = UINT64_MAX;
  std::atomic<std::uint64_t> num_finished_ = 0;  // shards
  std::uint64_t num_shards_ = 0;
  ConvertProgress progress_;
  ConvertSummary summary_;
};

}  // namespace

void ConvertConfig::validate() const {
  const auto check = [](bool is_good, const char* field, std::uint64_t value, const char* range) {
    if (is_good) return;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("convert: {}: expected {}, found {}", field, range, value));
  };
  constexpr std::uint64_t kMinShardBytes = 1u << 20;
  constexpr unsigned kMaxJobs = 1024;
  check(shard_size_bytes >= kMinShardBytes, "shard_size", shard_size_bytes, "at least 1M");
  check(num_jobs <= kMaxJobs, "jobs", num_jobs, "at most 1024");
  constexpr std::uint64_t kMinMemoryBytes = 64u << 20;
  check(memory_bytes >= kMinMemoryBytes, "memory", memory_bytes, "at least 64M");
  check(max_px >= 1, "max_pixels", max_px, "at least 1");
}

ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop) {
  config.validate();
  return ConvertJob(config, observer, stop).run();
}

}  // namespace penstock::convert
