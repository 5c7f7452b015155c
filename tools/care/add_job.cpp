#include "tools/care/add_job.h"

#include <fmt/core.h>

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/add_settings.h"
#include "tools/care/added_lists.h"
#include "tools/care/dataset_change.h"
#include "tools/care/name_digests.h"
#include "tools/care/new_pictures.h"
#include "tools/care/refused_copies.h"
#include "tools/care/row_list.h"
#include "tools/care/shard_numbers.h"
#include "tools/convert/write/folder_lock.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

std::uint64_t num_samples_of(const Manifest& manifest) {
  std::uint64_t num_samples = 0;
  for (const ManifestSplit& split : manifest.splits) num_samples += split.num_samples;
  return num_samples;
}

std::optional<DuplicateCounts> sum_of(const std::optional<DuplicateCounts>& old,
                                      const std::optional<DuplicateCounts>& added) {
  if (!old || !added) return std::nullopt;
  return DuplicateCounts{.num_within_class = old->num_within_class + added->num_within_class,
                         .num_across_classes = old->num_across_classes + added->num_across_classes,
                         .num_across_splits = old->num_across_splits + added->num_across_splits};
}

// What lies where SOURCE is to be converted goes only if an addition that was cut short left it.
void check_adding(const fs::path& adding) {
  const fs::file_status status = fs::symlink_status(adding);
  if (!fs::exists(status)) return;
  bool is_left_over = false;
  try {
    is_left_over =
        fs::is_directory(status) && read_manifest(adding).conversion.contains(kAdditionSetting);
  } catch (const Error&) {
    // No dataset that can be read, so none of an addition.
  }
  if (is_left_over) return;
  const std::string typed = shell_quoted(adding.native());
  throw Error(ErrorCode::kAlreadyExists,
              fmt::format("add: {}: expected nothing there, where SOURCE is to be converted, found "
                          "what no addition left",
                          tools::printable_path(adding)),
              fmt::format("mv {} {}", typed, shell_quoted(adding.native() + ".kept")));
}

std::optional<std::uint64_t> sum_of(const std::optional<std::uint64_t>& old,
                                    const std::optional<std::uint64_t>& added) {
  if (!old || !added) return std::nullopt;
  return *old + *added;
}

class Addition {
 public:
  Addition(const AddConfig& config, const convert::DatasetLock& lock,
           convert::ConvertObserver& observer, std::stop_token stop)
      : config_(config),
        lock_(lock),
        observer_(observer),
        stop_(std::move(stop)),
        adding_(adding_folder(config.dataset)),
        old_(read_manifest(config.dataset)),
        pictures_(config, old_, observer) {}

  AddSummary run() {
    try {
      Manifest added = convert_source();
      copies_ = refuse_copies({.config = config_,
                               .policies = recorded_policies(old_),
                               .pictures = pictures_,
                               .adding = adding_},
                              added, stop_);
      join(added);
    } catch (const NothingNew&) {
      summary_.num_samples = num_samples_of(old_);
    }
    summary_.num_already_there = pictures_.num_already_there();
    summary_.new_classes = pictures_.new_classes();
    summary_.num_old_copies = copies_.all.size();
    summary_.num_unnamed_copies = copies_.num_unnamed;
    return std::move(summary_);
  }

 private:
  Manifest convert_source() {
    if (old_.conversion.empty()) {
      observer_.notice("dataset.json: keeps no settings of a conversion: the defaults are taken");
    }
    convert::ConvertConfig conversion = addition_config(config_, old_);
    conversion.dataset = adding_;
    conversion.amend_scan = [this](convert::SourceScan& scan) { pictures_.keep_new(scan); };
    return convert_folder(conversion, observer_, stop_).manifest;
  }

