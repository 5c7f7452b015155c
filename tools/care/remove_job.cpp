#include "tools/care/remove_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/usable_cores.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_change.h"
#include "tools/care/decode_check.h"
#include "tools/care/named_rows.h"
#include "tools/care/other_files.h"
#include "tools/care/shard_numbers.h"
#include "tools/care/shard_rewrite.h"
#include "tools/convert/write/folder_lock.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// A shard of which samples go.
struct ConcernedShard {
  const ManifestSplit* split = nullptr;
  const ManifestShard* shard = nullptr;
  std::vector<std::pair<std::uint64_t, std::string>> going;  // sample_idx and name
  std::string new_file;                                      // empty: nothing of it is left
};

class Removal {
 public:
  Removal(const RemoveConfig& config, const CheckListener& listener, std::stop_token stop)
      : config_(config), listener_(listener), stop_(std::move(stop)), requests_(config.names) {}

  RemoveSummary run() {
    const Dataset dataset = Dataset::open(config_.dataset);
    const convert::DatasetLock lock(config_.dataset);
    const std::optional<SettledChange> before = settle_change(config_.dataset);
    old_ = read_manifest(config_.dataset);  // the one that is there now that nobody else changes it
    look_at_names();
    if (before && before->is_done) count_gone(before->plan);
    choose();
    if (config_.rows == NamedRows::kRemoved) rows_.emplace(config_.dataset, requests_);
    if (!concerned_.empty() || (rows_ && rows_->has_changes())) {
      lock.check_in_place();
      change();
    }
    tell_rest();
    return std::move(summary_);
  }

 private:
  // Of a removal that was published and did not get to its end.
  void count_gone(const ChangePlan& plan) {
    summary_.num_removed_before = plan.num_removed;
    for (const std::string& name : plan.removed_names) requests_.note_gone(name);
  }

