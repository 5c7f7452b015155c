#include "tools/convert/dry_run.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "tools/convert/disk_estimate.h"
#include "tools/convert/header_survey.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/scan_job.h"
#include "tools/convert/source/source_fault.h"
#include "tools/convert/write/convert_memory.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {
namespace {

using Clock = std::chrono::steady_clock;

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: dry run: on request");
}

std::uint64_t median(std::vector<std::uint64_t>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

class DryRun {
 public:
  DryRun(const ConvertConfig& config, const SourceScan& scan, const std::stop_token& stop)
      : config_(config), resized_config_(config), scan_(scan), stop_(stop) {
    resized_config_.encode.resize_short_px = kResizeShortPx;
  }

  DryRunReport run() {
    count();
    const std::vector<ShardPlan> shards =
        plan_shards(scan_.pictures, config_.split.seed, config_.shard_size_bytes);
    memory_ = plan_memory(config_.memory_bytes,
                          config_.num_jobs == 0 ? num_usable_cores() : config_.num_jobs, scan_,
                          shards, config_.policies, config_.near_duplicate_bits.has_value());
    report_.num_jobs = memory_.num_jobs;
    report_.free_bytes = free_space_bytes(config_.dataset);
    look_at_headers(shards);
    time_some();
    return std::move(report_);
  }

 private:
  void count() {
    report_.layout = scan_.description;
    report_.skipped = scan_.skipped;
    report_.num_outside = scan_.num_outside;
    report_.num_files = scan_.pictures.size();
    report_.source_bytes = scan_.pictures.total_bytes();
    for (const QuarantineEntry& finding : scan_.findings) {
      if (finding.num_pictures == 0) continue;  // those that are have entries of their own
      report_.findings_by_reason[std::string(reason_code_name(finding.reason))] +=
          finding.num_pictures;
    }
    for (const std::string& name : scan_.class_names) report_.classes.push_back({.name = name});
    for (std::size_t i = 0; i < scan_.pictures.size(); ++i) {
      const ListedPicture picture = scan_.pictures[i];
      const auto split = static_cast<std::size_t>(*picture.split);
      ++report_.num_by_split[split];
      if (picture.class_idx == kUnlabelled) {
        ++report_.num_unlabelled;
      } else {
        ++report_.classes[picture.class_idx].num_by_split[split];
      }
    }
  }

  void look_at_headers(const std::vector<ShardPlan>& shards) {
    report_.is_resized = config_.encode.resize_short_px || config_.encode.max_side_px;
    const HeaderSurvey survey = survey_headers(
        config_, scan_, memory_,
        [this](std::uint32_t picture_idx, const HeaderLook& found) { add(picture_idx, found); },
        stop_);
    report_.num_looked_at = survey.num_looked_at;
    const bool is_surveyed = needs_survey(config_, scan_.pictures);
    report_.dataset_bytes =
        estimate_disk_bytes(scan_.pictures, shards, is_surveyed ? &survey : nullptr);
    report_.is_upper_side = is_surveyed;
    report_.median_short_px = median(short_px_);
    report_.median_long_px = median(long_px_);
    report_.median_width_px = median(width_px_);
    report_.median_height_px = median(height_px_);
    if (survey.looked_bytes > 0 && !report_.is_resized) {
      report_.resized_bytes =
          static_cast<std::uint64_t>(resized_bytes_ / static_cast<double>(survey.looked_bytes) *
                                     static_cast<double>(report_.source_bytes));
    }
  }

  void add(std::uint32_t picture_idx, const HeaderLook& found) {
    ReasonSet reasons = found.reasons;
    if (found.reason) reasons = {*found.reason};
    reasons.each(
        [&](ReasonCode code) { ++report_.headers_by_reason[std::string(reason_code_name(code))]; });
    if (found.is_text) ++report_.num_text;
    if (found.reason || found.is_text || found.size.num_px() == 0) return;
    good_.push_back(picture_idx);
    const std::uint64_t short_px = std::min(found.size.width_px, found.size.height_px);
    short_px_.push_back(short_px);
    long_px_.push_back(std::max(found.size.width_px, found.size.height_px));
    width_px_.push_back(found.size.width_px);
    height_px_.push_back(found.size.height_px);
    if (report_.is_resized) return;
    resized_bytes_ += static_cast<double>(
        estimate_stored_bytes(found, scan_.pictures[picture_idx].size_bytes, resized_config_));
  }

  // At even distances among those whose headers are good, one at a time on this thread.
  void time_some() {
    if (good_.empty()) return;
    ImageChecker checker(config_.check_settings());
    SourcePicture picture;
    std::chrono::duration<double> reading{};
    std::chrono::duration<double> checking{};
    std::uint64_t timed_bytes = 0;
    const std::size_t num_timed = std::min<std::size_t>(good_.size(), kMaxTimed);
    for (std::size_t i = 0; i < num_timed; ++i) {
      check_stop(stop_);
      const ListedPicture listed = scan_.pictures[good_[i * good_.size() / num_timed]];
      if (listed.size_bytes > memory_.one_picture_bytes) continue;
      const Clock::time_point start = Clock::now();
      try {
        scan_.source->read(listed, picture);
      } catch (const Error& error) {
        if (error.os_error() != 0 && !concerns_one_path(error.os_error())) throw;
        continue;
      }
      const std::uint64_t needed_bytes = picture.bytes.size() + checker.checking_bytes(picture);
      if (needed_bytes > memory_.one_picture_bytes) continue;
      const Clock::time_point read = Clock::now();
      checker.check(picture, listed.name, stop_);
      reading += read - start;
      checking += Clock::now() - read;
      timed_bytes += std::max<std::uint64_t>(1, listed.size_bytes);
      ++report_.num_timed;
    }
    if (timed_bytes == 0) return;
    const double share =
        static_cast<double>(report_.source_bytes) / static_cast<double>(timed_bytes);
    report_.estimated_time = (reading + checking) * share / report_.num_jobs;
  }

  const ConvertConfig& config_;
  ConvertConfig resized_config_;
  const SourceScan& scan_;
  const std::stop_token& stop_;
  ConvertMemory memory_;
  DryRunReport report_;
  std::vector<std::uint32_t> good_;  // pictures whose headers are
  std::vector<std::uint64_t> short_px_;
  std::vector<std::uint64_t> long_px_;
  std::vector<std::uint64_t> width_px_;
  std::vector<std::uint64_t> height_px_;
  double resized_bytes_ = 0.0;
};

}  // namespace

DryRunReport dry_run(const ConvertConfig& config, ConvertObserver& observer,
                     const std::stop_token& stop) {
  config.validate();
  const ScannedSources sources = scan_for_conversion(config, stop);
  for (const std::string& text : scan_notices(config, sources)) observer.notice(text);
  return DryRun(config, sources.scan, stop).run();
}

}  // namespace penstock::convert
