#include "tools/care/remove_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/usable_cores.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/dataset_lock.h"
#include "tools/care/decode_check.h"
#include "tools/care/row_list.h"
#include "tools/care/shard_rewrite.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

class Removal {
 public:
  Removal(const RemoveConfig& config, const CheckListener& listener, std::stop_token stop)
      : config_(config), listener_(listener), stop_(std::move(stop)) {}

  RemoveSummary run() {
    const Dataset dataset = Dataset::open(config_.dataset);
    const DatasetLock lock(config_.dataset);
    old_ = read_manifest(config_.dataset);  // the one that is there now that nobody else changes it
    for (const std::string& name : config_.names) is_found_.emplace(name, false);
    facts_ = {.class_names = old_.class_names,
              .splits = {},
              .train_sums = {},
              .conversion = old_.conversion,
              .num_quarantined = old_.num_quarantined,
              .num_reencoded = old_.num_reencoded};
    if (old_.pixel_totals) facts_.train_sums = sums_of(*old_.pixel_totals);
    try {
      for (const ManifestSplit& split : old_.splits) take_out_of(split);
      if (config_.rows == NamedRows::kRemoved) prepare_lists();
      switch_manifest();
    } catch (...) {
      for (const fs::path& path : written_) fs::remove(path);
      throw;
    }
    for (const auto& list : lists_) list->publish();
    remove_old_shards();
    tell_rest();
    return std::move(summary_);
  }