  void join(const Manifest& added) {
    ManifestFacts facts{.class_names = pictures_.class_names(),
                        .splits = old_.splits,
                        .train_sums = {},
                        .conversion = old_.conversion,
                        .num_quarantined = sum_of(old_.num_quarantined, added.num_quarantined),
                        .num_reencoded = sum_of(old_.num_reencoded, added.num_reencoded)};
    if (old_.sample_bytes && added.sample_bytes) {
      facts.source_bytes = old_.sample_bytes->source_bytes + added.sample_bytes->source_bytes;
    }
    lock_.check_in_place();
    DatasetChange change(config_.dataset, plan_of(added));
    for (const ManifestSplit& split : added.splits) move_shards(split, facts);
    sync_folder(config_.dataset);
    join_lists(facts, added);
    state_sums(facts, added);
    const Manifest manifest = rebuild_manifest(config_.dataset, facts);
    change.publish(manifest);
    summary_.num_samples = num_samples_of(manifest);
    summary_.num_quarantined = *added.num_quarantined;  // a conversion knows it
  }

  // The names that move_shards() will give.
  ChangePlan plan_of(const Manifest& added) const {
    ChangePlan plan{.kind = ChangeKind::kAdd};
    for (const ManifestSplit& split : added.splits) {
      ShardNumbers numbers(config_.dataset);
      for (std::size_t i = 0; i < split.shards.size(); ++i) {
        plan.new_shards.push_back(numbers.next(split.name));
      }
    }
    return plan;
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
      added_names_.add(listed_name(name));
    }
  }

  void join_lists(ManifestFacts& facts, const Manifest& added) {
    const ListJoin lists{.dataset = config_.dataset, .adding = adding_, .copies = copies_};
    for (const std::string& name : pictures_.whole_archives()) added_names_.add(listed_name(name));
    added_names_.seal();
    const JoinedQuarantine quarantine = join_quarantine(lists, added_names_);
    join_fixed(lists);
    summary_.num_returned = quarantine.num_returned;
    if (facts.num_quarantined) {  // a row need not be a picture: members of an archive that is cut
      *facts.num_quarantined -= std::min(*facts.num_quarantined, quarantine.num_gone);
    }
    const CopyCounts counts = join_duplicates(lists, pictures_);
    facts.duplicates = sum_of(old_.duplicates, added.duplicates);
    add_by_reason(facts.duplicates, counts.more, counts.gone);
    facts.near_duplicates = sum_of(old_.near_duplicates, added.near_duplicates);
    add_by_reason(facts.near_duplicates, {}, counts.near_gone);
  }

  static void add_by_reason(std::optional<DuplicateCounts>& counts,
                            const CopyCounts::ByReason& more, const CopyCounts::ByReason& gone) {
    if (!counts) return;
    counts->num_across_splits += more[0] - gone[0];
    counts->num_across_classes += more[1] - gone[1];
    counts->num_within_class += more[2] - gone[2];
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
  const convert::DatasetLock& lock_;
  convert::ConvertObserver& observer_;
  const std::stop_token stop_;
  const fs::path adding_;
  const Manifest old_;
  NewPictures pictures_;
  FoundCopies copies_;
  NameDigests added_names_;
  AddSummary summary_;
};

}  // namespace

void AddConfig::validate() const {
  convert::ConvertConfig asked;
  asked.source = source;
  asked.split = {.validation_fraction = validation_fraction, .test_fraction = test_fraction};
  asked.layout.choice = layout;
  asked.labels = labels;
  asked.num_jobs = limits.num_jobs;
  asked.memory_bytes = limits.memory_bytes;
  asked.validate();
}

AddSummary add_to_dataset(const AddConfig& config, convert::ConvertObserver& observer,
                          const std::stop_token& stop) {
  config.validate();
  static_cast<void>(Dataset::open(config.dataset));  // refuses what is none, with a hint
  const convert::DatasetLock lock(config.dataset);
  static_cast<void>(settle_change(config.dataset));
  check_adding(adding_folder(config.dataset));
  static_cast<void>(settle_change(adding_folder(config.dataset)));
  return Addition(config, lock, observer, stop).run();
}

}  // namespace penstock::care
