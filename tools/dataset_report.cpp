#include "tools/dataset_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <vector>

#include "streamer/core/memory_budget.h"
#include "streamer/shard/dataset.h"
#include "tools/care/picture_metadata.h"
#include "tools/convert/statistics_report.h"
#include "tools/index_summary.h"
#include "tools/shard_report.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct SplitReport {
  const ManifestSplit* split = nullptr;
  std::uint64_t size_bytes = 0;
  IndexSummary index{0};
  care::MetadataCounts metadata;  // when it was counted
};

std::vector<SplitReport> read_splits(const Dataset& dataset, MetadataDepth depth) {
  std::vector<SplitReport> reports;
  for (const ManifestSplit& split : dataset.manifest().splits) {
    SplitReport report{.split = &split,
                       .size_bytes = 0,
                       .index = IndexSummary(dataset.manifest().class_names.size()),
                       .metadata = {}};
    for (const ManifestShard& shard : split.shards) report.size_bytes += shard.size_bytes;
    const DatasetSplit open = dataset.split(split.name);
    for (std::uint64_t i = 0; i < open.num_samples(); ++i) {
      report.index.add(open.record(i));
      if (depth == MetadataDepth::kCounted) {
        report.metadata.add(care::read_picture_metadata(open.sample(i).read_bytes()));
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

// "true", "0.3" and "1024" are what they say; all else is text.
Json setting_json(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  const char* const end = text.data() + text.size();
  std::uint64_t whole = 0;
  if (std::from_chars(text.data(), end, whole).ptr == end && fmt::format("{}", whole) == text) {
    return whole;
  }
  double number = 0;
  if (std::from_chars(text.data(), end, number).ptr == end && fmt::format("{}", number) == text &&
      std::isfinite(number)) {
    return number;
  }
  return text;
}

Json known_json(const std::optional<std::uint64_t>& count) {
  return count ? Json(*count) : Json(nullptr);
}

std::string dataset_json(const Dataset& dataset, MetadataDepth depth) {
  const Manifest& manifest = dataset.manifest();
  Json splits = Json::object();
  for (const SplitReport& report : read_splits(dataset, depth)) {
    Json split = Json::parse(index_json(report.index));
    split["size_bytes"] = report.size_bytes;
    if (depth == MetadataDepth::kCounted)
      split["metadata"] = Json::parse(metadata_json(report.metadata));
    split["shards"] = Json::array();
    for (const ManifestShard& shard : report.split->shards) {
      split["shards"].push_back({{"file", shard.file},
                                 {"num_samples", shard.num_samples},
                                 {"size_bytes", shard.size_bytes},
                                 {"uuid", shard.uuid},
                                 {"header_xxh3", shard.header_xxh3}});
    }
    splits[report.split->name] = std::move(split);
  }
  Json json = {{"kind", "dataset"},
               {"path", dataset.folder().string()},
               {"id", manifest.id},
               {"class_names", manifest.class_names},
               {"splits", std::move(splits)}};
  json.update(Json::parse(convert::statistics_json(manifest)));
  json["num_quarantined"] = known_json(manifest.num_quarantined);
  json["num_reencoded"] = known_json(manifest.num_reencoded);
  json["conversion"] = Json::object();
  for (const auto& [name, value] : manifest.conversion) {
    json["conversion"][name] = setting_json(value);
  }
  // A path may hold bytes that are no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::uint64_t num_unlabelled_of(const ManifestSplit& split) {
  return std::accumulate(split.num_by_class.begin(), split.num_by_class.end(), split.num_samples,
                         std::minus<>());
}

std::string class_table(const Manifest& manifest) {
  const bool has_unlabelled = std::ranges::any_of(
      manifest.splits, [](const ManifestSplit& split) { return num_unlabelled_of(split) > 0; });
  std::size_t name_width = has_unlabelled ? std::string_view(kNoClass).size() : 5;
  for (const std::string& name : manifest.class_names) {
    name_width = std::max(name_width, printable(name).size());
  }
  std::string text = fmt::format("\n  {:<{}}", "class", name_width);
  for (const ManifestSplit& split : manifest.splits) text += fmt::format("  {:>10}", split.name);
  for (std::size_t i = 0; i < manifest.class_names.size(); ++i) {
    text += fmt::format("\n  {:<{}}", printable(manifest.class_names[i]), name_width);
    for (const ManifestSplit& split : manifest.splits) {
      text += fmt::format("  {:>10}", format_count(split.num_by_class.at(i)));
    }
  }
  if (!has_unlabelled) return text;
  text += fmt::format("\n  {:<{}}", kNoClass, name_width);
  for (const ManifestSplit& split : manifest.splits) {
    text += fmt::format("  {:>10}", format_count(num_unlabelled_of(split)));
  }
  return text;
}

// "re-encoded 0, quarantined 2"; empty when neither is known.
std::string counts_text(const Manifest& manifest) {
  std::vector<std::string> counts;
  const auto tell = [&](const char* what, const std::optional<std::uint64_t>& count) {
    if (count) counts.push_back(fmt::format("{} {}", what, format_count(*count)));
  };
  tell("re-encoded", manifest.num_reencoded);
  tell("quarantined", manifest.num_quarantined);
  return counts.empty() ? "" : fmt::format("\n  {}", fmt::join(counts, ", "));
}

// How it was made: "seed 0, test_split 0".
std::string settings_text(const Manifest& manifest) {
  std::vector<std::string> settings;
  for (const auto& [name, value] : manifest.conversion) {
    if (!value.empty()) settings.push_back(printable(name) + " " + printable(value));
  }
  return settings.empty() ? "" : fmt::format("\n  converted with {}", fmt::join(settings, ", "));
}

std::string dataset_text(const Dataset& dataset, MetadataDepth depth) {
  const Manifest& manifest = dataset.manifest();
  std::uint64_t num_samples = 0;
  std::uint64_t size_bytes = 0;
  std::string splits;
  for (const SplitReport& report : read_splits(dataset, depth)) {
    num_samples += report.split->num_samples;
    size_bytes += report.size_bytes;
    splits += fmt::format(
        "\n  {:<12}{:>10} {:<7}  {:>10} in {}; {}", report.split->name,
        format_count(report.split->num_samples),
        report.split->num_samples == 1 ? "sample" : "samples", format_bytes(report.size_bytes),
        format_counted(report.split->shards.size(), "shard", "shards"), index_text(report.index));
    splits += "; " + balance_text(report.index);
    if (depth == MetadataDepth::kCounted) {
      splits += "\n              " + metadata_text(report.metadata);
    }
  }
  std::string text = fmt::format("{}: dataset, {} in {}, {}", printable(dataset.folder().string()),
                                 format_counted(num_samples, "sample", "samples"),
                                 format_counted(manifest.class_names.size(), "class", "classes"),
                                 format_bytes(size_bytes));
  text += splits;
  text += fmt::format("\n  median size {} x {} px; largest {} encoded, {} px, {} to decode",
                      manifest.median_width_px, manifest.median_height_px,
                      format_bytes(manifest.largest.encoded_bytes),
                      format_count(manifest.largest.num_px),
                      format_bytes(manifest.largest.decode_scratch_bytes));
  if (!manifest.size_histogram.empty()) {
    text += "\n  longer side " + convert::size_histogram_text(manifest.size_histogram);
  }
  if (!manifest.aspect_histogram.empty()) {
    text += "\n  width by height " + convert::aspect_histogram_text(manifest.aspect_histogram);
  }
  const std::string bytes =
      manifest.sample_bytes ? convert::sample_bytes_text(*manifest.sample_bytes) : "";
  if (!bytes.empty()) text += "\n  bytes " + bytes;
  if (manifest.duplicates) {
    text += "\n  copies " + convert::duplicates_text(*manifest.duplicates);
  }
  if (manifest.near_duplicates) {
    text += "\n  alike " + convert::duplicates_text(*manifest.near_duplicates);
  }
  if (!manifest.mean.empty()) {
    text += fmt::format("\n  mean {:.4f}, standard deviation {:.4f} (red, green, blue, of 0 to 1)",
                        fmt::join(manifest.mean, " "), fmt::join(manifest.std, " "));
  }
  if (manifest.gray) {
    text += fmt::format("\n  as gray: mean {:.4f}, standard deviation {:.4f}", manifest.gray->mean,
                        manifest.gray->std);
  }
  text += counts_text(manifest);
  text += "\n  id " + manifest.id + settings_text(manifest);
  return text + class_table(manifest);
}

}  // namespace

std::string describe_dataset_or_shard(const fs::path& path, ReportForm form, MetadataDepth depth) {
  if (is_shard_file(path)) return describe_shard(path, form, depth);
  const Dataset dataset = Dataset::open(path);
  return form == ReportForm::kText ? dataset_text(dataset, depth) : dataset_json(dataset, depth);
}

}  // namespace penstock::tools