 private:
  void take_out_of(const ManifestSplit& split) {
    ManifestSplit left{.name = split.name, .num_samples = 0, .num_by_class = {}, .shards = {}};
    ShardNumbers numbers(config_.dataset);
    for (const ManifestShard& shard : split.shards) {
      const fs::path path = config_.dataset / shard.file;
      const ShardFile open = ShardFile::open(path);
      const std::vector<std::string> names = open.read_names();
      has_names_ = has_names_ || !names.empty();
      std::vector<std::uint8_t> is_kept(open.num_samples(), 1);
      std::uint64_t num_going = 0;
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto found = is_found_.find(names[i]);
        if (found == is_found_.end()) continue;
        found->second = true;
        is_kept[i] = 0;
        ++num_going;
      }
      if (num_going == 0) {
        left.shards.push_back(shard);
        continue;
      }
      rewrite(split, shard, std::move(is_kept), numbers, left);
      summary_.num_removed += num_going;
      summary_.rewritten_shards.push_back(shard.file);
    }
    facts_.splits.push_back(std::move(left));
  }

  void rewrite(const ManifestSplit& split, const ManifestShard& shard,
               std::vector<std::uint8_t> is_kept, ShardNumbers& numbers, ManifestSplit& left) {
    std::vector<std::string> damage;
    const CareShard from = CareShard::open(config_.dataset / shard.file, damage);
    if (split.name == "train" && facts_.train_sums) take_off_sums(from, is_kept);
    if (std::ranges::count(is_kept, std::uint8_t{1}) == 0) return;  // nothing of it is left
    convert::check_free_space(config_.dataset, shard.size_bytes);
    const fs::path path = config_.dataset / numbers.next(split.name);
    written_.push_back(path);
    try {
      left.shards.push_back(rewrite_shard({.from = &from,
                                           .to = path,
                                           .split = split.name,
                                           .class_names = from.read_class_names(),
                                           .is_kept = std::move(is_kept)},
                                          stop_));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData) throw;
      refuse_damaged(error);
    }
    progress_.done_bytes += shard.size_bytes;
    listener_(progress_);
  }

  [[noreturn]] void refuse_damaged(const Error& error) const {
    throw Error(
        ErrorCode::kCorruptData, error.what(),
        "penstock repair " + shell_quoted(config_.dataset.native()) + ", then remove again");
  }

  // What goes is decoded, by the decoder that made the sums.
  void take_off_sums(const CareShard& from, const std::vector<std::uint8_t>& is_kept) {
    ShardCheck going;
    for (const std::uint8_t kept : is_kept) going.is_whole.push_back(kept == 0 ? 1 : 0);
    const auto num_going = std::ranges::count(going.is_whole, std::uint8_t{1});
    const DecodeItem item{.shard = &from, .check = &going};
    const unsigned num_threads =
        config_.limits.num_jobs == 0 ? num_usable_cores() : config_.limits.num_jobs;
    std::vector<convert::PixelSums> by_thread(num_threads);
    const std::uint64_t num_decoded = decode_samples(
        {&item, 1}, {.num_threads = num_threads, .memory_bytes = config_.limits.memory_bytes},
        [](std::uint64_t) {}, stop_,
        [&](unsigned thread_idx, const DecodeItem&, std::uint64_t, const ImageView& picture) {
          by_thread[thread_idx].add(picture);
        });
    if (num_decoded != static_cast<std::uint64_t>(num_going)) {
      facts_.train_sums.reset();  // made anew from what is left
      return;
    }
    for (const convert::PixelSums& sums : by_thread) subtract(*facts_.train_sums, sums);
  }

  // Before the manifest, so that a full disk leaves all as it was; published after it.
  void prepare_lists() {
    for (const std::string& name : config_.names) {
      listed_.insert(listed_name(name));
      listed_details_.insert(listed_name("the same bytes as " + name));
    }
    prepare(convert::kQuarantineName, convert::kQuarantineHeader, 0);
    prepare(convert::kFixedName, convert::kQuarantineHeader, 0);
    prepare(convert::kDuplicatesName, convert::kDuplicatesHeader, 5);
  }

  // Names stand in the first field and in `other_idx`.
  void prepare(const char* file, std::string_view header, std::size_t other_idx) {
    const fs::path path = config_.dataset / file;
    const bool is_quarantine = std::string_view(file) == convert::kQuarantineName;
    if (!fs::exists(path)) return;
    auto list = std::make_unique<RowListWriter>(path, header);
    std::uint64_t num_going = 0;
    bool has_changed = false;
    for_each_row(path, [&](std::string_view row) {
      const std::vector<std::string_view> fields = stored_fields(row);
      const auto is_named = [&](std::size_t idx) {
        return idx < fields.size() && listed_.contains(std::string(fields[idx]));
      };
      if (is_named(0) || is_named(other_idx)) {
        ++num_going;
      } else if (is_quarantine && tells_of_copy(fields)) {
        list->add(fmt::format("{},{},{},", fields[0], fields[1], fields[2]));
        has_changed = true;
      } else {
        list->add(row);
      }
    });
    if (num_going == 0 && !has_changed) return;
    summary_.num_rows_removed += num_going;
    if (is_quarantine) facts_.num_quarantined -= std::min(facts_.num_quarantined, num_going);
    lists_.push_back(std::move(list));
  }

  // A copy that was left out: why it was stays, of what it was a copy goes.
  bool tells_of_copy(const std::vector<std::string_view>& fields) const {
    if (fields.size() != 4 || !fields[1].starts_with("duplicate_")) return false;
    return listed_details_.contains(std::string(fields[3]));
  }

  void switch_manifest() {
    if (!has_names_) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("remove: {}: expected a dataset that keeps names, found one without",
                              printable_path(config_.dataset)),
                  "it was converted with --no-names: convert again from a source without them");
    }
    if (summary_.num_removed == 0) {
      if (facts_.num_quarantined == old_.num_quarantined) return;
      Manifest manifest = old_;
      manifest.num_quarantined = facts_.num_quarantined;
      write_manifest(config_.dataset, manifest);
      return;
    }
    const bool is_anything_left = std::ranges::any_of(
        facts_.splits, [](const ManifestSplit& split) { return !split.shards.empty(); });
    if (!is_anything_left) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("remove: {}: expected that a sample is left, found that none would be",
                      printable_path(config_.dataset)),
          "rm -r " + shell_quoted(config_.dataset.native()));
    }
    std::erase_if(facts_.splits, [](const ManifestSplit& split) { return split.shards.empty(); });
    if (!facts_.train_sums && !old_.mean.empty()) sum_what_is_left();
    const Manifest manifest = rebuild_manifest(config_.dataset, facts_);
    sync_folder(config_.dataset);
    write_manifest(config_.dataset, manifest);
    summary_.are_source_bytes_lost = old_.sample_bytes.has_value();
    written_.clear();  // they are part of the dataset now
    for (const ManifestSplit& split : manifest.splits) summary_.num_samples += split.num_samples;
  }

  void sum_what_is_left() {
    const auto train = std::ranges::find(facts_.splits, "train", &ManifestSplit::name);
    if (train == facts_.splits.end()) return;
    facts_.train_sums = sum_pixels(config_.dataset, *train, config_.limits, listener_, stop_);
  }

  void remove_old_shards() {
    for (const std::string& file : summary_.rewritten_shards) fs::remove(config_.dataset / file);
    if (!summary_.rewritten_shards.empty()) sync_folder(config_.dataset);
  }

  void tell_rest() {
    for (const std::string& name : config_.names) {
      if (!is_found_.at(name)) summary_.not_found.push_back(name);
    }
    if (summary_.num_removed == 0) {
      for (const ManifestSplit& split : old_.splits) summary_.num_samples += split.num_samples;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(config_.dataset)) {
      const std::string name = entry.path().filename().string();
      if (name.find(".damaged") != std::string::npos) summary_.other_files.push_back(name);
    }
    std::ranges::sort(summary_.other_files);
  }

  const RemoveConfig& config_;
  const CheckListener& listener_;
  const std::stop_token stop_;
  Manifest old_;
  ManifestFacts facts_;
  std::unordered_map<std::string, bool> is_found_;
  std::unordered_set<std::string> listed_;          // the names, as lists write them
  std::unordered_set<std::string> listed_details_;  // what quarantine.csv says of their copies
  std::vector<std::unique_ptr<RowListWriter>> lists_;
  bool has_names_ = false;
  std::vector<fs::path> written_;  // new shards that no manifest names yet
  CheckProgress progress_;
  RemoveSummary summary_;
};

}  // namespace

std::vector<std::string> read_name_list(const fs::path& file) {
  if (!fs::is_regular_file(file)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("list: {}: expected a file, found none", printable_path(file)),
                "check the path");
  }
  const std::string text = read_text_file(file);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string name = text.substr(at, end - at);
    if (!name.empty() && name.back() == '\r') name.pop_back();
    if (!name.empty()) names.push_back(std::move(name));
    at = end + 1;
  }
  if (names.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("list: {}: expected names, one a line, found none", printable_path(file)),
        "names are as penstock inspect --sample shows them");
  }
  return names;
}

RemoveSummary remove_samples(const RemoveConfig& config, const CheckListener& listener,
                             const std::stop_token& stop) {
  return Removal(config, listener, stop).run();
}

}  // namespace penstock::care
