#include "tools/care/add_job.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_lock.h"
#include "tools/care/old_copies.h"
#include "tools/care/remove_job.h"
#include "tools/care/row_list.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/write/continuation.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable;
using tools::printable_path;

// Ends a conversion that has nothing to do.
struct NothingNew {};

class Addition {
 public:
  Addition(const AddConfig& config, convert::ConvertObserver& observer, std::stop_token stop)
      : config_(config),
        observer_(observer),
        stop_(std::move(stop)),
        adding_(without_last_slash(config.dataset)) {
    adding_ += ".adding";
  }

  AddSummary run() {
    static_cast<void>(Dataset::open(config_.dataset));  // refuses what is none, with a hint
    const DatasetLock lock(config_.dataset);
    old_ = read_manifest(config_.dataset);
    class_names_ = old_.class_names;
    read_names_there();
    try {
      Manifest added = convert_source();
      leave_out_old_copies(added);
      join(added);
    } catch (const NothingNew&) {
      for (const ManifestSplit& split : old_.splits) summary_.num_samples += split.num_samples;
    }
    return std::move(summary_);
  }

 private:
  static fs::path without_last_slash(const fs::path& path) {
    return path.has_filename() ? path : path.parent_path();
  }

  void read_names_there() {
    for (const ManifestSplit& split : old_.splits) {
      for (const ManifestShard& shard : split.shards) {
        for (std::string& name : ShardFile::open(config_.dataset / shard.file).read_names()) {
          names_there_.insert(std::move(name));
        }
      }
    }
    names_there_.erase("");
  }

  template <class T>
  std::optional<T> setting(const char* name) const {
    const auto found = old_.conversion.find(name);
    if (found == old_.conversion.end()) return std::nullopt;
    T value{};
    const char* const end = found->second.data() + found->second.size();
    const auto [at, error] = std::from_chars(found->second.data(), end, value);
    return error == std::errc{} && at == end ? std::optional(value) : std::nullopt;
  }

  bool is_set(const char* name, const char* value) const {
    const auto found = old_.conversion.find(name);
    return found != old_.conversion.end() && found->second == value;
  }

  // The settings of the dataset, so that what is added is as if it had been there from the start.
  convert::ConvertConfig conversion() {
    if (old_.conversion.empty()) {
      observer_.notice("dataset.json: keeps no settings of a conversion: the defaults are taken");
    }
    split_request_ = {.seed = config_.seed.value_or(setting<std::uint64_t>("seed").value_or(0)),
                      .draw = is_set("stratify", "true") ? convert::SplitDraw::kStratified
                                                         : convert::SplitDraw::kByHash};
    convert::ConvertConfig config;
    config.source = config_.source;
    config.dataset = adding_;
    config.split.seed = split_request_.seed;  // splits are drawn by amend()
    config.layout.choice = config_.layout;
    config.labels = config_.labels;
    config.class_names_file = config_.class_names_file;
    config.memory_bytes = config_.limits.memory_bytes;
    config.layout.class_depth = setting<std::uint32_t>("class_depth").value_or(1);
    // Of several sources, names in the dataset begin with the source's.
    if (old_.conversion.contains("sources")) config.source_names = convert::SourceNames::kAlways;
    config.shard_size_bytes =
        setting<std::uint64_t>("shard_size_bytes").value_or(config.shard_size_bytes);
    config.max_px = setting<std::uint64_t>("max_pixels").value_or(config.max_px);
    config.num_jobs = config_.limits.num_jobs;
    config.existing = convert::ExistingTarget::kReplace;  // one that was never joined
    config.store_names = !is_set("names", "left out");
    if (is_set("optimize_crops", "true")) {
      config.several_scans = convert::SeveralScans::kRewritten;
    }
    config.encode = convert::encode_settings_of(old_.conversion);
    config.max_coefficient_bytes =
        setting<std::uint64_t>("max_coefficient_bytes").value_or(config.max_coefficient_bytes);
    config.strip_metadata = is_set("metadata", "stripped");
    config.near_duplicate_bits = setting<unsigned>(convert::kNearDuplicatesSetting);
    if (is_set("checked", "headers")) config.depth = convert::CheckDepth::kHeader;
    if (const auto reasons = old_.conversion.find(convert::kPoliciesSetting);
        reasons != old_.conversion.end()) {
      config.policies = convert::ReasonPolicies::from_changes(reasons->second);
    }
    config.background = background();
    config.amend_scan = [this](convert::SourceScan& scan) { amend(scan); };
    return config;
  }

