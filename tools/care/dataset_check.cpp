#include "tools/care/dataset_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "streamer/shard/dataset.h"
#include "tools/care/dataset_change.h"
#include "tools/care/decode_check.h"
#include "tools/care/parallel_items.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

// A shard on its way through the check.
struct ShardJob {
  const ManifestSplit* split = nullptr;
  const ManifestShard* shard = nullptr;
  std::uint64_t first_sample_idx = 0;  // within the split
  std::optional<CareShard> open;       // none: it cannot be read at all
  ShardCheck check;
  std::string lost;                          // why not; empty: it can
  std::optional<std::string> way_back = {};  // of one that is only in another form
};

template <class A, class B>
void demand_same(std::vector<std::string>& damage, const char* field, const A& expected,
                 const B& found) {
  if (expected == found) return;
  damage.push_back(fmt::format("{}: expected {} (dataset.json), found {}", field, expected, found));
}

class DatasetChecker {
 public:
  DatasetChecker(const DatasetCheckConfig& config, const CheckListener& listener,
                 std::stop_token stop)
      : config_(config), listener_(listener), stop_(std::move(stop)) {}

  DatasetCheck run() {
    const Dataset dataset = Dataset::open(config_.dataset);
    manifest_ = &dataset.manifest();
    list_shards();
    tell();
    CheckCrew crew(num_jobs(), jobs_.size());
    // Behind the shards, a thread's help for those that are still at one.
    run_items(
        {.num_items = jobs_.size() + num_jobs(), .num_threads = num_jobs()},
        [&](unsigned thread_idx, std::size_t i) {
          if (i >= jobs_.size()) return crew.help().help(thread_idx);
          const MutualHelp::TaskScope task(crew.help());
          check(jobs_[i], crew, thread_idx);
        },
        [this] { tell(); });
    if (config_.reach == CheckReach::kDecoded) decode();
    gather();
    if (!result_.is_whole()) check_not_changed(config_.dataset, *manifest_);
    find_strangers();
    result_.elapsed = elapsed();
    return std::move(result_);
  }

 private:
  unsigned num_jobs() const {
    return config_.num_jobs == 0 ? num_usable_cores() : config_.num_jobs;
  }

  void list_shards() {
    for (const ManifestSplit& split : manifest_->splits) {
      std::uint64_t first = 0;
      for (const ManifestShard& shard : split.shards) {
        jobs_.push_back({.split = &split,
                         .shard = &shard,
                         .first_sample_idx = first,
                         .open = {},
                         .check = {},
                         .lost = {}});
        first += shard.num_samples;
        progress_.total_bytes += shard.size_bytes;
      }
      result_.num_samples += split.num_samples;
    }
    result_.num_shards = jobs_.size();
    std::vector<fs::path> paths;
    for (const ShardJob& job : jobs_) paths.push_back(config_.dataset / job.shard->file);
    surveys_.emplace(std::move(paths));
  }

  void check(ShardJob& job, CheckCrew& crew, unsigned thread_idx) {
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: check: on request");
    try {
      job.open = CareShard::open(
          config_.dataset / job.shard->file, [&] { return surveys_->take(&job - jobs_.data()); },
          job.check.shard_damage);
    } catch (const Error& error) {
      job.lost = error.what();
      if (error.code() == ErrorCode::kUnsupported) job.way_back = error.hint();
      return;
    }
    std::vector<std::string> opening = std::move(job.check.shard_damage);
    job.check = check_shard(
        *job.open,
        {.stop = stop_,
         .done_bytes = &done_bytes_,
         .images = config_.reach == CheckReach::kDecoded ? ImagesChecksum::kAlways
                                                         : ImagesChecksum::kWhereSamplesLeaveGaps},
        crew, thread_idx);
    opening.insert(opening.end(), job.check.shard_damage.begin(), job.check.shard_damage.end());
    job.check.shard_damage = std::move(opening);
    compare_with_manifest(job);
  }

  void compare_with_manifest(ShardJob& job) const {
    std::vector<std::string>& lines = job.check.shard_damage;
    demand_same(lines, "size", job.shard->size_bytes, job.open->size_bytes());
    demand_same(lines, "num_samples", job.shard->num_samples, job.open->num_samples());
    demand_same(lines, "split", job.split->name, job.open->split());
    demand_same(lines, "uuid", job.shard->uuid, job.open->uuid());
    if (job.open->guide() == ShardGuide::kHeader) {
      demand_same(lines, "header_xxh3", job.shard->header_xxh3, job.open->header_xxh3());
    }
    try {
      const std::vector<std::string> names = job.open->read_class_names();
      const bool agree = names.size() <= manifest_->class_names.size() &&
                         std::equal(names.begin(), names.end(), manifest_->class_names.begin());
      if (!agree) lines.push_back("class_names: expected those of dataset.json, found others");
    } catch (const Error& error) {
      if (job.check.are_class_names_whole) lines.push_back(error.what());
    }
  }

