#include "tools/convert/scan_job.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "tools/convert/convert_report.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/reason/scan_reasons.h"
#include "tools/convert/source/any_source.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/class_warnings.h"
#include "tools/convert/source/source_check.h"
#include "tools/convert/write/convert_memory.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::lies_within;
using tools::printable;
using tools::printable_path;

void check_apart(const fs::path& source, const fs::path& dataset) {
  if (source.empty())
    return;  // arrays: an existing DATASET that holds other files is never replaced
  if (!lies_within(source, dataset) && !lies_within(dataset, source)) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("dataset: {}: expected a place outside of {}, found {}", printable_path(dataset),
                  printable_path(source),
                  lies_within(source, dataset) && lies_within(dataset, source) ? "the same folder"
                                                                               : "one inside"),
      "name a DATASET beside SOURCE");
}

std::vector<SourceRequest> source_requests(const ConvertConfig& config) {
  const bool keeps_unlabelled = config.policies[ReasonCode::kRowWithoutLabel] == Policy::kKeep;
  std::vector<SourceRequest> requests = {
      {.path = config.source,
       .arrays = config.arrays,
       .channel_axis = config.channel_axis,
       .layout = config.layout,
       .labels = config.labels,
       .table = config.table,
       .unlabelled = keeps_unlabelled ? UnlabelledRows::kKept : UnlabelledRows::kQuarantined,
       // Beside DATASET: the same disk, whose free space counts.
       .spool = {.folder = tools::folder_around(config.dataset)},
       .label = config.label,
       .class_names_file = config.class_names_file,
       .classes = config.classes,
       .fraction = config.fraction,
       .seed = config.split.seed,
       .dataset_splits = config.dataset_splits,
       .list_room_bytes = list_room_bytes(config.memory_bytes)}};
  for (const fs::path& path : config.more_sources) {
    requests.push_back(requests.front());
    requests.back().path = path;
  }
  return requests;
}

// "1 folder and 3 files"
std::string count_unreadable(std::size_t num_folders, std::size_t num_files) {
  std::vector<std::string> counts;
  if (num_folders > 0) counts.push_back(tools::format_counted(num_folders, "folder", "folders"));
  if (num_files > 0) counts.push_back(tools::format_counted(num_files, "file", "files"));
  return fmt::format("{}", fmt::join(counts, " and "));
}

// Pictures are counted, as in the summary; an entry may stand for many, or for none of its own.
std::string finding_words(ReasonCode reason, std::uint64_t num_pictures,
                          std::uint64_t num_entries) {
  const std::string_view name = reason_code_name(reason);
  if (num_pictures == 0) {
    return fmt::format("{}, listed in {}; its pictures count by their own reasons:", name,
                       kQuarantineName);
  }
  if (num_pictures == num_entries) {
    return fmt::format("{} {}, listed in {}:", tools::format_count(num_pictures), name,
                       kQuarantineName);
  }
  return fmt::format("{} {}, listed in {} of {}:", tools::format_count(num_pictures), name,
                     tools::format_counted(num_entries, "row", "rows"), kQuarantineName);
}

// What may not be read, and other findings by reason; nothing where there is none.
std::vector<std::string> list_findings(const SourceScan& scan) {
  std::vector<std::string> paths;
  struct Listed {
    std::uint64_t count = 0;
    std::uint64_t num_pictures = 0;
    std::vector<std::string> first;
  };
  std::map<ReasonCode, Listed> others;
  for (const QuarantineEntry& finding : scan.findings) {
    if (finding.reason == ReasonCode::kUnreadable && finding.path.ends_with('/')) {
      paths.push_back(finding.path);
      continue;
    }
    Listed& listed = others[finding.reason];
    listed.num_pictures += finding.num_pictures;
    if (++listed.count > kMaxListed) continue;
    listed.first.push_back(finding.detail.empty()
                               ? finding.path
                               : fmt::format("{} ({})", finding.path, finding.detail));
  }
  std::vector<std::string> notices;
  const std::size_t num_folders = paths.size();
  paths.insert(paths.end(), scan.unreadable.begin(), scan.unreadable.end());
  if (!paths.empty()) {
    notices.push_back(count_unreadable(num_folders, scan.unreadable.size()) +
                      " may not be read and will be quarantined:" + list_some(paths, paths.size()));
  }
  for (const auto& [reason, listed] : others) {
    notices.push_back(finding_words(reason, listed.num_pictures, listed.count) +
                      list_some(listed.first, listed.count));
  }
  return notices;
}

struct LeftOut {
  std::uint64_t count = 0;
  std::vector<std::string> first{};
};

