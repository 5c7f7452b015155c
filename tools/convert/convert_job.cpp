#include "tools/convert/convert_job.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/usable_cores.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/any_source.h"
#include "tools/convert/source/split_draw.h"
#include "tools/convert/write/manifest_builder.h"
#include "tools/convert/write/shard_task.h"
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

// The source in messages.
std::string source_text(const ConvertConfig& config) {
  return config.arrays.empty() ? printable_path(config.source)
                               : printable(config.arrays.front().images);
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
      {"reencode", fmt::format("jpeg quality {} 4:4:4 on white", kReencodeQuality)},
      {"statistics", "all pixels of the training split, full size"},
  };
  settings.insert(scan.settings.begin(), scan.settings.end());
  return settings;
}

class ConvertJob {
 public:
  ConvertJob(const ConvertConfig& config, ConvertObserver& observer, std::stop_token stop)
      : config_(config), observer_(observer), stop_(std::move(stop)) {}

  ConvertSummary run() {
    const SourceRequest request{.path = config_.source,
                                .arrays = config_.arrays,
                                .channel_axis = config_.channel_axis,
                                .split = config_.split,
                                // Beside DATASET: the same disk, whose free space counts.
                                .spool = {.folder = config_.dataset.parent_path()},
                                .label = config_.label,
                                .class_names_file = config_.class_names_file,
                                .classes = config_.classes,
                                .fraction = config_.fraction,
                                .dataset_splits = config_.dataset_splits};
    check_source(request);
    check_target(config_.dataset, config_.existing);
    check_apart(config_.source, config_.dataset);
    SourceScan scan = scan_source(request, stop_);
    draws_ = scan.settings.at("layout") == "class_folders" || draws_splits(scan.pictures);
    draw_splits(scan.pictures, split_rule_of(scan.pictures, config_.split));
    tell(scan);
    const std::vector<ShardPlan> shards =
        plan_shards(scan.pictures, config_.split.seed, config_.shard_size_bytes);
    check_free_space(config_.dataset, estimate_dataset_bytes(scan.pictures, shards));
    PartialFolder folder(config_.dataset);
    make_shards(scan, shards, folder.path());
    finish(scan, folder);
    return std::move(summary_);
  }

 private:
  void tell(const SourceScan& scan) {
    summary_.layout = scan.description;
    summary_.skipped = scan.skipped;
    summary_.num_outside = scan.num_outside;
    summary_.source_bytes = scan.pictures.total_bytes();
    observer_.notice(fmt::format("{}: {}, {}, {}", source_text(config_), scan.description,
                                 tools::format_counted(scan.class_names.size(), "class", "classes"),
                                 tools::format_counted(scan.pictures.size(), "file", "files")));
    for (const std::string& warning : scan.warnings) observer_.notice("warning: " + warning);
    for (const std::string& list : {list_unreadable(scan), list_findings(scan)}) {
      if (!list.empty()) observer_.notice(list);
    }
  }

  void make_shards(const SourceScan& scan, const std::vector<ShardPlan>& shards,
                   const fs::path& folder) {
    ShardTask task({.pictures = &scan.pictures,
                    .source = scan.source.get(),
                    .class_names = scan.class_names,
                    .max_px = config_.max_px,
                    .num_jobs = config_.num_jobs == 0 ? num_usable_cores() : config_.num_jobs,
                    .store_names = config_.store_names,
                    .several_scans = config_.several_scans});
    builder_.emplace(scan.class_names);
    quarantine_ = scan.findings;
    progress_.num_files = scan.pictures.size();
    for (const ShardPlan& shard : shards) progress_.total_bytes += shard.source_bytes;
    for (const ShardPlan& shard : shards) {
      std::uint64_t num_stored = 0;
      std::vector<CheckedPicture> checked = task.check_pictures(
          shard,
          [&](const CheckedPicture& one) {
            num_stored += one.is_stored() ? 1 : 0;
            add(scan.pictures[one.picture_idx], one.verdict);
          },
          stop_);
      if (num_stored == 0) continue;
      builder_->add_shard(shard.split, task.write(shard, checked, folder, stop_));
    }
  }

  bool is_left_in_several_scans(const ImageVerdict& verdict) const noexcept {
    return config_.several_scans == SeveralScans::kRewritten && verdict.fate == FileFate::kKept &&
           (verdict.record.flags & kFlagProgressive) != 0;
  }

  void add(const ListedPicture& picture, const ImageVerdict& verdict) {
    builder_->add(picture, verdict);
    if (verdict.fate == FileFate::kSkippedText) ++summary_.num_text_skipped;
    if (verdict.fate == FileFate::kRewritten) ++summary_.num_rewritten;
    if (is_left_in_several_scans(verdict)) ++summary_.num_in_several_scans;
    if (verdict.fate == FileFate::kQuarantined) {
      quarantine_.push_back({.path = std::string(picture.name),
                             .reason = verdict.reason,
                             .size_bytes = picture.size_bytes,
                             .detail = verdict.detail});
    }
    ++progress_.num_done;
    progress_.done_bytes += picture.size_bytes;
    progress_.num_quarantined = quarantine_.size();
    progress_.elapsed = elapsed();
    observer_.progress(progress_);
  }

  void finish(const SourceScan& scan, PartialFolder& folder) {
    summary_.num_by_reason = count_by_reason(quarantine_);
    if (builder_->num_samples() == 0) refuse_nothing_readable();
    summary_.manifest =
        builder_->build(conversion_settings(config_, scan, draws_), quarantine_.size());
    if (!quarantine_.empty()) {
      publish_file(folder.path() / kQuarantineName, quarantine_csv(std::move(quarantine_)));
    }
    for (const ManifestSplit& split : summary_.manifest.splits) {
      for (const ManifestShard& shard : split.shards) summary_.dataset_bytes += shard.size_bytes;
    }
    write_manifest(folder.path(), summary_.manifest);
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
    folder.publish(config_.existing);
    summary_.elapsed = elapsed();
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
                            source_text(config_), fmt::join(reasons, ", ")),
                "look at one of the files: are they pictures?");
  }

  std::chrono::duration<double> elapsed() const {
    return std::chrono::steady_clock::now() - start_;
  }

  const ConvertConfig& config_;
  ConvertObserver& observer_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<ManifestBuilder> builder_;  // once the classes are known
  std::vector<QuarantineEntry> quarantine_;
  bool draws_ = false;  // splits that the source leaves open
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
  check(max_px >= 1, "max_pixels", max_px, "at least 1");
  check(arrays.empty() || source.empty(), "arrays", arrays.size(), "none beside a source");
}

ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop) {
  config.validate();
  return ConvertJob(config, observer, stop).run();
}

}  // namespace penstock::convert
