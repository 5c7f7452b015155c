#include "tools/care/repair_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_change.h"
#include "tools/care/decode_check.h"
#include "tools/care/file_exchange.h"
#include "tools/care/repair_patient.h"
#include "tools/care/row_list.h"
#include "tools/care/shard_rewrite.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/write/folder_lock.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// Facts that no shard tells.
constexpr const char* kSourceBytes = "how many bytes the files of the source took";
constexpr const char* kCopies = "how many samples are copies";

class Repair {
 public:
  Repair(const RepairConfig& config, const CheckListener& listener, std::stop_token stop)
      : config_(config), listener_(listener), stop_(std::move(stop)) {}

  RepairSummary run() {
    if (!fs::is_directory(config_.dataset)) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("dataset: {}: expected a folder, found none",
                              printable_path(config_.dataset)),
                  "check the path");
    }
    const convert::DatasetLock lock(config_.dataset);
    settle();
    read_old_manifest();
    examine_all();
    agree_on_classes();
    for (Patient& patient : patients_) report(patient);
    find_emptied_splits();
    decide_on_manifest();
    check_anything_left();
    if (config_.mode == RepairMode::kRepair && !summary_.is_whole()) {
      lock.check_in_place();
      write_what_holds();
    }
    return std::move(summary_);
  }

 private:
  void note(std::string text) { summary_.notes.push_back(std::move(text)); }

  // What an addition or a removal left half done is not for repair to guess at.
  void settle() {
    if (config_.mode == RepairMode::kDryRun) {
      if (!fs::exists(config_.dataset / kUnfinishedChangeName)) return;
      note("a change of the dataset was cut short; repair ends it or takes it back first");
    } else if (const auto change = settle_change(config_.dataset)) {
      note(change->is_done ? "a change of the dataset that was cut short is ended"
                           : "a change of the dataset that was cut short is taken back");
    }
  }

  void read_old_manifest() {
    try {
      old_ = read_manifest(config_.dataset);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kNotFound) throw;
      note(error.code() == ErrorCode::kNotFound
               ? "dataset.json: expected one, found none; it is made anew from the shards"
               : fmt::format("{}; it is made anew from the shards", error.what()));
      count_quarantined();
      // Shards do not say these.
      summary_.lost_facts = {
          "the settings of the conversion (add takes the defaults)", kSourceBytes, kCopies,
          num_quarantined_ ? "how many files were re-encoded"
                           : "how many files were quarantined, and how many re-encoded"};
    }
  }

  // A list that is not there says nothing: it may be lost as dataset.json is.
  void count_quarantined() {
    const fs::path list = config_.dataset / convert::kQuarantineName;
    if (!fs::exists(list)) return;
    num_quarantined_ = 0;
    for_each_row(list, [this](std::string_view) { ++*num_quarantined_; });
  }

  void examine_all() {
    ShardPlaces found = old_ ? find_places(config_.dataset, *old_) : list_places(config_.dataset);
    if (found.places.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("repair: {}: expected dataset.json or shards, found neither",
                              printable_path(config_.dataset)),
                  "check the path");
    }
    for (std::string& text : found.notes) note(std::move(text));
    for (ShardPlace& place : found.places) {
      patients_.push_back(examine(std::move(place), config_.dataset, stop_));
    }
    if (!old_) {
      for (std::string& text : leave_out_copies(patients_)) note(std::move(text));
    }
    for (const Patient& patient : patients_) {
      if (patient.place.has_its_name()) continue;
      summary_.renamed.push_back({.from = patient.place.found_as, .to = patient.place.file});
    }
  }

  // Whose class names to believe: the manifest's; else those of the shards, which must agree.
  void agree_on_classes() {
    if (old_) {
      class_names_ = old_->class_names;
    } else {
      for (const bool must_hold : {true, false}) {
        for (const Patient& patient : patients_) {
          if (patient.class_names.size() > class_names_.size() && !patient.is_lost() &&
              (patient.check.are_class_names_whole || !must_hold)) {
            class_names_ = patient.class_names;
          }
        }
        if (!class_names_.empty()) break;
        note("class names: no checksum vouches for them");
      }
    }
    for (Patient& patient : patients_) {
      if (patient.is_lost()) continue;
      const std::vector<std::string>& own = patient.class_names;
      const bool agree = own.size() <= class_names_.size() &&
                         std::equal(own.begin(), own.end(), class_names_.begin()) && !own.empty();
      if (agree) continue;
      if (!own.empty() && patient.check.are_class_names_whole) refuse_other_classes(patient);
      if (patient.open->num_classes() > class_names_.size()) {
        patient.give_up("class names: expected those of the dataset, found more");
        continue;
      }
      if (patient.damage.empty()) patient.damage.push_back("class names: damaged");
    }
  }

  [[noreturn]] void refuse_other_classes(const Patient& patient) const {
    throw Error(ErrorCode::kCorruptData,
                fmt::format("repair: {}: class names: expected those of the dataset, found others "
                            "that are whole: this shard is of another dataset",
                            printable_path(config_.dataset / patient.place.found_as)),
                "move it away, then repair again");
  }

  void report(Patient& patient) {
    summary_.num_samples += patient.num_kept;
    if (patient.damage.empty()) return;
    summary_.shards.push_back({.file = patient.place.file,
                               .split = patient.place.split,
                               .damage = patient.damage,
                               .num_kept = patient.num_kept,
                               .num_dropped = patient.num_dropped(),
                               .kept_as = {}});
    for (const SampleDamage& damage : patient.check.sample_damage) {
      summary_.dropped.push_back({.split = patient.place.split,
                                  .file = patient.place.file,
                                  .sample_idx = patient.place.first_sample_idx + damage.sample_idx,
                                  .name = patient.open->read_name(damage.sample_idx),
                                  .what = damage.what});
    }
    if (!patient.is_lost() && !patient.check.are_names_whole) {
      note(fmt::format("{}: names: no checksum vouches for them; they are left out",
                       patient.place.file));
    }
  }

  void find_emptied_splits() {
    std::set<std::string> left;
    for (const Patient& patient : patients_) {
      if (!patient.is_lost()) left.insert(patient.place.split);
    }
    std::set<std::string> emptied;
    for (const Patient& patient : patients_) {
      const std::string& split = patient.place.split;
      if (!split.empty() && !left.contains(split)) emptied.insert(split);
    }
    summary_.emptied_splits.assign(emptied.begin(), emptied.end());
  }

  // A shard may be whole and still not be what the manifest names.
  void decide_on_manifest() {
    summary_.is_manifest_new = !old_;
    for (const Patient& patient : patients_) {
      if (!patient.damage.empty()) summary_.is_manifest_new = true;
      if (!patient.damage.empty() || !patient.place.listed) continue;
      const ManifestShard& listed = *patient.place.listed;
      const bool is_the_one = listed.uuid == patient.open->uuid() &&
                              listed.size_bytes == patient.open->size_bytes() &&
                              listed.num_samples == patient.open->num_samples() &&
                              listed.header_xxh3 == patient.open->header_xxh3();
      if (is_the_one) continue;
      summary_.is_manifest_new = true;
      note(
          fmt::format("{}: whole, and not the one that dataset.json names; dataset.json follows it",
                      patient.place.file));
    }
    if (old_ && !summary_.is_manifest_new) compare_counts();
    if (old_ && config_.mode == RepairMode::kDryRun && summary_.num_dropped() > 0) {
      tell_lost_counts();
    }
  }

  void compare_counts() {
    for (const ManifestSplit& split : old_->splits) {
      std::vector<std::uint64_t> counts(class_names_.size());
      for (const Patient& patient : patients_) {
        if (patient.place.split != split.name) continue;
        for (std::size_t c = 0; c < patient.check.num_by_class.size(); ++c) {
          counts[c] += patient.check.num_by_class[c];
        }
      }
      if (counts == split.num_by_class) continue;
      summary_.is_manifest_new = true;
      note("split " + split.name + ": counts by class are made anew");
    }
  }

  void check_anything_left() const {
    if (summary_.num_samples > 0) return;
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("repair: {}: expected at least one sample that can be saved, found none",
                    printable_path(config_.dataset)),
        "restore the dataset from a copy, or convert the source again");
  }

  void write_what_holds() {
    for (const Patient& patient : patients_) {
      if (patient.is_rewritten()) progress_.total_bytes += patient.open->size_bytes();
    }
    convert::check_room_in(config_.dataset, progress_.total_bytes,
                           "free some there, then the same command again");
    give_names_back();
    if (!summary_.is_manifest_new) return;  // names were all that was wrong
    ManifestFacts facts{
        .class_names = class_names_, .splits = {}, .train_sums = {}, .conversion = {}};
    start_ = std::chrono::steady_clock::now();
    for (Patient& patient : patients_) mend(patient, facts);
    std::ranges::stable_sort(facts.splits, {}, [](const ManifestSplit& split) {
      // As conversion writes them; others behind.
      constexpr std::string_view kOrder[] = {"train", "validation", "test"};
      return std::ranges::find(kOrder, split.name) - std::begin(kOrder);
    });
    publish(facts);
  }

  void give_names_back() {
    std::vector<ShardPlace> places;
    for (const Patient& patient : patients_) places.push_back(patient.place);
    take_places(config_.dataset, places,
                config_.old_files == OldFiles::kKept ? InTheWay::kPutAside : InTheWay::kRemoved);
    for (std::size_t i = 0; i < places.size(); ++i) patients_[i].place = std::move(places[i]);
  }

  void mend(Patient& patient, ManifestFacts& facts) {
    const std::string& file = patient.place.file;
    const fs::path path = config_.dataset / file;
    if (patient.is_lost()) {
      if (!patient.place.found_as.empty()) give_up_file(file);
      return;
    }
    ManifestSplit& split = split_of(facts, patient.place.split);
    if (!patient.is_rewritten()) {
      split.shards.push_back({.file = file,
                              .num_samples = patient.open->num_samples(),
                              .size_bytes = patient.open->size_bytes(),
                              .uuid = patient.open->uuid(),
                              .header_xxh3 = patient.open->header_xxh3()});
      return;
    }
    fs::path repaired = path;
    repaired += ".repaired";
    fs::remove(repaired);  // left by one that was cut short
    const auto num_classes = static_cast<std::ptrdiff_t>(patient.open->num_classes());
    ManifestShard shard = rewrite_shard(
        {.from = &*patient.open,
         .to = repaired,
         .split = patient.place.split,
         .class_names = {class_names_.begin(), class_names_.begin() + num_classes},
         .is_kept = patient.check.is_whole,
         .names = patient.check.are_names_whole ? StoredNames::kKept : StoredNames::kLeftOut},
        stop_);
    if (config_.old_files == OldFiles::kKept) keep_old(file);
    publish_by_rename(repaired, path);
    shard.file = file;
    split.shards.push_back(std::move(shard));
    progress_.done_bytes += patient.open->size_bytes();
    progress_.elapsed = std::chrono::steady_clock::now() - start_;
    listener_(progress_);
  }

  static ManifestSplit& split_of(ManifestFacts& facts, const std::string& name) {
    const auto found = std::ranges::find(facts.splits, name, &ManifestSplit::name);
    if (found != facts.splits.end()) return *found;
    facts.splits.push_back({.name = name, .num_samples = 0, .num_by_class = {}, .shards = {}});
    return facts.splits.back();
  }

  void keep_old(const std::string& file) {
    const fs::path aside = keep_as_damaged(config_.dataset / file);
    for (RepairedShard& shard : summary_.shards) {
      if (shard.file == file) shard.kept_as = aside.filename().string();
    }
  }

  // Before the manifest leaves it out: one that is killed in between finds it gone, which is the same.
  void give_up_file(const std::string& file) {
    if (config_.old_files == OldFiles::kKept) keep_old(file);
    fs::remove(config_.dataset / file);
  }

  void publish(ManifestFacts& facts) {
    if (old_) {
      facts.conversion = old_->conversion;
      facts.num_quarantined = old_->num_quarantined;
      facts.num_reencoded = old_->num_reencoded;
    } else {
      facts.num_quarantined = num_quarantined_;
    }
    const auto is_as_it_was = [this](const ManifestSplit& split) {
      return is_split_as_it_was(split);
    };
    // What a file took is not known of one sample alone.
    if (old_ && facts.splits.size() == old_->splits.size() &&
        std::ranges::all_of(facts.splits, is_as_it_was)) {
      if (old_->sample_bytes) facts.source_bytes = old_->sample_bytes->source_bytes;
      facts.duplicates = old_->duplicates;
      facts.near_duplicates = old_->near_duplicates;
    } else if (old_) {
      tell_lost_counts();
    }
    state_sums(facts);
    const Manifest manifest = rebuild_manifest(config_.dataset, facts);
    const fs::path manifest_path = config_.dataset / kManifestName;
    if (!old_ && config_.old_files == OldFiles::kKept && fs::exists(manifest_path)) {
      keep_as_damaged(manifest_path);
    }
    write_manifest(config_.dataset, manifest);
  }

  void tell_lost_counts() {
    if (old_->sample_bytes) summary_.lost_facts.emplace_back(kSourceBytes);
    if (old_->duplicates || old_->near_duplicates) summary_.lost_facts.emplace_back(kCopies);
  }

  // The old ones hold as long as the same pixels are there.
  void state_sums(ManifestFacts& facts) {
    const auto train = std::ranges::find(facts.splits, "train", &ManifestSplit::name);
    if (train == facts.splits.end() || (old_ && old_->mean.empty())) return;
    if (old_ && old_->pixel_totals && is_split_as_it_was(*train)) {
      facts.train_sums = sums_of(*old_->pixel_totals);
      return;
    }
    facts.train_sums = sum_pixels(config_.dataset, *train, config_.limits, listener_, stop_);
    note("statistics: made anew by decoding the training split");
  }

  // The uuid of a shard stands for its samples, and a repaired one has it again when none was dropped.
  bool is_split_as_it_was(const ManifestSplit& split) const {
    const ManifestSplit* const before = old_->find_split(split.name);
    return before != nullptr && std::ranges::equal(before->shards, split.shards, {},
                                                   &ManifestShard::uuid, &ManifestShard::uuid);
  }

  const RepairConfig& config_;
  const CheckListener& listener_;
  const std::stop_token stop_;
  std::optional<Manifest> old_;
  std::optional<std::uint64_t> num_quarantined_;  // by the list, where there is no manifest
  std::vector<Patient> patients_;
  std::vector<std::string> class_names_;
  std::chrono::steady_clock::time_point start_;  // of what progress is of
  CheckProgress progress_;
  RepairSummary summary_;
};

}  // namespace

void RepairConfig::validate() const {
  check_decode_memory("repair", limits.memory_bytes);
}

std::uint64_t RepairSummary::num_dropped() const noexcept {
  std::uint64_t sum = 0;
  for (const RepairedShard& shard : shards) sum += shard.num_dropped;
  return sum;
}

RepairSummary repair_dataset(const RepairConfig& config, const CheckListener& listener,
                             const std::stop_token& stop) {
  config.validate();
  return Repair(config, listener, stop).run();
}

}  // namespace penstock::care