// They may hold pictures that nobody meant to leave out; files in no class folder have a warning of their
// own, and what systems leave behind is none.
LeftOut left_out(const SourceScan& scan, const ReasonPolicies& policies) {
  LeftOut found;
  for (const QuarantineEntry& entry : scan.passed_over) {
    const bool is_named = entry.reason == ReasonCode::kHiddenFile ||
                          entry.reason == ReasonCode::kSymlink ||
                          entry.reason == ReasonCode::kSpecialFile;
    if (!is_named || policies[entry.reason] != Policy::kSkip) continue;
    if (++found.count > kMaxListed) continue;
    found.first.push_back(fmt::format("{} ({})", entry.path, reason_code_name(entry.reason)));
  }
  return found;
}

// Asked for, it must be done: a source that has its splits leaves nothing to draw.
void check_stratified(const ConvertConfig& config, const ScannedSources& sources) {
  if (config.split.draw != SplitDraw::kStratified) return;
  const bool draws = sources.rule.validation_fraction > 0.0 || sources.rule.test_fraction > 0.0;
  if (draws && sources.drawn.num_drawn > 0) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--stratify: {}: expected pictures whose split is drawn, found a source "
                          "with splits of its own",
                          source_text(config)),
              "leave --stratify out, or name a split that the source does not have: "
              "--validation-split, --test-split; of a dataset --split-anew draws all");
}

}  // namespace

std::string list_some(const std::vector<std::string>& items, std::uint64_t count) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), kMaxListed); ++i) {
    text += "\n  " + printable(items[i]);
  }
  if (count > kMaxListed)
    text += fmt::format("\n  and {} more", tools::format_count(count - kMaxListed));
  return text;
}

std::string source_text(const ConvertConfig& config) {
  std::string text = config.arrays.empty() ? printable_path(config.source)
                                           : printable(config.arrays.front().images);
  for (const fs::path& path : config.more_sources) text += ", " + printable_path(path);
  return text;
}

ScannedSources scan_for_conversion(const ConvertConfig& config, const std::stop_token& stop) {
  if (config.dataset.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "dataset: expected the name of a folder to be made, found an empty name",
                "penstock convert SOURCE DATASET; is a variable of the shell not set?");
  }
  const std::vector<SourceRequest> requests = source_requests(config);
  check_sources(requests);
  check_target(config.dataset, config.existing);
  for (const SourceRequest& request : requests) check_apart(request.path, config.dataset);
  // First, so that a fault in it does not cost a scan.
  std::optional<ClassNameFile> class_names;
  if (!config.class_names_file.empty()) class_names = read_class_names(config.class_names_file);
  ScannedSources sources;
  sources.scan = scan_sources(requests, stop, config.source_names);
  if (class_names) rename_classes(sources.scan, *class_names);
  sources.num_classes = sources.scan.class_names.size();
  sources.num_files = sources.scan.pictures.size();
  // Of some pictures more for other classes, whoever amends the scan knows what is amiss.
  if (config.amend_scan) {
    config.amend_scan(sources.scan);
  } else {
    std::ranges::move(class_warnings(sources.scan), std::back_inserter(sources.scan.warnings));
  }
  sources.rule = split_rule_of(sources.scan.pictures, config.split, source_text(config));
  sources.drawn = draw_splits(sources.scan.pictures, config.split, sources.rule);
  check_stratified(config, sources);
  const LeftOut named = left_out(sources.scan, config.policies);
  apply_policies(sources.scan, config.policies);
  if (named.count > 0) {
    sources.left_out = "left out: " + left_out_text(sources.scan.skipped, 0, 0) +
                       list_some(named.first, named.count);
  }
  return sources;
}

std::vector<std::string> scan_notices(const ConvertConfig& config, const ScannedSources& sources) {
  const SourceScan& scan = sources.scan;
  std::vector<std::string> notices = {
      fmt::format("{}: {}, {}, {}", source_text(config), scan.description,
                  tools::format_counted(sources.num_classes, "class", "classes"),
                  tools::format_counted(sources.num_files, "file", "files"))};
  for (const std::string& warning : scan.warnings) notices.push_back("warning: " + warning);
  if (!sources.left_out.empty()) notices.push_back(sources.left_out);
  for (std::string& text : list_findings(scan)) notices.push_back(std::move(text));
  std::string splits = drawn_splits_text(sources.drawn, config.split, sources.rule);
  if (!splits.empty()) notices.push_back(std::move(splits));
  return notices;
}

}  // namespace penstock::convert
