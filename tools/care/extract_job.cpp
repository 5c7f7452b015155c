#include "tools/care/extract_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <system_error>

#include "streamer/core/batch.h"
#include "streamer/core/csv_field.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/usable_cores.h"
#include "streamer/shard/dataset.h"
#include "tools/care/dataset_change.h"
#include "tools/care/extracted_name.h"
#include "tools/care/output_folder.h"
#include "tools/care/parallel_items.h"
#include "tools/care/sample_file.h"
#include "tools/convert/write/partial_folder.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLabelsName = "labels.csv";

// One sample of the shard at hand, and the file it becomes.
struct Extraction {
  IndexRecord record;
  std::uint64_t sample_idx = 0;  // within the split
  std::string name;              // as stored
  std::string file;              // within the folder
  bool has_its_name = false;     // the file: name, or name and extension
};

class Extractor {
 public:
  Extractor(const ExtractConfig& config, const CheckListener& listener, std::stop_token stop)
      : config_(config), listener_(listener), stop_(std::move(stop)) {}

  ExtractSummary run() {
    const Dataset dataset = Dataset::open(config_.dataset);
    manifest_ = &dataset.manifest();
    const std::vector<const ManifestSplit*> splits = chosen_splits(dataset);
    check_apart();
    OutputFolder folder(config_.folder);
    folder_ = folder.path();
    check_space(splits);
    has_files_.assign(manifest_->class_names.size(), false);
    names_.take(kLabelsName);
    for (const ManifestSplit* split : splits) {
      std::uint64_t first = 0;
      for (const ManifestShard& shard : split->shards) {
        extract_shard(*split, shard, first);
        first += shard.num_samples;
      }
    }
    if (summary_.num_lost > 0) check_not_changed(config_.dataset, *manifest_);
    if (summary_.num_files == 0) refuse_nothing();
    write_labels();
    keep_empty_classes(splits.front()->name);
    folder.publish();
    summary_.written_bytes = written_bytes_;
    summary_.elapsed = std::chrono::steady_clock::now() - start_;
    return std::move(summary_);
  }

