#include "tools/convert/convert_config.h"

#include <fmt/core.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "tools/convert/duplicate/look_hash.h"
#include "tools/convert/write/convert_memory.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

void check_size(const char* field, std::uint64_t bytes, std::uint64_t low_bytes, const char* hint) {
  if (bytes >= low_bytes) return;
  refuse_setting({.owner = "convert",
                  .field = field,
                  .expected = "at least " + format_size_bytes(low_bytes),
                  .found = format_size_bytes(bytes),
                  .hint = hint});
}

[[noreturn]] void refuse(const std::string& what, const char* hint) {
  throw Error(ErrorCode::kInvalidArgument, "convert: " + what, hint);
}

void check_sources(const ConvertConfig& config) {
  if (!config.arrays.empty() && (!config.source.empty() || !config.more_sources.empty())) {
    refuse("arrays: expected no source beside them, found one",
           "convert each into a dataset of its own, then both: penstock convert a.ds b.ds DATASET");
  }
  if (!config.labels.empty() && !config.more_sources.empty()) {
    refuse(
        fmt::format("sources beside labels: expected 1, found {}", 1 + config.more_sources.size()),
        "convert each table as a source of its own: penstock convert a/labels.csv b/labels.csv "
        "DATASET");
  }
}

constexpr const char* kAskedOfDatasets = "--classes, --fraction or --split-anew";

bool chooses_of_datasets(const ConvertConfig& config) {
  return !config.classes.empty() || config.fraction ||
         config.dataset_splits != DatasetSplits::kKept;
}

// What is asked for of sources of another kind than the only one named here: it would do nothing.
void check_asked_beside(const std::string& expected,
                        const std::vector<std::pair<bool, std::string>>& asked) {
  for (const auto& [is_asked, what] : asked) {
    if (!is_asked) continue;
    refuse(fmt::format("{}, found {}", expected, what), "leave it out: it would do nothing here");
  }
}

void check_kind_of_source(const ConvertConfig& config) {
  const bool has_axis = config.channel_axis != ChannelAxis::kBySize;
  if (!config.arrays.empty()) {
    check_asked_beside("arrays: expected nothing that is asked of other sources",
                       {{config.layout.choice != LayoutChoice::kAuto, "--layout"},
                        {config.layout.class_depth != 1, "--class-depth"},
                        {config.table.names_columns(), "the name of a column"},
                        {config.label.has_value(), "--label"},
                        {chooses_of_datasets(config), kAskedOfDatasets}});
  }
  if (!config.labels.empty()) {
    check_asked_beside("labels: expected nothing that is asked of other sources than a table",
                       {{config.layout.asks_for_folders(), "--layout or --class-depth of folders"},
                        {has_axis, "--channels-first or --channels-last"},
                        {config.label.has_value(), "--label"},
                        {chooses_of_datasets(config), kAskedOfDatasets}});
  }
}

void check_classes(const ConvertConfig& config) {
  std::set<std::string_view> seen;
  for (const std::string& name : config.classes) {
    if (name.empty()) refuse("classes: expected names, found an empty one", "--classes cat,dog");
    if (seen.insert(name).second) continue;
    refuse(
        fmt::format("classes: expected each name once, found '{}' twice", tools::printable(name)),
        "--classes cat,dog");
  }
  if (!config.fraction || (*config.fraction > 0.0 && *config.fraction < 1.0)) return;
  refuse(fmt::format("fraction: expected above 0 to below 1, found {}", *config.fraction),
         "--fraction 0.1; left out: all");
}

void check_splits(const ConvertConfig& config) {
  const SplitRequest& split = config.split;
  const SplitRule rule{.validation_fraction = split.validation_fraction.value_or(0.0),
                       .test_fraction = split.test_fraction.value_or(0.0),
                       .seed = split.seed};
  rule.validate();
  const bool draws_none =
      split.validation_fraction && rule.validation_fraction == 0.0 && rule.test_fraction == 0.0;
  if (split.draw != SplitDraw::kStratified || !draws_none) return;
  refuse("stratify: expected a split to draw, found a validation_split of 0 and no test_split",
         "leave --stratify out, or --validation-split 0.1");
}

// Only what has alpha lies on it, and only where that is fixed.
void check_background(const ConvertConfig& config) {
  const Policy policy = config.policies[ReasonCode::kTransparency];
  if (config.background == RgbColour{} || policy == Policy::kFix) return;
  refuse(fmt::format("background: expected --on transparency=fix beside it, found {}",
                     policy_name(policy)),
         "leave --background out, or --on transparency");
}

// With kHeader no picture is decoded.
void check_trust(const ConvertConfig& config) {
  if (config.depth != CheckDepth::kHeader) return;
  if (config.several_scans == SeveralScans::kRewritten) {
    refuse(
        "trust: expected it without optimize_crops, which decodes every JPEG that it rewrites, "
        "found both",
        "leave out --trust, or --optimize-crops");
  }
  if (config.near_duplicate_bits) {
    refuse(
        "trust: expected it without near_duplicates, for which every picture is decoded, found "
        "both",
        "leave out --trust, or --near-duplicates");
  }
  if (config.encode.decodes_jpeg()) {
    refuse("trust: expected nothing for which JPEG has to be decoded, found " +
               config.encode.in_words(),
           "leave out --trust, or what changes pictures");
  }
}

// Bare pixels have no scans, and a length of 32 bits.
void check_raw_codec(const ConvertConfig& config) {
  if (config.encode.codec != CodecChoice::kRaw) return;
  if (config.several_scans == SeveralScans::kRewritten) {
    refuse("optimize_crops: expected a codec that stores JPEG, found raw",
           "leave out --optimize-crops, or --codec raw");
  }
  constexpr std::uint64_t kMaxRawPx = 1'000'000'000;
  if (config.max_px > kMaxRawPx) {
    refuse(fmt::format("max_pixels: expected at most {} with the codec raw, found {}", kMaxRawPx,
                       config.max_px),
           "--max-pixels 1000000000");
  }
}

}  // namespace

CheckSettings ConvertConfig::check_settings() const {
  CheckSettings settings{.max_px = max_px,
                         .depth = depth,
                         .fixes = {.policies = policies, .background = background},
                         .encode = encode,
                         .max_coefficient_bytes = max_coefficient_bytes,
                         .strips_metadata = strip_metadata,
                         .takes_luma_cells = near_duplicate_bits.has_value()};
  settings.apply(several_scans);
  return settings;
}

void ConvertConfig::validate() const {
  check_size("shard_size", shard_size_bytes, 1u << 20, "--shard-size 256M");
  check_size("memory", memory_bytes, kLeastMemoryBytes, "--memory 1G");
  check_range({.owner = "convert",
               .field = "jobs",
               .value = num_jobs,
               .low = 0,
               .high = 1024,
               .hint = "--jobs 8; left out: one per core"});
  check_range({.owner = "convert",
               .field = "max_pixels",
               .value = max_px,
               .low = 1,
               .high = UINT64_MAX,
               .hint = "--max-pixels 100000000"});
  check_range({.owner = "convert",
               .field = "near_duplicates",
               .value = near_duplicate_bits.value_or(0),
               .low = 0,
               .high = kMaxNearBits,
               .hint = "--near-duplicates=5"});
  check_sources(*this);
  check_kind_of_source(*this);
  check_classes(*this);
  check_splits(*this);
  check_background(*this);
  check_trust(*this);
  encode.validate();
  check_raw_codec(*this);
  layout.validate();
}

}  // namespace penstock::convert
