#include "tools/convert/source/dataset_source.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/stored_files.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr int kSampleBits = 56;  // of a place: the split stands above

constexpr std::uint64_t place_of(std::size_t split_idx, std::uint64_t sample_id) {
  return std::uint64_t{split_idx} << kSampleBits | sample_id;
}

class DatasetSource final : public PictureSource {
 public:
  explicit DatasetSource(std::vector<DatasetSplit> splits) : splits_(std::move(splits)) {}

  void read(const ListedPicture& picture, SourcePicture& into) const override {
    const StoredSample sample = sample_of(picture);
    const IndexRecord& record = sample.record();
    if (record.length_bytes > kMaxFileBytes) throw_io_error(EFBIG, "read", where(picture));
    into.bytes = sample.read_bytes();
    into.codec = static_cast<Codec>(record.codec);
    into.orientation = record.orientation;
    into.raw.reset();
    if (into.codec == Codec::kRaw) {
      into.raw = RawShape{.height_px = record.height_px,
                          .width_px = record.width_px,
                          .channels = record.components};
    }
  }

  std::string where(const ListedPicture& picture) const override {
    return tools::printable(sample_of(picture).place());
  }

 private:
  StoredSample sample_of(const ListedPicture& picture) const {
    constexpr std::uint64_t kSampleMask = (std::uint64_t{1} << kSampleBits) - 1;
    return splits_[picture.place >> kSampleBits].sample(picture.place & kSampleMask);
  }

  std::vector<DatasetSplit> splits_;
};

std::optional<SplitKind> kind_of_split(const std::string& name) {
  for (const SplitKind kind : {SplitKind::kTrain, SplitKind::kValidation, SplitKind::kTest}) {
    if (name == split_name(kind)) return kind;
  }
  return std::nullopt;
}

class DatasetScan {
 public:
  DatasetScan(const SourceRequest& request, const std::stop_token& stop)
      : request_(request),
        where_(tools::printable_path(request.path)),
        dataset_(Dataset::open(request.path)),
        stop_(stop) {}

