#include "streamer/shard/dataset.h"

#include <algorithm>
#include <string_view>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/manifest_memory.h"
#include "streamer/shard/sample_index.h"
#include "streamer/shard/subset_table.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;

// Enough to go through a split in order; part of every engine's fixed allowance.
constexpr IndexForm kIndexAtOpening{.bytes = 8 * SampleIndex::kCachedPageBytes,
                                    .num_cached_pages = 8};
constexpr int kMaxEntriesLookedAt = 1000;  // for a hint, not for an answer

bool is_picture_name(const fs::path& path) {
  std::string extension = path.extension().native();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  constexpr std::string_view kExtensions[] = {".jpg", ".jpeg", ".png",  ".bmp",
                                              ".gif", ".tif",  ".tiff", ".webp"};
  return std::ranges::find(kExtensions, extension) != std::end(kExtensions);
}

// True when a picture lies in a sub-folder, as in FOLDER/class/x.jpg or FOLDER/split/class/x.jpg.
bool holds_pictures(const fs::path& folder) {
  std::error_code failed;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         failed);
  for (int i = 0; !failed && i < kMaxEntriesLookedAt && entry != fs::recursive_directory_iterator{};
       ++i, entry.increment(failed)) {
    if (entry.depth() >= 1 && is_picture_name(entry->path())) return true;
    if (entry.depth() == 2) entry.disable_recursion_pending();
  }
  return false;
}

bool holds_shards(const fs::path& folder) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().extension() == ".h5") return true;
  }
  return false;
}

std::string without_trailing_slash(const fs::path& folder) {
  std::string text = folder.native();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

[[noreturn]] void throw_no_dataset(const fs::path& folder) {
  const std::string path = without_trailing_slash(folder);
  std::string hint = "check the path";
  if (holds_pictures(folder)) {
    hint = "penstock convert " + shell_quoted(path) + " " + shell_quoted(path + ".penstock");
  } else if (holds_shards(folder)) {
    hint = "there are shards here: penstock repair " + shell_quoted(path) + " writes " +
           std::string(kManifestName) + " anew from them";
  } else if (fs::path(path).extension() == ".partial") {
    hint = "this is an unfinished conversion: run the same penstock convert again";
  }
  throw Error(ErrorCode::kInvalidArgument,
              "dataset: " + path + ": expected " + kManifestName + ", found none", hint);
}

[[noreturn]] void throw_missing(const fs::path& folder) {
  const std::string path = without_trailing_slash(folder);
  std::error_code ignored;  // a hint only
  throw Error(ErrorCode::kNotFound, "dataset: " + path + ": expected a folder, found none",
              fs::is_directory(path + ".partial", ignored)
                  ? "its conversion was not finished (" + path +
                        ".partial is there): run the same penstock convert again"
                  : "check the path");
}

void demand_same(const fs::path& path, const char* field, const std::string& expected,
                 const std::string& found) {
  if (expected == found) return;
  throw_damaged_shard(
      path, std::string(field) + ": expected " + expected + " (dataset.json), found " + found);
}

// Class indices mean nothing without their names. A shard from before classes were added knows the
// first of them.
void demand_same_classes(const ShardFile& shard, const std::vector<std::string>& class_names) {
  if (shard.num_classes() > class_names.size()) {
    demand_same(shard.path(), "num_classes", std::to_string(class_names.size()),
                std::to_string(shard.num_classes()));
  }
  const std::vector<std::string> found = shard.read_class_names();
  for (std::size_t i = 0; i < found.size(); ++i) {
    demand_same(shard.path(), "class_names", "\"" + class_names[i] + "\"", "\"" + found[i] + "\"");
  }
}

ShardFile open_shard(const fs::path& folder, const ManifestShard& expected,
                     const std::vector<std::string>& class_names) {
  const fs::path path = folder / expected.file;
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorCode::kCorruptData,
                "dataset: " + without_trailing_slash(folder) + ": expected the shard " +
                    expected.file + ", found none",
                shard_damage_hint(path));
  }
  ShardFile shard = ShardFile::open(path);
  demand_same(path, "size_bytes", std::to_string(expected.size_bytes),
              std::to_string(shard.size_bytes()));
  demand_same(path, "uuid", expected.uuid, shard.uuid());
  demand_same(path, "num_samples", std::to_string(expected.num_samples),
              std::to_string(shard.num_samples()));
  demand_same(path, "header_xxh3", expected.header_xxh3, shard.header_xxh3());
  demand_same_classes(shard, class_names);
  return shard;
}