  // "jpeg quality 95 4:4:4 on #ffffff"
  convert::RgbColour background() const {
    constexpr std::string_view kOn = " on #";
    const auto found = old_.conversion.find("reencode");
    if (found == old_.conversion.end()) return {};
    const std::size_t at = found->second.rfind(kOn);
    if (at == std::string::npos) return {};
    return convert::parse_colour(found->second.substr(at + kOn.size(), 6), "reencode");
  }

  Manifest convert_source() { return convert_folder(conversion(), observer_, stop_).manifest; }

  void amend(convert::SourceScan& scan) {
    const convert::SplitRule rule = choose_splits(scan);
    const std::vector<std::uint32_t> new_idx = class_indices(scan);
    convert::PictureList kept;
    for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
      convert::ListedPicture picture = scan.pictures[i];
      if (names_there_.contains(std::string(picture.name))) {
        if (scan.names_are_numbers) refuse_numbered(picture.name);
        ++summary_.num_already_there;
        continue;
      }
      if (picture.class_idx != kUnlabelled) picture.class_idx = new_idx[picture.class_idx];
      kept.add(picture);
      source_bytes_.emplace(picture.name, picture.size_bytes);
    }
    if (kept.empty()) throw NothingNew{};
    scan.pictures = std::move(kept);
    scan.class_names = class_names_;
    scan.is_rest = summary_.num_already_there > 0;
    const auto drawn = convert::draw_splits(scan.pictures, split_request_, rule);
    const std::string text = convert::drawn_splits_text(drawn, split_request_, rule);
    if (!text.empty()) observer_.notice(text);
  }

  // Left out, it might be another picture that is lost.
  [[noreturn]] void refuse_numbered(std::string_view name) const {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("add: {}: expected pictures that the dataset does not have, found '{}' in "
                    "both, a name that only says its row",
                    printable_path(config_.source), printable(std::string(name))),
        "other pictures: give the array another name; the same ones: leave them as they are");
  }

  // The fractions recorded, 0 among them, but for splits that the source itself has.
  convert::SplitRule choose_splits(const convert::SourceScan& scan) {
    std::array<bool, convert::kNumSplits> has{};
    for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
      if (const auto split = scan.pictures[i].split) has[static_cast<std::size_t>(*split)] = true;
    }
    const bool is_dataset = fs::exists(config_.source / kManifestName);
    const auto fraction = [&](const std::optional<double>& wanted, convert::SplitKind split,
                              const char* name) {
      if (wanted || is_dataset || has[static_cast<std::size_t>(split)]) return wanted;
      return setting<double>(name);
    };
    split_request_.validation_fraction =
        fraction(config_.validation_fraction, convert::SplitKind::kValidation, "validation_split");
    split_request_.test_fraction =
        fraction(config_.test_fraction, convert::SplitKind::kTest, "test_split");
    return convert::split_rule_of(scan.pictures, split_request_, printable_path(config_.source));
  }

  // By the source's index: the dataset's. A class without pictures is passed over.
  std::vector<std::uint32_t> class_indices(const convert::SourceScan& scan) {
    std::vector<bool> is_used(scan.class_names.size());
    for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
      const std::uint32_t class_idx = scan.pictures[i].class_idx;
      if (class_idx != kUnlabelled) is_used[class_idx] = true;
    }
    std::vector<std::uint32_t> indices(scan.class_names.size());
    for (std::size_t c = 0; c < scan.class_names.size(); ++c) {
      if (!is_used[c]) continue;
      auto found = std::ranges::find(class_names_, scan.class_names[c]);
      if (found == class_names_.end()) {
        summary_.new_classes.push_back(scan.class_names[c]);
        class_names_.push_back(scan.class_names[c]);
        found = class_names_.end() - 1;
      }
      indices[c] = static_cast<std::uint32_t>(found - class_names_.begin());
    }
    if (!summary_.new_classes.empty() && config_.new_classes == NewClasses::kRefused) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("add: {}: expected classes of the dataset, found new ones: {}",
                              printable_path(config_.source),
                              printable(fmt::format("{}", fmt::join(summary_.new_classes, ", ")))),
                  "--new-classes appends them to the list of classes");
    }
    return indices;
  }

  // What is stored already under another name is listed, or goes, or ends the addition, as the dataset's
  // policies say.
  void leave_out_old_copies(Manifest& added) {
    if (added.splits.empty()) return;
    const auto changes = old_.conversion.find(convert::kPoliciesSetting);
    const auto policies = changes == old_.conversion.end()
                              ? convert::ReasonPolicies()
                              : convert::ReasonPolicies::from_changes(changes->second);
    old_copies_ = find_old_copies(
        {.dataset = config_.dataset, .added = adding_, .memory_bytes = config_.limits.memory_bytes},
        stop_);
    std::vector<std::string> going;
    for (const OldCopy& copy : old_copies_) {
      for (std::size_t i = 0; i < copy.others.size(); ++i) {
        if (!copy.others[i]) continue;
        const convert::ReasonCode reason = kCopyReasonOrder[i];
        const std::string detail = "stored as the same bytes as " + copy.others[i]->name;
        const convert::QuarantineEntry entry{.path = copy.added.name,
                                             .reason = reason,
                                             .size_bytes = source_bytes_.at(copy.added.name),
                                             .detail = detail};
        if (policies[reason] == convert::Policy::kStop) {
          fs::remove_all(adding_);
          convert::refuse_reason(entry);
        }
        if (policies[reason] != convert::Policy::kQuarantine) continue;
        if (!dropped_.insert(listed_name(copy.added.name)).second) continue;
        going.push_back(copy.added.name);
        dropped_rows_ += convert::quarantine_row(entry);
      }
    }
    summary_.num_old_copies = old_copies_.size();
    if (!going.empty()) take_out(going, added);
  }

  void take_out(const std::vector<std::string>& names, Manifest& added) {
    std::uint64_t num_samples = 0;
    for (const ManifestSplit& split : added.splits) num_samples += split.num_samples;
    std::uint64_t source_bytes = added.sample_bytes ? added.sample_bytes->source_bytes : 0;
    for (const std::string& name : names) source_bytes -= source_bytes_.at(name);
    const auto duplicates = added.duplicates;
    const bool knows_bytes = added.sample_bytes.has_value();
    if (names.size() == num_samples) {
      added.splits.clear();
      added.pixel_totals.reset();
      added.num_reencoded = 0;
    } else {
      remove_samples(
          {.dataset = adding_, .names = names, .rows = NamedRows::kKept, .limits = config_.limits},
          [](const CheckProgress&) {}, stop_);
      added = read_manifest(adding_);
    }
    added.num_quarantined += names.size();
    added.duplicates = duplicates;
    if (knows_bytes) added.sample_bytes = SampleBytes{.source_bytes = source_bytes};
  }

  void join(const Manifest& added) {
    ManifestFacts facts{.class_names = class_names_,
                        .splits = old_.splits,
                        .train_sums = {},
                        .conversion = old_.conversion,
                        .num_quarantined = old_.num_quarantined + added.num_quarantined,
                        .num_reencoded = old_.num_reencoded + added.num_reencoded};
    if (old_.sample_bytes && added.sample_bytes) {
      facts.source_bytes = old_.sample_bytes->source_bytes + added.sample_bytes->source_bytes;
    }
    try {
      for (const ManifestSplit& split : added.splits) move_shards(split, facts);
      sync_folder(config_.dataset);
      join_quarantine(facts);
      join_duplicates(facts, added);
      state_sums(facts, added);
      const Manifest manifest = rebuild_manifest(config_.dataset, facts);
      write_manifest(config_.dataset, manifest);
      for (const ManifestSplit& split : manifest.splits) summary_.num_samples += split.num_samples;
    } catch (...) {
      for (const std::string& file : summary_.new_shards) fs::remove(config_.dataset / file);
      throw;
    }
    summary_.num_quarantined = added.num_quarantined;
    fs::remove_all(adding_);
  }

  void move_shards(const ManifestSplit& split, ManifestFacts& facts) {
    auto target = std::ranges::find(facts.splits, split.name, &ManifestSplit::name);
    if (target == facts.splits.end()) {
      facts.splits.push_back(
          {.name = split.name, .num_samples = 0, .num_by_class = {}, .shards = {}});
      target = facts.splits.end() - 1;
    }
    ShardNumbers numbers(config_.dataset);
    for (ManifestShard shard : split.shards) {
      const std::string name = numbers.next(split.name);
      collect_names(adding_ / shard.file);
      rename_to_new(adding_ / shard.file, config_.dataset / name);
      summary_.new_shards.push_back(name);
      summary_.num_added += shard.num_samples;
      shard.file = name;
      target->shards.push_back(std::move(shard));
    }
  }

  // As quarantine.csv writes them.
  void collect_names(const fs::path& shard) {
    for (const std::string& name : ShardFile::open(shard).read_names()) {
      added_fields_.insert(listed_name(name));
    }
  }

  // Rows of files that have come back go, and old rows of those that are quarantined once more.
  void join_quarantine(ManifestFacts& facts) {
    const fs::path path = config_.dataset / convert::kQuarantineName;
    const fs::path added = adding_ / convert::kQuarantineName;
    std::unordered_set<std::string> again;
    for_each_row(added, [&](std::string_view row) { again.emplace(stored_fields(row).front()); });
    again.insert(dropped_.begin(), dropped_.end());
    RowListWriter list(path, convert::kQuarantineHeader);
    std::uint64_t num_dropped = 0;
    for_each_row(path, [&](std::string_view row) {
      const std::string name(stored_fields(row).front());
      const bool has_come_back = added_fields_.contains(name);
      summary_.num_returned += has_come_back ? 1 : 0;
      if (has_come_back || again.contains(name)) {
        ++num_dropped;
      } else {
        list.add(row);
      }
    });
    facts.num_quarantined -= std::min(facts.num_quarantined, num_dropped);
    if (again.empty() && num_dropped == 0) return;
    for_each_row(added, [&](std::string_view row) { list.add(row); });
    for (std::size_t at = 0; at < dropped_rows_.size();) {
      const std::size_t end = dropped_rows_.find('\n', at);
      list.add(std::string_view(dropped_rows_).substr(at, end - at));
      at = end + 1;
    }
    list.publish();
  }

  static std::optional<DuplicateCounts> sum_of(const std::optional<DuplicateCounts>& old,
                                               const std::optional<DuplicateCounts>& added) {
    if (!old || !added) return std::nullopt;
    return DuplicateCounts{
        .num_within_class = old->num_within_class + added->num_within_class,
        .num_across_classes = old->num_across_classes + added->num_across_classes,
        .num_across_splits = old->num_across_splits + added->num_across_splits};
  }

  // Rows of what was found in the addition, then those of copies of old samples. Pictures that only look
  // alike are found among the new ones alone.
  void join_duplicates(ManifestFacts& facts, const Manifest& added) {
    facts.near_duplicates = sum_of(old_.near_duplicates, added.near_duplicates);
    ByReason num_more{};
    ByReason num_gone{};
    const fs::path path = config_.dataset / convert::kDuplicatesName;
    const fs::path found = adding_ / convert::kDuplicatesName;
    if (old_copies_.empty() && !fs::exists(found)) return count_duplicates(facts, added, {}, {});
    RowListWriter list(path, convert::kDuplicatesHeader);
    std::unordered_set<std::string> counted;  // name and reason
    for_each_row(path, [&](std::string_view row) { list.add(row); });
    for_each_row(found, [&](std::string_view row) {
      const auto fields = stored_fields(row);
      const std::string name(fields[0]);
      if (!old_copies_.empty()) counted.insert(name + ',' + std::string(fields[1]));
      constexpr std::string_view kKept = ",kept";
      if (!dropped_.contains(name) || !row.ends_with(kKept)) return list.add(row);
      for (std::size_t i = 0; i < kCopyReasonOrder.size(); ++i) {
        num_gone[i] += fields[1] == convert::reason_code_name(kCopyReasonOrder[i]) ? 1 : 0;
      }
      list.add(std::string(row.substr(0, row.size() - kKept.size())) + ",quarantined");
    });
    for (const OldCopy& copy : old_copies_) {
      const std::string name = listed_name(copy.added.name);
      for (std::size_t i = 0; i < copy.others.size(); ++i) {
        if (!copy.others[i]) continue;
        const std::string reason(convert::reason_code_name(kCopyReasonOrder[i]));
        if (counted.contains(name + ',' + reason)) continue;
        num_more[i] += dropped_.contains(name) ? 0 : 1;
        list.add(copy_row(copy, i, dropped_.contains(name)));
      }
    }
    list.publish();
    count_duplicates(facts, added, num_more, num_gone);
  }

  std::string copy_row(const OldCopy& copy, std::size_t reason_idx, bool is_dropped) const {
    convert::PictureList pair;
    const auto list = [&](const CopyPlace& place, std::uint64_t size_bytes) {
      pair.add({.name = place.name,
                .size_bytes = size_bytes,
                .class_idx = place.class_idx,
                .split = place.split});
    };
    list(copy.added, source_bytes_.at(copy.added.name));
    list(*copy.others[reason_idx], copy.length_bytes);
    std::string row = convert::copy_row({.reason = kCopyReasonOrder[reason_idx],
                                         .picture_idx = 0,
                                         .other_idx = 1,
                                         .is_dropped = is_dropped},
                                        0, pair, class_names_);
    row.pop_back();  // its line feed
    return row;
  }

  using ByReason = std::array<std::uint64_t, kCopyReasonOrder.size()>;

  void count_duplicates(ManifestFacts& facts, const Manifest& added, const ByReason& more,
                        const ByReason& gone) const {
    facts.duplicates = sum_of(old_.duplicates, added.duplicates);
    if (!facts.duplicates) return;
    facts.duplicates->num_across_splits += more[0] - gone[0];
    facts.duplicates->num_across_classes += more[1] - gone[1];
    facts.duplicates->num_within_class += more[2] - gone[2];
  }

  void state_sums(ManifestFacts& facts, const Manifest& added) {
    if (old_.mean.empty()) return;  // not known, and so it stays
    const bool has_new = added.find_split("train") != nullptr;
    if (old_.pixel_totals && (added.pixel_totals || !has_new)) {
      facts.train_sums = sums_of(*old_.pixel_totals);
      if (added.pixel_totals) facts.train_sums->add(sums_of(*added.pixel_totals));
      return;
    }
    const auto train = std::ranges::find(facts.splits, "train", &ManifestSplit::name);
    facts.train_sums = sum_pixels(
        config_.dataset, *train, config_.limits, [](const CheckProgress&) {}, stop_);
  }

  const AddConfig& config_;
  convert::ConvertObserver& observer_;
  const std::stop_token stop_;
  fs::path adding_;
  Manifest old_;
  std::vector<std::string> class_names_;
  std::unordered_set<std::string> names_there_;
  std::unordered_set<std::string> added_fields_;
  convert::SplitRequest split_request_;
  std::unordered_map<std::string, std::uint64_t> source_bytes_;  // of what is added, by name
  std::vector<OldCopy> old_copies_;
  std::unordered_set<std::string> dropped_;  // of these, as lists write them
  std::string dropped_rows_;                 // of quarantine.csv
  AddSummary summary_;
};

}  // namespace

AddSummary add_to_dataset(const AddConfig& config, convert::ConvertObserver& observer,
                          const std::stop_token& stop) {
  return Addition(config, observer, stop).run();
}

}  // namespace penstock::care