  SourceScan run() {
    check_fraction();
    choose_classes();
    for (const ManifestSplit& split : dataset_.manifest().splits) list(split);
    if (scan_.pictures.empty()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("source: {}: expected samples in what is chosen of the dataset, found "
                      "none",
                      where_),
          "keep more of it: --classes, --fraction");
    }
    scan_.files.push_back(source_file(request_.path / kManifestName));
    scan_.names_are_numbers = scan_.names_are_numbers || was_made_of_arrays();
    scan_.description = "a dataset";
    scan_.settings = settings();
    scan_.source = std::make_unique<DatasetSource>(std::move(splits_));
    return std::move(scan_);
  }

 private:
  void check_fraction() const {
    if (!request_.fraction || (*request_.fraction > 0.0 && *request_.fraction < 1.0)) return;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("--fraction: expected above 0 to below 1, found {}", *request_.fraction),
        "--fraction 0.1");
  }

  void choose_classes() {
    const std::vector<std::string>& names = dataset_.manifest().class_names;
    new_class_idxs_.assign(names.size(), kUnlabelled);
    std::vector<bool> is_chosen(names.size(), request_.classes.empty());
    for (const std::string& name : request_.classes) {
      const auto found = std::ranges::find(names, name);
      if (found == names.end()) refuse_class(name, names);
      is_chosen[static_cast<std::size_t>(found - names.begin())] = true;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!is_chosen[i]) continue;
      new_class_idxs_[i] = static_cast<std::uint32_t>(scan_.class_names.size());
      scan_.class_names.push_back(names[i]);
    }
  }

  [[noreturn]] void refuse_class(const std::string& name,
                                 const std::vector<std::string>& names) const {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string nearest = nearest_name(name, views);
    throw Error(ErrorCode::kNotFound,
                fmt::format("--classes: {}: expected classes of the dataset, found '{}'", where_,
                            tools::printable(name)),
                nearest.empty() ? "penstock inspect lists the classes"
                                : fmt::format("did you mean '{}'?", nearest));
  }

  // Nothing: the splits are drawn.
  std::optional<SplitKind> given_split(const ManifestSplit& split) const {
    if (request_.dataset_splits == DatasetSplits::kDrawnAnew) return std::nullopt;
    const std::optional<SplitKind> kind = kind_of_split(split.name);
    if (!kind && split.num_samples > 0) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("source: {}: expected splits train, validation and test, found '{}'",
                              where_, tools::printable(split.name)),
                  "--split-anew draws other splits");
    }
    return kind;
  }

  void list(const ManifestSplit& named) {
    const std::optional<SplitKind> kind = given_split(named);
    const DatasetSplit split = dataset_.split(named.name);
    const std::size_t split_idx = splits_.size();
    splits_.push_back(split);
    std::uint64_t first_id = 0;
    for (const DatasetSplit::ShardPart& shard : split.shard_parts()) {
      const std::vector<std::string> names = read_names(split, first_id);
      scan_.files.push_back(source_file(split.shard_of(first_id).path()));
      for (std::uint64_t i = 0; i < shard.num_samples; ++i) {
        if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
        const std::string stored = i < names.size() ? names[i] : std::string();
        scan_.names_are_numbers = scan_.names_are_numbers || stored.empty();
        const std::string name =
            stored.empty() ? fmt::format("{}/{:07}", named.name, first_id + i) : stored;
        add(split, {.name = name, .place = place_of(split_idx, first_id + i), .split = kind},
            first_id + i);
      }
      first_id += shard.num_samples;
    }
  }

  // A shard's; empty where they were left out, or cannot be read: then that is said.
  std::vector<std::string> read_names(const DatasetSplit& split, std::uint64_t first_id) {
    const ShardFile& shard = split.shard_of(first_id);
    try {
      return shard.read_names();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData) throw;
      scan_.warnings.push_back(fmt::format("{}: the names of its samples are lost: {}",
                                           tools::printable_path(shard.path()), error.what()));
      return {};
    }
  }

  void add(const DatasetSplit& split, ListedPicture picture, std::uint64_t sample_id) {
    IndexRecord record;
    try {
      record = split.record(sample_id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData) throw;
      return find(picture, 0, ReasonCode::kDamaged, error.what());
    }
    if (!is_chosen(record)) return;
    if (record.status != 0) {
      return find(picture, record.length_bytes, ReasonCode::kDamaged,
                  fmt::format("marked as damaged in the index: status {}", record.status));
    }
    if (record.codec > static_cast<std::uint8_t>(Codec::kPng)) {
      return find(picture, record.length_bytes, ReasonCode::kUnsupportedFormat,
                  fmt::format("codec {}", record.codec));
    }
    picture.size_bytes = record.length_bytes;
    picture.class_idx =
        record.class_idx == kUnlabelled ? kUnlabelled : new_class_idxs_[record.class_idx];
    scan_.pictures.add(picture);
  }

  // As split_subset.cpp decides.
  bool is_chosen(const IndexRecord& record) const {
    if (!request_.classes.empty() &&
        (record.class_idx == kUnlabelled || new_class_idxs_[record.class_idx] == kUnlabelled)) {
      return false;
    }
    if (!request_.fraction) return true;
    return Draws({.seed = request_.seed, .position = record.xxh3, .purpose = DrawPurpose::kSubset})
               .uniform(0) < *request_.fraction;
  }

  void find(const ListedPicture& picture, std::uint64_t size_bytes, ReasonCode reason,
            std::string detail) {
    scan_.findings.push_back({.path = std::string(picture.name),
                              .reason = reason,
                              .size_bytes = size_bytes,
                              .detail = std::move(detail)});
  }

  bool was_made_of_arrays() const {
    const auto& settings = dataset_.manifest().conversion;
    const auto is_arrays = [&](const char* name) {
      const auto found = settings.find(name);
      return found != settings.end() && found->second == "arrays";
    };
    return is_arrays("layout") || is_arrays("source.layout");
  }

  std::map<std::string, std::string> settings() const {
    std::map<std::string, std::string> settings = {
        {"layout", "dataset"},
        {"dataset_splits",
         request_.dataset_splits == DatasetSplits::kKept ? "kept" : "drawn anew"}};
    if (!request_.classes.empty()) {
      settings["classes"] = fmt::format("{}", fmt::join(scan_.class_names, ","));
    }
    if (request_.fraction) settings["fraction"] = fmt::format("{}", *request_.fraction);
    // Of a dataset of a dataset, the first one's settings are known already.
    const std::string_view prefix = "source.";
    bool has_origin = false;
    for (const auto& [name, value] : dataset_.manifest().conversion) {
      has_origin = has_origin || name.starts_with(prefix);
    }
    for (const auto& [name, value] : dataset_.manifest().conversion) {
      if (name.starts_with(prefix)) settings[name] = value;
      if (!has_origin) settings[std::string(prefix) + name] = value;
    }
    settings["source.id"] = dataset_.manifest().id;
    return settings;
  }

  const SourceRequest& request_;
  const std::string where_;
  const Dataset dataset_;
  const std::stop_token& stop_;
  std::vector<std::uint32_t> new_class_idxs_;  // by the dataset's own; kUnlabelled: left out
  std::vector<DatasetSplit> splits_;
  SourceScan scan_;
};

}  // namespace

SourceScan scan_dataset(const SourceRequest& request, const std::stop_token& stop) {
  return DatasetScan(request, stop).run();
}

}  // namespace penstock::convert
