#include "tools/care/repair_diagnosis.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "tools/care/row_list.h"
#include "tools/convert/quarantine.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// Facts that no shard tells.
constexpr const char* kSourceBytes = "how many bytes the files of the source took";
constexpr const char* kCopies = "how many samples are copies";

class Diagnostician {
 public:
  Diagnostician(const RepairConfig& config, const std::stop_token& stop, RepairSummary& summary)
      : config_(config), stop_(stop), summary_(summary) {}

  RepairDiagnosis run() {
    read_old_manifest();
    examine_all();
    agree_on_classes();
    for (const Patient& patient : diagnosis_.patients) report(patient);
    find_emptied_splits();
    decide_on_manifest();
    return std::move(diagnosis_);
  }

 private:
  void note(std::string text) { summary_.notes.push_back(std::move(text)); }

  void read_old_manifest() {
    try {
      diagnosis_.old_manifest = read_manifest(config_.dataset);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kNotFound) throw;
      note(error.code() == ErrorCode::kNotFound
               ? "dataset.json: expected one, found none; it is made anew from the shards"
               : fmt::format("{}; it is made anew from the shards", error.what()));
      count_quarantined();
      // Shards do not say these.
      summary_.lost_facts = {
          "the settings of the conversion (add takes the defaults)", kSourceBytes, kCopies,
          diagnosis_.num_quarantined ? "how many files were re-encoded"
                                     : "how many files were quarantined, and how many re-encoded"};
    }
  }

  // A list that is not there says nothing: it may be lost as dataset.json is.
  void count_quarantined() {
    const fs::path list = config_.dataset / convert::kQuarantineName;
    if (!fs::exists(list)) return;
    diagnosis_.num_quarantined = 0;
    for_each_row(list, [this](std::string_view) { ++*diagnosis_.num_quarantined; });
  }

  void examine_all() {
    ShardPlaces found = diagnosis_.old_manifest
                            ? find_places(config_.dataset, *diagnosis_.old_manifest)
                            : list_places(config_.dataset);
    if (found.places.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("repair: {}: expected dataset.json or shards, found neither",
                              printable_path(config_.dataset)),
                  "check the path");
    }
    for (std::string& text : found.notes) note(std::move(text));
    for (ShardPlace& place : found.places) {
      diagnosis_.patients.push_back(examine(std::move(place), config_.dataset, stop_));
    }
    if (!diagnosis_.old_manifest) {
      for (std::string& text : leave_out_copies(diagnosis_.patients)) note(std::move(text));
    }
    for (const Patient& patient : diagnosis_.patients) {
      if (patient.place.has_its_name()) continue;
      summary_.renamed.push_back({.from = patient.place.found_as, .to = patient.place.file});
    }
  }

  // Whose class names to believe: the manifest's; else those of the shards, which must agree.
  void agree_on_classes() {
    if (diagnosis_.old_manifest) {
      diagnosis_.class_names = diagnosis_.old_manifest->class_names;
    } else {
      for (const bool must_hold : {true, false}) {
        for (const Patient& patient : diagnosis_.patients) {
          if (patient.class_names.size() > diagnosis_.class_names.size() && !patient.is_lost() &&
              (patient.check.are_class_names_whole || !must_hold)) {
            diagnosis_.class_names = patient.class_names;
          }
        }
        if (!diagnosis_.class_names.empty()) break;
        note("class names: no checksum vouches for them");
      }
    }
    for (Patient& patient : diagnosis_.patients) {
      if (patient.is_lost()) continue;
      const std::vector<std::string>& own = patient.class_names;
      const bool agree = own.size() <= diagnosis_.class_names.size() &&
                         std::equal(own.begin(), own.end(), diagnosis_.class_names.begin()) &&
                         !own.empty();
      if (agree) continue;
      if (!own.empty() && patient.check.are_class_names_whole) refuse_other_classes(patient);
      if (patient.open->num_classes() > diagnosis_.class_names.size()) {
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

  void report(const Patient& patient) {
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
    for (const Patient& patient : diagnosis_.patients) {
      if (!patient.is_lost()) left.insert(patient.place.split);
    }
    std::set<std::string> emptied;
    for (const Patient& patient : diagnosis_.patients) {
      const std::string& split = patient.place.split;
      if (!split.empty() && !left.contains(split)) emptied.insert(split);
    }
    summary_.emptied_splits.assign(emptied.begin(), emptied.end());
  }

  // A shard may be whole and still not be what the manifest names.
  void decide_on_manifest() {
    summary_.is_manifest_new = !diagnosis_.old_manifest;
    for (const Patient& patient : diagnosis_.patients) {
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
    if (diagnosis_.old_manifest && !summary_.is_manifest_new) compare_counts();
    if (diagnosis_.old_manifest && config_.mode == RepairMode::kDryRun &&
        summary_.num_dropped() > 0) {
      tell_lost_counts(*diagnosis_.old_manifest, summary_);
    }
  }

  void compare_counts() {
    for (const ManifestSplit& split : diagnosis_.old_manifest->splits) {
      std::vector<std::uint64_t> counts(diagnosis_.class_names.size());
      for (const Patient& patient : diagnosis_.patients) {
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

  const RepairConfig& config_;
  const std::stop_token& stop_;
  RepairSummary& summary_;
  RepairDiagnosis diagnosis_;
};

}  // namespace

RepairDiagnosis diagnose(const RepairConfig& config, const std::stop_token& stop,
                         RepairSummary& summary) {
  return Diagnostician(config, stop, summary).run();
}

void tell_lost_counts(const Manifest& old_manifest, RepairSummary& summary) {
  if (old_manifest.sample_bytes) summary.lost_facts.emplace_back(kSourceBytes);
  if (old_manifest.duplicates || old_manifest.near_duplicates)
    summary.lost_facts.emplace_back(kCopies);
}

}  // namespace penstock::care
