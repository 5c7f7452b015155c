#include "tools/care/repair_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_change.h"
#include "tools/care/dataset_lock.h"
#include "tools/care/decode_check.h"
#include "tools/care/shard_rewrite.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// One shard of the dataset, and what is to become of it.
struct Patient {
  std::string file;
  std::string split;                    // by the manifest, or by itself
  std::optional<ManifestShard> listed;  // as the manifest names it
  std::optional<CareShard> open;
  ShardCheck check;
  std::vector<std::string> damage;
  std::vector<std::string> class_names;  // its own, where they hold
  std::uint64_t first_sample_idx = 0;    // within the split, by the manifest
  std::uint64_t num_kept = 0;

  bool is_rewritten() const { return !damage.empty() && num_kept > 0; }
  bool is_lost() const { return num_kept == 0; }
};

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
    const DatasetLock lock(config_.dataset);
    settle();
    read_old_manifest();
    list_patients();
    for (Patient& patient : patients_) examine(patient);
    agree_on_classes();
    for (Patient& patient : patients_) report(patient);
    decide_on_manifest();
    check_anything_left();
    if (config_.mode == RepairMode::kRepair && !summary_.is_whole()) mend();
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
    }
  }

  void list_patients() {
    if (old_) {
      for (const ManifestSplit& split : old_->splits) {
        std::uint64_t first = 0;
        for (const ManifestShard& shard : split.shards) {
          patients_.push_back({.file = shard.file,
                               .split = split.name,
                               .listed = shard,
                               .open = {},
                               .check = {},
                               .damage = {},
                               .class_names = {},
                               .first_sample_idx = first});
          first += shard.num_samples;
        }
      }
      return;
    }
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(config_.dataset)) {
      if (entry.is_regular_file() && entry.path().extension() == ".h5") {
        names.insert(entry.path().filename().string());
      }
    }
    for (const std::string& name : names) {
      patients_.push_back({.file = name,
                           .split = {},
                           .listed = {},
                           .open = {},
                           .check = {},
                           .damage = {},
                           .class_names = {}});
    }
    if (patients_.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("repair: {}: expected dataset.json or shards, found neither",
                              printable_path(config_.dataset)),
                  "check the path");
    }
  }

  void examine(Patient& patient) {
    try {
      patient.open = CareShard::open(config_.dataset / patient.file, patient.damage);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kIo) throw;
      patient.damage.push_back(error.what());
      return;
    }
    if (patient.split.empty()) patient.split = patient.open->split();
    if (patient.split != patient.open->split()) {
      patient.damage.push_back(fmt::format("split: expected \"{}\", found \"{}\"", patient.split,
                                           patient.open->split()));
    }
    patient.check = check_shard(*patient.open, {.stop = stop_, .done_bytes = nullptr});
    patient.damage.insert(patient.damage.end(), patient.check.shard_damage.begin(),
                          patient.check.shard_damage.end());
    if (!patient.check.sample_damage.empty() && patient.damage.empty()) {
      patient.damage.push_back("samples: expected every one whole, found damaged ones");
    }
    patient.num_kept =
        static_cast<std::uint64_t>(std::ranges::count(patient.check.is_whole, std::uint8_t{1}));
    try {
      patient.class_names = patient.open->read_class_names();
    } catch (const Error&) {
      patient.class_names.clear();  // told by check_shard()
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
        give_up(patient, "class names: expected those of the dataset, found more");
        continue;
      }
      if (patient.damage.empty()) patient.damage.push_back("class names: damaged");
    }
  }

  [[noreturn]] void refuse_other_classes(const Patient& patient) const {
    throw Error(ErrorCode::kCorruptData,
                fmt::format("repair: {}: class names: expected those of the dataset, found others "
                            "that are whole: this shard is of another dataset",
                            printable_path(config_.dataset / patient.file)),
                "move it away, then repair again");
  }

  void give_up(Patient& patient, const std::string& why) {
    patient.damage.push_back(why);
    std::ranges::fill(patient.check.is_whole, std::uint8_t{0});
    patient.num_kept = 0;
  }

  void report(Patient& patient) {
    summary_.num_samples += patient.num_kept;
    if (patient.damage.empty()) return;
    const std::uint64_t num_there = patient.listed ? patient.listed->num_samples
                                    : patient.open ? patient.open->num_samples()
                                                   : 0;
    summary_.shards.push_back({.file = patient.file,
                               .split = patient.split,
                               .damage = patient.damage,
                               .num_kept = patient.num_kept,
                               .num_dropped = num_there - std::min(num_there, patient.num_kept),
                               .kept_as = {}});
    for (const SampleDamage& damage : patient.check.sample_damage) {
      summary_.dropped.push_back({.split = patient.split,
                                  .file = patient.file,
                                  .sample_idx = patient.first_sample_idx + damage.sample_idx,
                                  .name = patient.open->read_name(damage.sample_idx),
                                  .what = damage.what});
    }
    if (!patient.is_lost() && !patient.check.are_names_whole) {
      note(fmt::format("{}: names: no checksum vouches for them; they are left out", patient.file));
    }
  }

  // A shard may be whole and still not be what the manifest names.
  void decide_on_manifest() {
    summary_.is_manifest_new = !old_;
    for (const Patient& patient : patients_) {
      if (!patient.damage.empty()) summary_.is_manifest_new = true;
      if (!patient.damage.empty() || !patient.listed) continue;
      const bool is_the_one = patient.listed->uuid == patient.open->uuid() &&
                              patient.listed->size_bytes == patient.open->size_bytes() &&
                              patient.listed->num_samples == patient.open->num_samples() &&
                              patient.listed->header_xxh3 == patient.open->header_xxh3();
      if (is_the_one) continue;
      summary_.is_manifest_new = true;
      note(
          fmt::format("{}: whole, and not the one that dataset.json names; dataset.json follows it",
                      patient.file));
    }
    if (old_ && !summary_.is_manifest_new) compare_counts();
  }

  void compare_counts() {
    for (const ManifestSplit& split : old_->splits) {
      std::vector<std::uint64_t> counts(class_names_.size());
      for (const Patient& patient : patients_) {
        if (patient.split != split.name) continue;
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

  void mend() {
    std::uint64_t needed_bytes = 0;
    for (const Patient& patient : patients_) {
      if (patient.is_rewritten()) needed_bytes += patient.open->size_bytes();
    }
    convert::check_free_space(config_.dataset, needed_bytes);
    ManifestFacts facts{
        .class_names = class_names_, .splits = {}, .train_sums = {}, .conversion = {}};
    std::vector<fs::path> old_files;
    for (Patient& patient : patients_) mend(patient, facts, old_files);
    std::ranges::stable_sort(facts.splits, {}, [](const ManifestSplit& split) {
      // As conversion writes them; others behind.
      constexpr std::string_view kOrder[] = {"train", "validation", "test"};
      return std::ranges::find(kOrder, split.name) - std::begin(kOrder);
    });
    publish(facts);
    if (config_.old_files == OldFiles::kRemoved) {
      for (const fs::path& file : old_files) fs::remove(file);
    }
  }

  void mend(Patient& patient, ManifestFacts& facts, std::vector<fs::path>& old_files) {
    const fs::path path = config_.dataset / patient.file;
    if (patient.is_lost()) {
      if (fs::exists(path)) put_aside(patient.file, old_files);
      return;
    }
    ManifestSplit& split = split_of(facts, patient.split);
    if (!patient.is_rewritten()) {
      split.shards.push_back({.file = patient.file,
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
         .split = patient.split,
         .class_names = {class_names_.begin(), class_names_.begin() + num_classes},
         .is_kept = patient.check.is_whole,
         .names = patient.check.are_names_whole ? StoredNames::kKept : StoredNames::kLeftOut},
        stop_);
    put_aside(patient.file, old_files);
    publish_by_rename(repaired, path);
    shard.file = patient.file;
    split.shards.push_back(std::move(shard));
    progress_.done_bytes += patient.open->size_bytes();
    listener_(progress_);
  }

  static ManifestSplit& split_of(ManifestFacts& facts, const std::string& name) {
    const auto found = std::ranges::find(facts.splits, name, &ManifestSplit::name);
    if (found != facts.splits.end()) return *found;
    facts.splits.push_back({.name = name, .num_samples = 0, .num_by_class = {}, .shards = {}});
    return facts.splits.back();
  }

  // Gives a damaged file another name, one that no earlier repair has used.
  void put_aside(const std::string& file, std::vector<fs::path>& old_files) {
    std::string aside = file + ".damaged";
    for (int again = 1; fs::exists(config_.dataset / aside); ++again) {
      aside = fmt::format("{}.damaged.{}", file, again);
    }
    rename_file(config_.dataset / file, config_.dataset / aside);
    old_files.push_back(config_.dataset / aside);
    for (RepairedShard& shard : summary_.shards) {
      if (shard.file == file && config_.old_files == OldFiles::kKept) shard.kept_as = aside;
    }
  }

  void publish(ManifestFacts& facts) {
    if (old_) {
      facts.conversion = old_->conversion;
      facts.num_quarantined = old_->num_quarantined;
      facts.num_reencoded = old_->num_reencoded;
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
    }
    state_sums(facts);
    const Manifest manifest = rebuild_manifest(config_.dataset, facts);
    std::vector<fs::path> old_manifest;
    if (!old_ && fs::exists(config_.dataset / kManifestName))
      put_aside(kManifestName, old_manifest);
    write_manifest(config_.dataset, manifest);
    if (config_.old_files == OldFiles::kRemoved) {
      for (const fs::path& file : old_manifest) fs::remove(file);
    }
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
  std::vector<Patient> patients_;
  std::vector<std::string> class_names_;
  CheckProgress progress_;
  RepairSummary summary_;
};

}  // namespace

void RepairConfig::validate() const {
  check_decode_memory("repair", limits.memory_bytes);
}

RepairSummary repair_dataset(const RepairConfig& config, const CheckListener& listener,
                             const std::stop_token& stop) {
  config.validate();
  return Repair(config, listener, stop).run();
}

}  // namespace penstock::care