 private:
  void check_apart() const {
    if (!tools::lies_within(config_.folder, config_.dataset)) return;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("folder: {}: expected a place outside of {}, found one inside",
                    tools::printable_path(config_.folder), tools::printable_path(config_.dataset)),
        "name a FOLDER beside DATASET");
  }

  std::vector<const ManifestSplit*> chosen_splits(const Dataset& dataset) const {
    std::vector<const ManifestSplit*> splits;
    if (!config_.split.empty()) static_cast<void>(find_split(dataset));
    for (const ManifestSplit& split : manifest_->splits) {
      if (config_.split.empty() || split.name == config_.split) splits.push_back(&split);
    }
    return splits;
  }

  const ManifestSplit& find_split(const Dataset& dataset) const {
    if (const ManifestSplit* const found = dataset.manifest().find_split(config_.split)) {
      return *found;
    }
    std::string there;
    for (const ManifestSplit& split : manifest_->splits) {
      there += (there.empty() ? "" : ", ") + split.name;
    }
    throw Error(ErrorCode::kNotFound,
                fmt::format("dataset: {}: expected a split \"{}\", found {}",
                            tools::printable_path(config_.dataset), config_.split, there),
                "take one of these, or leave --split out for all");
  }

  // A file takes whole blocks of the file system: 4 KiB, as most have.
  void check_space(const std::vector<const ManifestSplit*>& splits) {
    constexpr std::uint64_t kBlockBytes = 4096;
    std::uint64_t needed_bytes = 0;
    for (const ManifestSplit* split : splits) {
      for (const ManifestShard& shard : split->shards) progress_.total_bytes += shard.size_bytes;
      needed_bytes += split->num_samples * kBlockBytes;
    }
    convert::check_room_in(tools::folder_around(config_.folder),
                           needed_bytes + progress_.total_bytes,
                           "free some, or name a FOLDER on another disk");
  }

  void extract_shard(const ManifestSplit& split, const ManifestShard& listed, std::uint64_t first) {
    tell();
    std::vector<std::string> ignored;  // what is wrong with a shard that can still be read
    std::optional<CareShard> shard;
    try {
      shard.emplace(CareShard::open(config_.dataset / listed.file, ignored));
    } catch (const Error& error) {
      summary_.damage.push_back(
          {.split = split.name, .file = listed.file, .name = {}, .what = error.what()});
      summary_.num_lost += listed.num_samples;
      return;
    }
    ShardCheck check = check_shard(*shard, {.stop = stop_, .done_bytes = nullptr});
    summary_.num_lost += check.sample_damage.size();
    for (SampleDamage& damage : check.sample_damage) {
      summary_.damage.push_back({.split = split.name,
                                 .file = listed.file,
                                 .sample_idx = first + damage.sample_idx,
                                 .name = shard->read_name(damage.sample_idx),
                                 .what = std::move(damage.what)});
    }
    write_samples(split, *shard, plan(split, *shard, check, first));
  }

  // Names are given in the order of samples, so that they do not depend on threads.
  std::vector<Extraction> plan(const ManifestSplit& split, const CareShard& shard,
                               const ShardCheck& check, std::uint64_t first) {
    std::vector<Extraction> plan;
    for (std::uint64_t page = 0; page < shard.num_index_pages(); ++page) {
      std::uint64_t ignored = 0;
      const std::vector<IndexRecord> records = shard.read_index_page(page, ignored);
      for (std::size_t i = 0; i < records.size(); ++i) {
        const std::uint64_t idx = page * kRecordsPerPage + i;
        if (check.is_whole[idx] == 0) continue;
        Extraction one{.record = records[i],
                       .sample_idx = first + idx,
                       .name = {},
                       .file = {},
                       .has_its_name = false};
        if (check.are_names_whole) one.name = shard.read_name(idx);
        try {
          choose_name(one, split);
        } catch (const Error& error) {
          add_damage(split.name, shard, one, error.what());
          continue;
        }
        plan.push_back(std::move(one));
      }
    }
    return plan;
  }

  bool has_split_folders() const {
    const auto layout = manifest_->conversion.find("layout");
    return layout != manifest_->conversion.end() && layout->second == "split_folders";
  }

  void choose_name(Extraction& one, const ManifestSplit& split) {
    const std::string_view extension = sample_extension(one.record);
    one.file = one.name;
    if (is_raw(one) && !fits_name(one.file, extension)) one.file += extension;
    one.has_its_name = !one.name.empty() && is_safe_name(one.file) && names_.take(one.file);
    if (one.has_its_name) return;
    const bool is_labelled = one.record.class_idx != kUnlabelled;
    const SampleIdentity identity{
        .split = split.name,
        .class_name =
            is_labelled ? std::string_view(manifest_->class_names.at(one.record.class_idx)) : "",
        .class_idx = one.record.class_idx,
        .sample_idx = one.sample_idx,
        .extension = extension};
    const bool by_split = one.name.empty() || has_split_folders();
    one.file = numbered_name(identity,
                             by_split ? NumberedForm::kSplitFolders : NumberedForm::kClassFolders);
    for (int again = 1; !names_.take(one.file); ++again) {
      one.file = fmt::format("{}.{}", one.file, again);
    }
  }

  static bool is_raw(const Extraction& one) {
    return static_cast<Codec>(one.record.codec) == Codec::kRaw;
  }

  // Of a file that is there.
  void count(const Extraction& one, const std::string& split) {
    ++summary_.num_files;
    if (one.name.empty()) {
      ++summary_.num_unnamed;
    } else if (!one.has_its_name) {
      summary_.renamed.push_back({.name = one.name, .file = one.file});
    } else if (!is_raw(one) && !fits_name(one.file, sample_extension(one.record))) {
      ++summary_.num_other_format;
    }
    add_label(one, split);
  }

  void add_damage(const std::string& split, const CareShard& shard, const Extraction& one,
                  const std::string& what) {
    ++summary_.num_lost;
    summary_.damage.push_back({.split = split,
                               .file = shard.path().filename().native(),
                               .sample_idx = one.sample_idx,
                               .name = one.name,
                               .what = what});
  }

  void add_label(const Extraction& one, const std::string& split) {
    const bool is_labelled = one.record.class_idx != kUnlabelled;
    if (is_labelled) has_files_[one.record.class_idx] = true;
    const std::string label =
        is_labelled ? manifest_->class_names.at(one.record.class_idx) : std::string();
    if (!is_labelled || !names_class(one.file, label)) summary_.has_labels_file = true;
    labels_ += csv_field(one.file) + ',' + csv_field(label) + ',' + csv_field(split) + '\n';
  }

  void write_samples(const ManifestSplit& split, const CareShard& shard,
                     const std::vector<Extraction>& plan) {
    std::vector<std::string> failed(plan.size());
    run_items(
        {.num_items = plan.size(),
         .num_threads = config_.num_jobs == 0 ? num_usable_cores() : config_.num_jobs},
        [&](unsigned, std::size_t i) { failed[i] = write_sample(shard, plan[i]); },
        [this] { tell(); });
    for (std::size_t i = 0; i < plan.size(); ++i) {
      if (failed[i].empty()) {
        count(plan[i], split.name);
      } else {
        add_damage(split.name, shard, plan[i], failed[i]);
      }
    }
  }

  // Returns what is wrong with the sample; what is wrong with the disk is thrown.
  std::string write_sample(const CareShard& shard, const Extraction& one) {
    if (stop_.stop_requested()) {
      throw Error(ErrorCode::kStopped, "stopped: extraction: on request");
    }
    std::vector<std::byte> bytes;
    bool is_orientation_told = false;
    try {
      shard.read_sample(one.record, bytes);
      is_orientation_told = is_told_by_index_alone(one.record, bytes);
      bytes = sample_as_file(one.record, std::move(bytes));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kIo) throw;
      return error.what();
    }
    const fs::path path = folder_ / one.file;
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    if (failed) return "make its folder: " + failed.message();
    try {
      write_at(create_new_file(path), 0, bytes, path);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kAlreadyExists) throw;
      return error.what();  // names that are one to a file system which ignores their case
    }
    written_bytes_ += bytes.size();
    const std::lock_guard lock(mutex_);
    if (is_raw(one)) ++summary_.num_raw_as_png;
    if (is_orientation_told) ++summary_.num_orientation_told;
    return {};
  }

  void write_labels() {
    if (!summary_.has_labels_file) return;
    publish_file(folder_ / kLabelsName, "path,label,split\n" + labels_);
  }

  // As folders, where the paths tell the classes: the indices of those behind would move.
  void keep_empty_classes(const std::string& split) {
    summary_.has_empty_folders = !summary_.has_labels_file;
    for (std::uint32_t c = 0; c < has_files_.size(); ++c) {
      if (has_files_[c]) continue;
      summary_.empty_classes.push_back(manifest_->class_names[c]);
      if (summary_.has_empty_folders) summary_.has_empty_folders = make_class_folder(c, split);
    }
  }

  // False for a name that no folder can have.
  bool make_class_folder(std::uint32_t class_idx, const std::string& split) const {
    const std::string& class_name = manifest_->class_names[class_idx];
    const bool by_split = summary_.num_unnamed > 0 || has_split_folders();
    const std::string file = numbered_name(
        {.split = split, .class_name = class_name, .class_idx = class_idx, .extension = {}},
        by_split ? NumberedForm::kSplitFolders : NumberedForm::kClassFolders);
    if (!names_class(file, class_name)) return false;
    std::error_code failed;
    fs::create_directories((folder_ / file).parent_path(), failed);
    return !failed;
  }

  [[noreturn]] void refuse_nothing() const {
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("extract: {}: expected at least one sample that can be read, found none "
                    "({} damaged)",
                    tools::printable_path(config_.dataset), summary_.num_lost),
        "penstock verify lists what is wrong");
  }

  void tell() {
    progress_.done_bytes = written_bytes_;
    progress_.elapsed = std::chrono::steady_clock::now() - start_;
    listener_(progress_);
  }

  const ExtractConfig& config_;
  const CheckListener& listener_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Manifest* manifest_ = nullptr;
  fs::path folder_;
  NamesInUse names_;
  std::vector<bool> has_files_;  // by class
  std::string labels_;
  std::atomic<std::uint64_t> written_bytes_ = 0;
  CheckProgress progress_;
  std::mutex mutex_;  // guards the counts of summary_ while files are written
  ExtractSummary summary_;
};

}  // namespace

ExtractSummary extract_dataset(const ExtractConfig& config, const CheckListener& listener,
                               const std::stop_token& stop) {
  return Extractor(config, listener, stop).run();
}

}  // namespace penstock::care