// Shows the records of `stored_ids`, numbered by their place there.
void scan_subset(const SampleIndex& index, const std::vector<std::uint32_t>& stored_ids,
                 const IndexVisitor& visit) {
  constexpr std::size_t kMostAtOnce = 1024;  // 64 KiB
  std::vector<IndexRecord> kept;
  kept.reserve(kMostAtOnce);
  std::size_t next = 0;
  const auto show = [&] {
    if (!kept.empty()) visit(next - kept.size(), kept);
    kept.clear();
  };
  index.scan([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
    for (; next < stored_ids.size() && stored_ids[next] < first_id + records.size(); ++next) {
      if (kept.size() == kMostAtOnce) show();
      kept.push_back(records[stored_ids[next] - first_id]);
    }
  });
  show();
}

}  // namespace

struct DatasetSplit::Impl {
  std::string name;
  std::string dataset_id;
  std::shared_ptr<const Manifest> manifest;  // shared with the dataset
  std::shared_ptr<SplitShards> shards;       // shared with the indexes
};

const std::string& DatasetSplit::name() const noexcept {
  return impl_->name;
}
const std::string& DatasetSplit::dataset_id() const noexcept {
  return impl_->dataset_id;
}
const std::vector<std::string>& DatasetSplit::class_names() const noexcept {
  return impl_->manifest->class_names;
}
std::uint64_t DatasetSplit::num_samples() const noexcept {
  return subset_ ? subset_->stored_ids.size() : num_indexed();
}
std::uint64_t DatasetSplit::num_indexed() const noexcept {
  return impl_->shards->num_samples;
}
std::uint64_t DatasetSplit::num_shards() const noexcept {
  return impl_->shards->shards.size();
}
std::uint64_t DatasetSplit::shards_bytes() const noexcept {
  std::uint64_t num_shards = 0;  // of all splits: the manifest speaks of all
  for (const ManifestSplit& split : impl_->manifest->splits) num_shards += split.shards.size();
  return num_shards * kShardBytes + impl_->shards->path_bytes + classes_bytes(*impl_->manifest);
}
const IndexForm& DatasetSplit::index_form() const noexcept {
  return index_->form();
}

IndexRecord DatasetSplit::record(std::uint64_t sample_id) const {
  return index_->record(stored_id(sample_id));
}

void DatasetSplit::scan_index(const IndexVisitor& visit) const {
  if (subset_) {
    scan_subset(*index_, subset_->stored_ids, visit);
  } else {
    index_->scan(visit);
  }
}

const ShardFile& DatasetSplit::shard_of(std::uint64_t sample_id) const {
  return impl_->shards->shard_of(stored_id(sample_id)).file;
}

DatasetSplit DatasetSplit::with_index(const IndexForm& form, MemoryBudget& budget) const {
  DatasetSplit split = *this;
  split.index_ =
      std::make_shared<const SampleIndex>(impl_->shards, form, budget.draw(form.bytes, "index"));
  return split;
}

StoredSample DatasetSplit::sample(std::uint64_t sample_id) const {
  if (sample_id >= num_samples()) {
    const std::string expected = num_samples() == 0 ? "none, the split is empty"
                                                    : "0 to " + std::to_string(num_samples() - 1);
    throw Error(ErrorCode::kInvalidArgument,
                "dataset: split " + name() + ": sample: expected " + expected + ", found " +
                    std::to_string(sample_id),
                "samples are counted from 0 within their split");
  }
  return {sample_id, record(sample_id), shard_of(sample_id), impl_};
}

DatasetSplit DatasetSplit::subset(const SubsetConfig& config) const {
  DatasetSplit part = *this;
  part.subset_ = select_samples(*this, config);
  return part;
}

std::string DatasetSplit::subset_text() const {
  return subset_ ? subset_->text : std::string();
}

std::uint64_t DatasetSplit::subset_bytes() const noexcept {
  return subset_ ? subset_->stored_ids.size() * sizeof(std::uint32_t) : 0;
}

