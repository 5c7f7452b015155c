#include "streamer/shard/split_subset.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/subset_table.h"

namespace penstock {
namespace {

constexpr std::size_t kMaxClassesListed = 16;  // in the text of a subset; more are hashed

std::uint32_t class_named(const std::string& name, const std::vector<std::string>& known) {
  const auto found = std::ranges::find(known, name);
  if (found != known.end()) return static_cast<std::uint32_t>(found - known.begin());
  const std::vector<std::string_view> names(known.begin(), known.end());
  std::string hint = nearest_name(name, names);
  if (!hint.empty()) hint = "did you mean '" + hint + "'?";
  throw Error(ErrorCode::kNotFound,
              "subset: class_names: expected one of the " + std::to_string(known.size()) +
                  " classes of the dataset, found \"" + name + "\"",
              hint.empty() ? "penstock inspect lists the classes" : hint);
}

// The classes to keep, rising, each once.
std::vector<std::uint32_t> kept_classes(const SubsetConfig& config,
                                        const std::vector<std::string>& known) {
  std::vector<std::uint32_t> classes = config.class_indices;
  for (const std::uint32_t class_idx : classes) {
    if (class_idx < known.size()) continue;
    throw Error(ErrorCode::kNotFound, "subset: class_indices: expected 0 to " +
                                          std::to_string(known.size() - 1) + ", found " +
                                          std::to_string(class_idx));
  }
  for (const std::string& name : config.class_names) classes.push_back(class_named(name, known));
  std::ranges::sort(classes);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

std::string classes_text(const std::vector<std::uint32_t>& classes) {
  std::string list;
  for (const std::uint32_t class_idx : classes) {
    list += (list.empty() ? "" : ",") + std::to_string(class_idx);
  }
  if (classes.size() <= kMaxClassesListed) return "classes " + list;
  return std::to_string(classes.size()) + " classes of hash " + hex(xxh3_64(list));
}

bool keeps_all_fractions(const SubsetConfig& config) noexcept {
  return config.from_fraction == 0.0 && config.to_fraction == 1.0;
}

std::string subset_text(const SubsetConfig& config, const std::vector<std::uint32_t>& classes) {
  std::string text = classes.empty() ? "all classes" : classes_text(classes);
  if (keeps_all_fractions(config)) return text;
  return text + ", fraction " + number_text(config.from_fraction) + " to " +
         number_text(config.to_fraction) + " of seed " + std::to_string(config.seed);
}

bool keeps(const SubsetConfig& config, const std::vector<std::uint32_t>& classes,
           const IndexRecord& record) {
  if (!classes.empty() && !std::ranges::binary_search(classes, record.class_idx)) return false;
  if (keeps_all_fractions(config)) return true;
  const double place =
      Draws({.seed = config.seed, .position = record.xxh3, .purpose = DrawPurpose::kSubset})
          .uniform(0);
  return place >= config.from_fraction && place < config.to_fraction;
}

}  // namespace

void SubsetConfig::validate() const {
  const auto refuse = [](std::string_view field, std::string_view expected, double found) {
    refuse_setting(
        {.owner = "subset", .field = field, .expected = expected, .found = number_text(found)});
  };
  // Written so that what is no number is refused.
  if (!(from_fraction >= 0.0 && from_fraction < 1.0)) {
    refuse("from_fraction", "0 to below 1", from_fraction);
  }
  if (!(to_fraction > from_fraction && to_fraction <= 1.0)) {
    refuse("to_fraction", "above " + number_text(from_fraction) + " to 1", to_fraction);
  }
}

std::shared_ptr<const SubsetTable> select_samples(const DatasetSplit& split,
                                                  const SubsetConfig& config) {
  config.validate();
  const std::vector<std::uint32_t> classes = kept_classes(config, split.class_names());
  auto table = std::make_shared<SubsetTable>();
  table->text = subset_text(config, classes);
  if (!split.subset_text().empty()) table->text = split.subset_text() + "; " + table->text;

  // Counted first: a table that grows would hold three times its size for a moment.
  std::uint64_t num_kept = 0;
  split.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
    for (const IndexRecord& record : records) num_kept += keeps(config, classes, record) ? 1 : 0;
  });
  if (num_kept == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "subset: " + table->text + ": expected samples of split " + split.name() +
                    ", found none of its " + std::to_string(split.num_samples()),
                "keep more of it");
  }
  table->stored_ids.reserve(num_kept);
  split.scan_index([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (!keeps(config, classes, records[i])) continue;
      const std::uint64_t stored_id = split.stored_id(first_id + i);
      if (stored_id > 0xFFFFFFFFu) {
        throw Error(
            ErrorCode::kUnsupported,
            "subset: split " + split.name() + ": expected at most 4294967296 samples, found more");
      }
      table->stored_ids.push_back(static_cast<std::uint32_t>(stored_id));
    }
  });
  return table;
}

}  // namespace penstock
