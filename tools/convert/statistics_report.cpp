#include "tools/convert/statistics_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamer/core/memory_budget.h"
#include "streamer/shard/manifest_tally.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using Json = nlohmann::ordered_json;
using tools::format_count;

double part_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json duplicates_json(const std::optional<DuplicateCounts>& counts) {
  if (!counts) return nullptr;
  return {{"num_within_class", counts->num_within_class},
          {"num_across_classes", counts->num_across_classes},
          {"num_across_splits", counts->num_across_splits}};
}

Json sample_bytes_json(const SampleBytes& bytes) {
  return {{"source_bytes", bytes.source_bytes},
          {"stored_bytes", bytes.stored_bytes},
          {"saved_bytes", static_cast<std::int64_t>(bytes.source_bytes) -
                              static_cast<std::int64_t>(bytes.stored_bytes)}};
}

}  // namespace

double ClassBalance::imbalance() const noexcept {
  return part_of(most, least);
}

ClassBalance class_balance(const std::vector<std::uint64_t>& num_by_class) {
  ClassBalance balance;
  for (const std::uint64_t count : num_by_class) {
    balance.most = std::max(balance.most, count);
    if (count == 0) {
      ++balance.num_empty;
    } else {
      balance.least = balance.least == 0 ? count : std::min(balance.least, count);
    }
  }
  return balance;
}

std::string size_histogram_text(const std::vector<SizeBin>& bins) {
  std::vector<std::string> parts;
  for (const SizeBin& bin : bins) {
    parts.push_back(fmt::format("{} to {} px {}", bin.long_side_px,
                                2 * std::uint64_t{bin.long_side_px} - 1,
                                format_count(bin.num_samples)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string aspect_histogram_text(const std::vector<AspectBin>& bins) {
  std::vector<std::string> parts;
  for (const AspectBin& bin : bins) {
    const auto bound = std::ranges::upper_bound(kAspectBounds, bin.width_percent);
    const std::string count = format_count(bin.num_samples);
    const double from = bin.width_percent / 100.0;
    parts.push_back(bound == kAspectBounds.end()
                        ? fmt::format("from {:.2f} {}", from, count)
                        : fmt::format("{:.2f} to {:.2f} {}", from, *bound / 100.0, count));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string sample_bytes_text(const SampleBytes& bytes) {
  const std::string source = format_bytes(bytes.source_bytes);
  if (bytes.stored_bytes > bytes.source_bytes) {
    const std::uint64_t more_bytes = bytes.stored_bytes - bytes.source_bytes;
    return fmt::format("{} more than the {} of the source ({:.0f} %)", format_bytes(more_bytes),
                       source, 100 * part_of(more_bytes, bytes.source_bytes));
  }
  if (bytes.stored_bytes == bytes.source_bytes) return "";
  const std::uint64_t saved_bytes = bytes.source_bytes - bytes.stored_bytes;
  return fmt::format("{} of {} saved ({:.0f} %)", format_bytes(saved_bytes), source,
                     100 * part_of(saved_bytes, bytes.source_bytes));
}

std::string duplicates_text(const DuplicateCounts& counts) {
  return fmt::format("{} within a class, {} across classes, {} across splits",
                     format_count(counts.num_within_class), format_count(counts.num_across_classes),
                     format_count(counts.num_across_splits));
}

std::string statistics_json(const Manifest& manifest) {
  Json sizes = Json::array();
  for (const SizeBin& bin : manifest.size_histogram) {
    sizes.push_back({{"long_side_px", bin.long_side_px}, {"num_samples", bin.num_samples}});
  }
  Json aspects = Json::array();
  for (const AspectBin& bin : manifest.aspect_histogram) {
    aspects.push_back({{"width_percent", bin.width_percent}, {"num_samples", bin.num_samples}});
  }
  const LargestSample& largest = manifest.largest;
  const Json json = {
      {"mean", manifest.mean},
      {"std", manifest.std},
      {"gray_mean", manifest.gray ? Json(manifest.gray->mean) : Json(nullptr)},
      {"gray_std", manifest.gray ? Json(manifest.gray->std) : Json(nullptr)},
      {"median_width_px", manifest.median_width_px},
      {"median_height_px", manifest.median_height_px},
      {"size_histogram", std::move(sizes)},
      {"aspect_histogram", std::move(aspects)},
      {"largest",
       {{"encoded_bytes", largest.encoded_bytes},
        {"num_px", largest.num_px},
        {"width_px", largest.width_px},
        {"height_px", largest.height_px},
        {"decode_scratch_bytes", largest.decode_scratch_bytes}}},
      {"duplicates", duplicates_json(manifest.duplicates)},
      {"near_duplicates", duplicates_json(manifest.near_duplicates)},
      {"sample_bytes",
       manifest.sample_bytes ? sample_bytes_json(*manifest.sample_bytes) : Json(nullptr)}};
  return json.dump();
}

}  // namespace penstock::convert
