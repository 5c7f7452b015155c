#include "tools/care/new_pictures.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/add_settings.h"
#include "tools/terminal.h"

namespace penstock::care {

using tools::printable;
using tools::printable_path;

NewPictures::NewPictures(const AddConfig& config, const Manifest& old,
                         convert::ConvertObserver& observer)
    : config_(config), old_(old), observer_(observer), class_names_(old.class_names) {
  for (const ManifestSplit& split : old.splits) {
    for (const ManifestShard& shard : split.shards) {
      for (std::string& name : ShardFile::open(config.dataset / shard.file).read_names()) {
        names_there_.insert(std::move(name));
      }
    }
  }
  names_there_.erase("");
}

void NewPictures::keep_new(convert::SourceScan& scan) {
  const convert::SplitRequest request = addition_splits(config_, old_, scan);
  const convert::SplitRule rule =
      convert::split_rule_of(scan.pictures, request, printable_path(config_.source));
  const std::vector<std::uint32_t> new_idx = class_indices(scan);
  convert::PictureList kept;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    convert::ListedPicture picture = scan.pictures[i];
    if (names_there_.contains(std::string(picture.name))) {
      if (scan.names_are_numbers) refuse_numbered(picture.name);
      ++num_already_there_;
      continue;
    }
    if (picture.class_idx != kUnlabelled) picture.class_idx = new_idx[picture.class_idx];
    kept.add(picture);
    source_bytes_.emplace(picture.name, picture.size_bytes);
  }
  if (kept.empty()) throw NothingNew{};
  scan.pictures = std::move(kept);
  scan.class_names = class_names_;
  scan.is_rest = num_already_there_ > 0;
  draw_splits(scan, request, rule);
}

void NewPictures::draw_splits(convert::SourceScan& scan, const convert::SplitRequest& request,
                              const convert::SplitRule& rule) const {
  const auto drawn = convert::draw_splits(scan.pictures, request, rule);
  const std::string text = convert::drawn_splits_text(drawn, request, rule);
  if (!text.empty()) observer_.notice(text);
}

// Left out, it might be another picture that is lost.
void NewPictures::refuse_numbered(std::string_view name) const {
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("add: {}: expected pictures that the dataset does not have, found '{}' in "
                  "both, a name that only says its row",
                  printable_path(config_.source), printable(name)),
      "other pictures: give the array another name; the same ones: leave them as they are");
}

// By the source's index: the dataset's. A class without pictures is passed over.
std::vector<std::uint32_t> NewPictures::class_indices(const convert::SourceScan& scan) {
  std::vector<bool> is_used(scan.class_names.size());
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const std::uint32_t class_idx = scan.pictures[i].class_idx;
    if (class_idx != kUnlabelled) is_used[class_idx] = true;
  }
  std::vector<std::uint32_t> indices(scan.class_names.size());
  for (std::size_t c = 0; c < scan.class_names.size(); ++c) {
    if (!is_used[c]) continue;
    auto found = std::ranges::find(class_names_, scan.class_names[c]);
    if (found == class_names_.end()) {
      new_classes_.push_back(scan.class_names[c]);
      class_names_.push_back(scan.class_names[c]);
      found = class_names_.end() - 1;
    }
    indices[c] = static_cast<std::uint32_t>(found - class_names_.begin());
  }
  if (!new_classes_.empty() && config_.new_classes == NewClasses::kRefused) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("add: {}: expected classes of the dataset, found new ones: {}",
                            printable_path(config_.source),
                            printable(fmt::format("{}", fmt::join(new_classes_, ", ")))),
                "--new-classes appends them to the list of classes");
  }
  return indices;
}

}  // namespace penstock::care
