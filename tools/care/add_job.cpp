#include "tools/care/add_job.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <unordered_set>

#include "streamer/core/batch.h"
#include "streamer/core/csv_field.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_lock.h"
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

// The path in a line of quarantine.csv, as it stands there.
std::string_view first_field(std::string_view line) {
  if (line.empty() || line.front() != '"') return line.substr(0, line.find(','));
  std::size_t at = 1;
  while (at < line.size()) {
    if (line[at] != '"') {
      ++at;
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      at += 2;
    } else {
      break;
    }
  }
  return line.substr(0, std::min(at + 1, line.size()));
}

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
      const Manifest added = convert_source();
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
    convert::ConvertConfig config;
    config.source = config_.source;
    config.dataset = adding_;
    // Split folders and datasets say themselves; there conversion stored 0 for both.
    const bool is_dataset = fs::exists(config_.source / kManifestName);
    const auto fraction = [&](const std::optional<double>& wanted, const char* name) {
      const std::optional<double> before = wanted || is_dataset ? wanted : setting<double>(name);
      return before && *before > 0 ? before : wanted;
    };
    config.split = {
        .validation_fraction = fraction(config_.validation_fraction, "validation_split"),
        .test_fraction = fraction(config_.test_fraction, "test_split"),
        .seed = config_.seed.value_or(setting<std::uint64_t>("seed").value_or(0)),
        .draw = is_set("stratify", "true") ? convert::SplitDraw::kStratified
                                           : convert::SplitDraw::kByHash};
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
    if (wants_no_draws(scan)) ask_for_no_draws(scan);
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
    }
    if (kept.empty()) throw NothingNew{};
    scan.pictures = std::move(kept);
    scan.class_names = class_names_;
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

  // A dataset of split folders takes class folders for training: nothing was ever drawn for it.
  bool wants_no_draws(const convert::SourceScan&) const {
    return is_set("layout", "split_folders") && !config_.validation_fraction &&
           !config_.test_fraction;
  }
  static void ask_for_no_draws(convert::SourceScan& scan) {
    for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
      if (!scan.pictures[i].split) scan.pictures.set_split(i, convert::SplitKind::kTrain);
    }
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
      added_fields_.insert(csv_field(printable(name)));
    }
  }

  // Calls `visit` with each line of a quarantine.csv but the first; nothing when there is no such file.
  template <class Visit>
  static void for_each_line(const fs::path& file, const Visit& visit) {
    if (!fs::exists(file)) return;
    std::ifstream lines(file, std::ios::binary);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) visit(std::string_view(line));
    if (!lines.eof()) throw_io_error(EIO, "read to its end", tools::printable_path(file));
  }

  // Lines of files that have come back go, and old lines of those that are quarantined once more.
  void join_quarantine(ManifestFacts& facts) {
    std::string text;
    std::unordered_set<std::string> again;
    for_each_line(adding_ / convert::kQuarantineName, [&](std::string_view line) {
      again.insert(std::string(first_field(line)));
      text += std::string(line) + '\n';
    });
    std::uint64_t num_dropped = 0;
    std::string old_lines;
    const fs::path path = config_.dataset / convert::kQuarantineName;
    for_each_line(path, [&](std::string_view line) {
      const std::string field(first_field(line));
      const bool has_come_back = added_fields_.contains(field);
      summary_.num_returned += has_come_back ? 1 : 0;
      if (has_come_back || again.contains(field)) {
        ++num_dropped;
      } else {
        old_lines += std::string(line) + '\n';
      }
    });
    facts.num_quarantined -= std::min(facts.num_quarantined, num_dropped);
    if (text.empty() && num_dropped == 0) return;
    publish_file(path, convert::kQuarantineHeader + old_lines + text);
  }

  static std::optional<DuplicateCounts> sum_of(const std::optional<DuplicateCounts>& old,
                                               const std::optional<DuplicateCounts>& added) {
    if (!old || !added) return std::nullopt;
    return DuplicateCounts{
        .num_within_class = old->num_within_class + added->num_within_class,
        .num_across_classes = old->num_across_classes + added->num_across_classes,
        .num_across_splits = old->num_across_splits + added->num_across_splits};
  }

  // Copies of what was there before are not looked for.
  void join_duplicates(ManifestFacts& facts, const Manifest& added) {
    facts.duplicates = sum_of(old_.duplicates, added.duplicates);
    facts.near_duplicates = sum_of(old_.near_duplicates, added.near_duplicates);
    std::string rows;
    const auto collect = [&](std::string_view line) { rows += std::string(line) + '\n'; };
    const fs::path path = config_.dataset / convert::kDuplicatesName;
    if (!fs::exists(adding_ / convert::kDuplicatesName)) return;
    for_each_line(path, collect);
    for_each_line(adding_ / convert::kDuplicatesName, collect);
    publish_file(path, std::string(convert::kDuplicatesHeader) + rows);
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
  AddSummary summary_;
};

}  // namespace

AddSummary add_to_dataset(const AddConfig& config, convert::ConvertObserver& observer,
                          const std::stop_token& stop) {
  return Addition(config, observer, stop).run();
}

}  // namespace penstock::care