  void look_at_names() {
    bool has_names = false;
    for (const ManifestSplit& split : old_.splits) {
      for (const ManifestShard& shard : split.shards) {
        std::vector<std::string> names = ShardFile::open(config_.dataset / shard.file).read_names();
        has_names = has_names || !names.empty();
        ConcernedShard concerned{.split = &split, .shard = &shard, .going = {}, .new_file = {}};
        for (std::uint64_t i = 0; i < names.size(); ++i) {
          if (requests_.may_take(names[i])) concerned.going.emplace_back(i, std::move(names[i]));
        }
        if (!concerned.going.empty()) concerned_.push_back(std::move(concerned));
      }
    }
    if (has_names) return;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("remove: {}: expected a dataset that keeps names, found one without",
                            printable_path(config_.dataset)),
                "it was converted with --no-names: convert again from a source without them");
  }

  // What goes, now that all names are known, and what the shards will be called that take its place.
  void choose() {
    std::uint64_t num_left = 0;
    for (const ManifestSplit& split : old_.splits) num_left += split.num_samples;
    ShardNumbers numbers(config_.dataset);
    for (ConcernedShard& concerned : concerned_) {
      std::erase_if(concerned.going,
                    [this](const auto& one) { return !requests_.takes(one.second); });
      num_left -= concerned.going.size();
      summary_.num_removed += concerned.going.size();
      if (concerned.going.empty()) continue;
      summary_.rewritten_shards.push_back(concerned.shard->file);
      if (concerned.going.size() == concerned.shard->num_samples) continue;
      concerned.new_file = numbers.next(concerned.split->name);
    }
    std::erase_if(concerned_, [](const ConcernedShard& shard) { return shard.going.empty(); });
    if (num_left > 0) return;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("remove: {}: expected that a sample is left, found that none would be",
                            printable_path(config_.dataset)),
                "rm -r " + shell_quoted(config_.dataset.native()));
  }

  void change() {
    ChangePlan plan{.kind = ChangeKind::kRemove,
                    .old_shards = summary_.rewritten_shards,
                    .removed_names = requests_.met(),
                    .num_removed = summary_.num_removed};
    for (const ConcernedShard& concerned : concerned_) {
      if (!concerned.new_file.empty()) plan.new_shards.push_back(concerned.new_file);
    }
    DatasetChange change(config_.dataset, std::move(plan));
    Manifest manifest = concerned_.empty() ? old_ : manifest_without();
    if (rows_) {
      rows_->publish();
      summary_.num_rows_removed = rows_->num_removed();
      if (manifest.num_quarantined) {
        *manifest.num_quarantined -=
            std::min(*manifest.num_quarantined, rows_->num_quarantine_rows());
      }
      rows_.reset();  // with its temporary files, while the change has its record
    }
    sync_folder(config_.dataset);
    change.publish(manifest);
  }

  // Writes the shards concerned anew.
  Manifest manifest_without() {
    facts_ = {.class_names = old_.class_names,
              .splits = {},
              .train_sums = {},
              .conversion = old_.conversion,
              .num_quarantined = old_.num_quarantined,
              .num_reencoded = old_.num_reencoded};
    if (old_.pixel_totals) facts_.train_sums = sums_of(*old_.pixel_totals);
    start_ = std::chrono::steady_clock::now();
    for (const ConcernedShard& concerned : concerned_) {
      if (!concerned.new_file.empty()) progress_.total_bytes += concerned.shard->size_bytes;
    }
    auto next = concerned_.begin();
    for (const ManifestSplit& split : old_.splits) {
      ManifestSplit left{.name = split.name, .num_samples = 0, .num_by_class = {}, .shards = {}};
      for (const ManifestShard& shard : split.shards) {
        if (next == concerned_.end() || next->shard != &shard) {
          left.shards.push_back(shard);
        } else {
          rewrite(*next++, left);
        }
      }
      if (left.shards.empty()) {
        summary_.emptied_splits.push_back(split.name);
      } else {
        facts_.splits.push_back(std::move(left));
      }
    }
    if (!facts_.train_sums && !old_.mean.empty()) sum_what_is_left();
    summary_.are_source_bytes_lost = old_.sample_bytes.has_value();
    return rebuild_manifest(config_.dataset, facts_);
  }

  void rewrite(const ConcernedShard& concerned, ManifestSplit& left) {
    std::vector<std::string> damage;
    const CareShard from = CareShard::open(config_.dataset / concerned.shard->file, damage);
    std::vector<std::uint8_t> is_kept(from.num_samples(), 1);
    for (const auto& [sample_idx, name] : concerned.going) is_kept[sample_idx] = 0;
    if (left.name == "train" && facts_.train_sums) take_off_sums(from, is_kept);
    if (concerned.new_file.empty()) return;
    convert::check_room_in(config_.dataset, concerned.shard->size_bytes,
                           "free some there, then the same command again");
    try {
      left.shards.push_back(rewrite_shard({.from = &from,
                                           .to = config_.dataset / concerned.new_file,
                                           .split = left.name,
                                           .class_names = from.read_class_names(),
                                           .is_kept = std::move(is_kept)},
                                          stop_));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData) throw;
      refuse_damaged(error);
    }
    progress_.done_bytes += concerned.shard->size_bytes;
    progress_.elapsed = std::chrono::steady_clock::now() - start_;
    listener_(progress_);
  }

  [[noreturn]] void refuse_damaged(const Error& error) const {
    throw Error(
        ErrorCode::kCorruptData, error.what(),
        "penstock repair " + shell_quoted(config_.dataset.native()) + ", then remove again");
  }

  // What goes is decoded, by the decoder that made the sums.
  void take_off_sums(const CareShard& from, const std::vector<std::uint8_t>& is_kept) {
    std::vector<std::uint8_t> is_going;
    for (const std::uint8_t kept : is_kept) is_going.push_back(kept == 0 ? 1 : 0);
    const auto num_going = std::ranges::count(is_going, std::uint8_t{1});
    const DecodeItem item{.shard = &from, .is_wanted = is_going};
    const unsigned num_threads =
        config_.limits.num_jobs == 0 ? num_usable_cores() : config_.limits.num_jobs;
    convert::PixelSums sums;
    const std::uint64_t num_decoded = decode_samples(
        {&item, 1}, {.num_threads = num_threads, .memory_bytes = config_.limits.memory_bytes},
        [](std::uint64_t) {}, stop_, &sums);
    if (num_decoded != static_cast<std::uint64_t>(num_going)) {
      facts_.train_sums.reset();  // made anew from what is left
      return;
    }
    subtract(*facts_.train_sums, sums);
  }

  void sum_what_is_left() {
    const auto train = std::ranges::find(facts_.splits, "train", &ManifestSplit::name);
    if (train == facts_.splits.end()) return;
    facts_.train_sums = sum_pixels(config_.dataset, *train, config_.limits, listener_, stop_);
  }

  void tell_rest() {
    summary_.not_found = requests_.not_met();
    const Manifest manifest = read_manifest(config_.dataset);
    for (const ManifestSplit& split : manifest.splits) summary_.num_samples += split.num_samples;
    summary_.other_files =
        find_other_files(config_.dataset, manifest,
                         [this](const std::string& name) { return requests_.is_named(name); });
  }

  const RemoveConfig& config_;
  const CheckListener& listener_;
  const std::stop_token stop_;
  Manifest old_;
  NameRequests requests_;
  std::vector<ConcernedShard> concerned_;  // in the order of the manifest
  std::optional<RowRemoval> rows_;
  ManifestFacts facts_;
  std::chrono::steady_clock::time_point start_;  // of what progress is of
  CheckProgress progress_;
  RemoveSummary summary_;
};

}  // namespace

void RemoveConfig::validate() const {
  check_decode_memory("remove", limits.memory_bytes);
}

RemoveSummary remove_samples(const RemoveConfig& config, const CheckListener& listener,
                             const std::stop_token& stop) {
  config.validate();
  return Removal(config, listener, stop).run();
}

}  // namespace penstock::care