std::uint64_t DatasetSplit::stored_id(std::uint64_t sample_id) const {
  if (!subset_) return sample_id;
  check_internal(sample_id < subset_->stored_ids.size(), "a sample id beyond the subset");
  return subset_->stored_ids[sample_id];
}

std::vector<DatasetSplit::ShardPart> DatasetSplit::shard_parts() const {
  std::vector<ShardPart> parts;
  parts.reserve(impl_->shards->shards.size());
  for (const OpenShard& shard : impl_->shards->shards) {
    std::uint64_t num_samples = shard.file.num_samples();
    if (subset_) {
      const auto& ids = subset_->stored_ids;
      const auto begin = std::ranges::lower_bound(ids, shard.first_sample_id);
      const auto end = std::ranges::lower_bound(ids, shard.first_sample_id + num_samples);
      num_samples = static_cast<std::uint64_t>(end - begin);
    }
    parts.push_back({.num_samples = num_samples, .file_bytes = shard.file.size_bytes()});
  }
  return parts;
}

std::vector<std::string> DatasetSplit::read_names() const {
  std::vector<std::string> names;
  names.reserve(num_samples());
  for (const OpenShard& shard : impl_->shards->shards) {
    std::vector<std::string> of_shard = shard.file.read_names();
    of_shard.resize(shard.file.num_samples());  // empty ones where they were left out
    std::ranges::move(of_shard, std::back_inserter(names));
  }
  if (!subset_) return names;
  for (std::size_t i = 0; i < subset_->stored_ids.size(); ++i) {
    const std::uint32_t stored = subset_->stored_ids[i];
    if (stored != i) names[i] = std::move(names[stored]);  // ids rise: never one that is needed yet
  }
  names.resize(subset_->stored_ids.size());
  return names;
}

std::string DatasetSplit::read_name(std::uint64_t sample_id) const {
  const std::uint64_t stored = stored_id(sample_id);
  const OpenShard& shard = impl_->shards->shard_of(stored);
  return shard.file.read_name(stored - shard.first_sample_id);
}

Dataset Dataset::open(const fs::path& folder) {
  std::error_code failed;
  const fs::file_status status = fs::status(folder, failed);
  if (status.type() == fs::file_type::not_found) throw_missing(folder);
  if (status.type() == fs::file_type::none) throw_io_error(failed.value(), "open", folder.native());
  if (!fs::is_directory(status)) {
    throw Error(ErrorCode::kInvalidArgument,
                "dataset: " + folder.native() + ": expected a folder, found something else",
                "check the path");
  }
  const fs::path manifest = folder / kManifestName;
  const bool is_there = fs::exists(manifest, failed);
  if (failed) throw_io_error(failed.value(), "open", manifest.native());
  if (!is_there) throw_no_dataset(folder);
  Dataset dataset;
  dataset.folder_ = folder;
  dataset.manifest_ = std::make_shared<const Manifest>(read_manifest(folder));
  return dataset;
}

DatasetSplit Dataset::split(const std::string& name) const {
  const ManifestSplit* found = manifest_->find_split(name);
  if (found == nullptr) {
    std::string there;
    for (const ManifestSplit& split : manifest_->splits) {
      there += (there.empty() ? "" : ", ") + split.name;
    }
    throw Error(ErrorCode::kNotFound,
                "dataset: " + without_trailing_slash(folder_) + ": expected a split \"" + name +
                    "\", found " + (there.empty() ? "none" : there),
                "take one of these, or convert the source again with --validation-split or "
                "--test-split");
  }
  auto impl = std::make_shared<DatasetSplit::Impl>();
  impl->name = name;
  impl->dataset_id = manifest_->id;
  impl->manifest = manifest_;
  impl->shards = std::make_shared<SplitShards>();
  impl->shards->shards.reserve(found->shards.size());
  for (const ManifestShard& expected : found->shards) {
    impl->shards->add(open_shard(folder_, expected, manifest_->class_names));
  }
  DatasetSplit split;
  split.index_ = std::make_shared<const SampleIndex>(impl->shards, kIndexAtOpening, BudgetShare());
  split.impl_ = std::move(impl);
  return split;
}

}  // namespace penstock
