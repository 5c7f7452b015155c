#include "tools/care/repair_treatment.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/file.h"
#include "streamer/shard/manifest.h"
#include "tools/care/file_exchange.h"
#include "tools/care/manifest_rebuild.h"
#include "tools/care/shard_rewrite.h"
#include "tools/convert/write/partial_folder.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

class Treatment {
 public:
  Treatment(const RepairConfig& config, RepairDiagnosis& diagnosis, const CheckListener& listener,
            const std::stop_token& stop, RepairSummary& summary)
      : config_(config),
        diagnosis_(diagnosis),
        old_manifest_(diagnosis.old_manifest),
        listener_(listener),
        stop_(stop),
        summary_(summary) {}

  void run() {
    for (const Patient& patient : diagnosis_.patients) {
      if (patient.is_rewritten()) progress_.total_bytes += patient.open->size_bytes();
    }
    convert::check_room_in(config_.dataset, progress_.total_bytes,
                           "free some there, then the same command again");
    give_names_back();
    if (!summary_.is_manifest_new) return;  // names were all that was wrong
    ManifestFacts facts{
        .class_names = diagnosis_.class_names, .splits = {}, .train_sums = {}, .conversion = {}};
    start_ = std::chrono::steady_clock::now();
    for (Patient& patient : diagnosis_.patients) mend(patient, facts);
    std::ranges::stable_sort(facts.splits, {}, [](const ManifestSplit& split) {
      // As conversion writes them; others behind.
      constexpr std::string_view kOrder[] = {"train", "validation", "test"};
      return std::ranges::find(kOrder, split.name) - std::begin(kOrder);
    });
    publish(facts);
  }

 private:
  void give_names_back() {
    std::vector<ShardPlace> places;
    for (const Patient& patient : diagnosis_.patients) places.push_back(patient.place);
    take_places(config_.dataset, places,
                config_.old_files == OldFiles::kKept ? InTheWay::kPutAside : InTheWay::kRemoved);
    for (std::size_t i = 0; i < places.size(); ++i)
      diagnosis_.patients[i].place = std::move(places[i]);
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
         .class_names = {diagnosis_.class_names.begin(),
                         diagnosis_.class_names.begin() + num_classes},
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
    if (old_manifest_) {
      facts.conversion = old_manifest_->conversion;
      facts.num_quarantined = old_manifest_->num_quarantined;
      facts.num_reencoded = old_manifest_->num_reencoded;
    } else {
      facts.num_quarantined = diagnosis_.num_quarantined;
    }
    const auto is_as_it_was = [this](const ManifestSplit& split) {
      return is_split_as_it_was(split);
    };
    // What a file took is not known of one sample alone.
    if (old_manifest_ && facts.splits.size() == old_manifest_->splits.size() &&
        std::ranges::all_of(facts.splits, is_as_it_was)) {
      if (old_manifest_->sample_bytes)
        facts.source_bytes = old_manifest_->sample_bytes->source_bytes;
      facts.duplicates = old_manifest_->duplicates;
      facts.near_duplicates = old_manifest_->near_duplicates;
    } else if (old_manifest_) {
      tell_lost_counts(*old_manifest_, summary_);
    }
    state_sums(facts);
    const Manifest manifest = rebuild_manifest(config_.dataset, facts);
    const fs::path manifest_path = config_.dataset / kManifestName;
    if (!old_manifest_ && config_.old_files == OldFiles::kKept && fs::exists(manifest_path)) {
      keep_as_damaged(manifest_path);
    }
    write_manifest(config_.dataset, manifest);
  }

  // The old ones hold as long as the same pixels are there.
  void state_sums(ManifestFacts& facts) {
    const auto train = std::ranges::find(facts.splits, "train", &ManifestSplit::name);
    if (train == facts.splits.end() || (old_manifest_ && old_manifest_->mean.empty())) return;
    if (old_manifest_ && old_manifest_->pixel_totals && is_split_as_it_was(*train)) {
      facts.train_sums = sums_of(*old_manifest_->pixel_totals);
      return;
    }
    facts.train_sums = sum_pixels(config_.dataset, *train, config_.limits, listener_, stop_);
    summary_.notes.emplace_back("statistics: made anew by decoding the training split");
  }

  // The uuid of a shard stands for its samples, and a repaired one has it again when none was dropped.
  bool is_split_as_it_was(const ManifestSplit& split) const {
    const ManifestSplit* const before = old_manifest_->find_split(split.name);
    return before != nullptr && std::ranges::equal(before->shards, split.shards, {},
                                                   &ManifestShard::uuid, &ManifestShard::uuid);
  }

  const RepairConfig& config_;
  RepairDiagnosis& diagnosis_;
  const std::optional<Manifest>& old_manifest_;
  const CheckListener& listener_;
  const std::stop_token& stop_;
  RepairSummary& summary_;
  std::chrono::steady_clock::time_point start_;  // of what progress is of
  CheckProgress progress_;
};

}  // namespace

void treat(const RepairConfig& config, RepairDiagnosis& diagnosis, const CheckListener& listener,
           const std::stop_token& stop, RepairSummary& summary) {
  Treatment(config, diagnosis, listener, stop, summary).run();
}

}  // namespace penstock::care