  void decode() {
    std::vector<DecodeItem> items;
    for (ShardJob& job : jobs_) {
      if (!job.open) continue;
      items.push_back({.shard = &*job.open,
                       .is_wanted = job.check.is_whole,
                       .damage = &job.check.sample_damage});
    }
    progress_.num_samples = result_.num_samples;
    result_.num_decoded = decode_samples(
        items, {.num_threads = num_jobs(), .memory_bytes = config_.memory_bytes},
        [this](std::uint64_t num_decoded) {
          progress_.num_decoded = num_decoded;
          tell();
        },
        stop_);
  }

  void gather() {
    for (ShardJob& job : jobs_) {
      result_.read_bytes += job.check.read_bytes;
      if (!job.open) {
        add_lost(job);
        continue;
      }
      for (const std::string& what : job.check.shard_damage) add(job, what);
      std::ranges::stable_sort(job.check.sample_damage, {}, &SampleDamage::sample_idx);
      for (SampleDamage& damage : job.check.sample_damage) {
        ++result_.num_damaged_samples;
        result_.damage.push_back({.split = job.split->name,
                                  .file = job.shard->file,
                                  .sample_idx = job.first_sample_idx + damage.sample_idx,
                                  .name = job.open->read_name(damage.sample_idx),
                                  .what = std::move(damage.what)});
      }
    }
    for (const ManifestSplit& split : manifest_->splits) compare_counts(split);
  }

  void add_lost(const ShardJob& job) {
    if (job.way_back) {
      result_.other_forms.push_back({.split = job.split->name,
                                     .file = job.shard->file,
                                     .num_samples = job.shard->num_samples,
                                     .what = job.lost,
                                     .hint = *job.way_back});
      return;
    }
    add(job, job.lost);
    result_.num_damaged_samples += job.shard->num_samples;
  }

  void add(const ShardJob& job, std::string what) {
    result_.damage.push_back(
        {.split = job.split->name, .file = job.shard->file, .name = {}, .what = std::move(what)});
  }

  // Means something only where every record holds.
  void compare_counts(const ManifestSplit& split) {
    std::vector<std::uint64_t> counts(manifest_->class_names.size());
    std::uint64_t num_counted = 0;
    for (const ShardJob& job : jobs_) {
      if (job.split != &split || !job.open) continue;
      const std::size_t n = std::min(counts.size(), job.check.num_by_class.size());
      for (std::size_t c = 0; c < n; ++c) {
        counts[c] += job.check.num_by_class[c];
        num_counted += job.check.num_by_class[c];
      }
      num_counted += job.check.num_unlabelled;
    }
    if (num_counted != split.num_samples) return;
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] == split.num_by_class[c]) continue;
      result_.damage.push_back(
          {.split = split.name,
           .file = {},
           .name = {},
           .what = fmt::format("class {}: expected {} samples (dataset.json), found {}",
                               manifest_->class_names[c], split.num_by_class[c], counts[c])});
    }
  }

  void find_strangers() {
    std::set<std::string> named;
    for (const ShardJob& job : jobs_) named.insert(job.shard->file);
    for (const fs::directory_entry& entry : fs::directory_iterator(config_.dataset)) {
      const std::string name = entry.path().filename().string();
      if (entry.path().extension() == ".h5" && !named.contains(name)) {
        result_.strangers.push_back(name);
      }
    }
    const std::set<std::string> known = shards_of_changes(config_.dataset);
    std::erase_if(result_.strangers, [&](const std::string& name) { return known.contains(name); });
    std::ranges::sort(result_.strangers);
    result_.has_unfinished_change = fs::exists(config_.dataset / kUnfinishedChangeName);
  }

  void tell() {
    progress_.done_bytes = done_bytes_;
    progress_.elapsed = elapsed();
    listener_(progress_);
  }

  std::chrono::duration<double> elapsed() const {
    return std::chrono::steady_clock::now() - start_;
  }

  const DatasetCheckConfig& config_;
  const CheckListener& listener_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Manifest* manifest_ = nullptr;
  std::vector<ShardJob> jobs_;
  std::optional<Hdf5SurveyRun> surveys_;  // of jobs_
  std::atomic<std::uint64_t> done_bytes_ = 0;
  CheckProgress progress_;
  DatasetCheck result_;
};

}  // namespace

void DatasetCheckConfig::validate() const {
  constexpr unsigned kMaxJobs = 1024;
  if (num_jobs > kMaxJobs) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("verify: jobs: expected at most {}, found {}", kMaxJobs, num_jobs));
  }
  check_decode_memory("verify", memory_bytes);
}

DatasetCheck check_dataset(const DatasetCheckConfig& config, const CheckListener& listener,
                           const std::stop_token& stop) {
  config.validate();
  return DatasetChecker(config, listener, stop).run();
}

}  // namespace penstock::care
