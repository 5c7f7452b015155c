#include "tools/convert/convert_job.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/usable_cores.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/scan_job.h"
#include "tools/convert/write/manifest_builder.h"
#include "tools/convert/write/shard_task.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

std::map<std::string, std::string> conversion_settings(const ConvertConfig& config,
                                                       const SplitRule& rule,
                                                       const SourceScan& scan) {
  std::map<std::string, std::string> settings = {
      {"validation_split", fmt::format("{}", rule.validation_fraction)},
      {"test_split", fmt::format("{}", rule.test_fraction)},
      {"stratify", config.split.draw == SplitDraw::kStratified ? "true" : "false"},
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
    ScannedSources sources = scan_for_conversion(config_, stop_);
    const SourceScan& scan = sources.scan;
    rule_ = sources.rule;
    for (const std::string& text : scan_notices(config_, sources)) observer_.notice(text);
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
        builder_->build(conversion_settings(config_, rule_, scan), quarantine_.size());
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
  SplitRule rule_;
  std::optional<ManifestBuilder> builder_;  // once the classes are known
  std::vector<QuarantineEntry> quarantine_;
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
  layout.validate();
  if (!labels.empty() && !more_sources.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("convert: sources beside labels: expected 1, found {}",
                            1 + more_sources.size()),
                "convert each table as a source of its own: penstock convert a/labels.csv "
                "b/labels.csv DATASET");
  }
}

ConvertSummary convert_folder(const ConvertConfig& config, ConvertObserver& observer,
                              const std::stop_token& stop) {
  config.validate();
  return ConvertJob(config, observer, stop).run();
}

}  // namespace penstock::convert
