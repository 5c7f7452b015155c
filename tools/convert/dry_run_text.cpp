#include "tools/convert/dry_run_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamer/core/memory_budget.h"
#include "tools/convert/convert_report.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using tools::format_count;

void add_line(std::string& text, const std::string& name, const std::string& value) {
  text += fmt::format("\n  {:<14}{}", name, value);
}

std::string by_reason(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(count), reason);
  }
  return text;
}

std::string counts_text(const std::array<std::uint64_t, kNumSplits>& num_by_split) {
  std::string text;
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    if (num_by_split[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(num_by_split[i]),
                        split_name(static_cast<SplitKind>(i)));
  }
  return text.empty() ? "none" : text;
}

std::string disk_text(const DryRunReport& report) {
  return fmt::format("{} {} of {} free{}", report.is_upper_side ? "at most about" : "about",
                     format_bytes(report.dataset_bytes), format_bytes(report.free_bytes),
                     report.dataset_bytes > report.free_bytes ? ": too little" : "");
}

std::string headers_text(const DryRunReport& report) {
  const bool is_all = report.num_looked_at == report.num_files;
  std::string text = is_all
                         ? fmt::format("all {}", format_count(report.num_files))
                         : fmt::format("a sample of {} of {}", format_count(report.num_looked_at),
                                       format_count(report.num_files));
  const std::string reasons = by_reason(report.headers_by_reason);
  text += ": " + (reasons.empty() ? "no reason found" : reasons);
  if (report.num_text > 0)
    text += fmt::format("; {} text, left out", format_count(report.num_text));
  return text + "; what only decoding finds is not among it";
}

std::string time_text(const DryRunReport& report) {
  if (report.num_timed == 0) return "not known: no picture to time";
  return fmt::format("about {} with {}, where the disk keeps up ({} timed)",
                     tools::format_duration(report.estimated_time),
                     tools::format_counted(report.num_jobs, "thread", "threads"),
                     tools::format_counted(report.num_timed, "picture", "pictures"));
}

void add_classes(std::string& text, const DryRunReport& report) {
  constexpr std::size_t kMaxListed = 20;
  for (std::size_t i = 0; i < std::min(report.classes.size(), kMaxListed); ++i) {
    text += fmt::format("\n    {}: {}", tools::printable(report.classes[i].name),
                        counts_text(report.classes[i].num_by_split));
  }
  if (report.classes.size() > kMaxListed) {
    text += fmt::format("\n    and {} more; --json lists them",
                        format_count(report.classes.size() - kMaxListed));
  }
}

}  // namespace

std::string dry_run_text(const DryRunReport& report, const std::string& dataset) {
  std::string text = fmt::format("{}: a dry run, nothing was written", tools::printable(dataset));
  add_line(text, "layout", report.layout);
  add_line(
      text, "files",
      fmt::format("{}, {}", format_count(report.num_files), format_bytes(report.source_bytes)));
  add_line(text, "splits", counts_text(report.num_by_split));
  if (report.num_unlabelled > 0) {
    add_line(text, "unlabelled", format_count(report.num_unlabelled));
  }
  if (!report.findings_by_reason.empty()) {
    add_line(text, "not listed", by_reason(report.findings_by_reason));
  }
  const std::string left_out = left_out_text(report.skipped, report.num_outside, 0);
  if (!left_out.empty()) add_line(text, "left out", left_out);
  add_line(text, "headers", headers_text(report));
  add_line(text, "disk", disk_text(report));
  add_line(text, "time", time_text(report));
  if (report.median_short_px > 0) {
    add_line(text, "median sides",
             fmt::format("{} x {} px, width and height", report.median_width_px,
                         report.median_height_px));
  }
  if (report.is_resize_worthwhile()) {
    add_line(
        text, "could be",
        fmt::format("at most about {} instead of {} at {} px on the short side, by their sides",
                    format_bytes(report.resized_bytes), format_bytes(report.source_bytes),
                    kResizeShortPx));
  }
  add_line(text, "classes", format_count(report.classes.size()));
  add_classes(text, report);
  return text;
}

std::string dry_run_json(const DryRunReport& report) {
  nlohmann::ordered_json json;
  json["is_dry_run"] = true;
  json["layout"] = report.layout;
  json["num_files"] = report.num_files;
  json["source_bytes"] = report.source_bytes;
  const auto splits_of = [](const std::array<std::uint64_t, kNumSplits>& num_by_split) {
    nlohmann::ordered_json counts = nlohmann::ordered_json::object();
    for (std::uint32_t i = 0; i < kNumSplits; ++i) {
      counts[std::string(split_name(static_cast<SplitKind>(i)))] = num_by_split[i];
    }
    return counts;
  };
  json["splits"] = splits_of(report.num_by_split);
  json["num_unlabelled"] = report.num_unlabelled;
  json["dataset_bytes"] = report.dataset_bytes;
  json["free_bytes"] = report.free_bytes;
  json["findings_by_reason"] = report.findings_by_reason;
  json["left_out"] = {{"num_system", report.skipped.num_system},
                      {"num_hidden", report.skipped.num_hidden},
                      {"num_symlinks", report.skipped.num_symlinks},
                      {"num_special", report.skipped.num_special},
                      {"num_outside", report.num_outside}};
  json["num_headers"] = report.num_looked_at;
  json["headers_by_reason"] = report.headers_by_reason;
  json["num_text"] = report.num_text;
  json["median_short_px"] = report.median_short_px;
  json["median_long_px"] = report.median_long_px;
  json["median_width_px"] = report.median_width_px;
  json["median_height_px"] = report.median_height_px;
  if (!report.is_resized) {
    json["resize_short_px"] = kResizeShortPx;
    json["resized_bytes"] = report.resized_bytes;
  }
  json["num_timed"] = report.num_timed;
  json["num_jobs"] = report.num_jobs;
  json["estimated_s"] = report.estimated_time.count();
  json["classes"] = nlohmann::ordered_json::array();
  for (const DryRunClass& one : report.classes) {
    json["classes"].push_back({{"name", one.name}, {"num_samples", splits_of(one.num_by_split)}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace penstock::convert
