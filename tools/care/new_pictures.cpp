#include "tools/care/new_pictures.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/care/add_settings.h"
#include "tools/care/name_digests.h"
#include "tools/care/names_there.h"
#include "tools/convert/source/class_warnings.h"
#include "tools/convert/write/convert_memory.h"
#include "tools/terminal.h"

namespace penstock::care {

using tools::printable;
using tools::printable_path;

NewPictures::NewPictures(const AddConfig& config, const Manifest& old,
                         convert::ConvertObserver& observer)
    : config_(config), old_(old), observer_(observer), class_names_(old.class_names) {}

void NewPictures::keep_new(convert::SourceScan& scan) {
  const convert::SplitRequest request = addition_splits(config_, old_, scan);
  const convert::SplitRule rule =
      convert::split_rule_of(scan.pictures, request, printable_path(config_.source));
  const std::vector<std::uint32_t> class_idx = class_indices(scan);
  check_memory(scan);
  const NamesThere names = find_names_there(scan.pictures, config_.dataset, old_);
  if (names.num_unnamed > 0) warn_of_unnamed(names.num_unnamed);
  keep(scan, names.is_there, class_idx);
  if (scan.pictures.empty()) throw NothingNew{};
  scan.class_names = class_names_;
  if (!new_classes_.empty()) {
    std::ranges::move(convert::class_twin_warnings(class_names_),
                      std::back_inserter(scan.warnings));
  }
  scan.settings[kAdditionSetting] = "not joined";
  scan.is_rest = num_already_there_ > 0;
  whole_archives_ = scan.whole_archives;
  draw_splits(scan, request, rule);
}

// What is new is copied out of the list, so that there are two of them for a while.
void NewPictures::check_memory(const convert::SourceScan& scan) const {
  const std::uint64_t limit_bytes = config_.limits.memory_bytes;
  const std::uint64_t list_bytes = scan.pictures.memory_bytes();
  const std::uint64_t names_bytes = names_there_bytes(scan.pictures.size(), old_);
  const std::uint64_t kept_bytes = scan.pictures.size() * sizeof(KeptPicture);
  const std::uint64_t needed_bytes = 2 * list_bytes + names_bytes + kept_bytes;
  if (needed_bytes <= convert::list_room_bytes(limit_bytes)) return;
  const std::uint64_t program_bytes = limit_bytes - convert::list_room_bytes(limit_bytes);
  const std::uint64_t least_bytes = program_bytes + needed_bytes;
  throw Error(
      ErrorCode::kOutOfMemory,
      fmt::format("memory: limit: expected at least {} ({} for a list of {} pictures, before and "
                  "after names are compared, {} for the names, {} for the program), found {}",
                  format_bytes(least_bytes), format_bytes(2 * list_bytes + kept_bytes),
                  scan.pictures.size(), format_bytes(names_bytes), format_bytes(program_bytes),
                  format_bytes(limit_bytes)),
      fmt::format("--memory {}M", (least_bytes >> 20) + 1));
}

void NewPictures::keep(convert::SourceScan& scan, const std::vector<bool>& is_there,
                       const std::vector<std::uint32_t>& class_idx) {
  convert::PictureList kept;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    convert::ListedPicture picture = scan.pictures[i];
    if (is_there[i]) {
      if (scan.names_are_numbers) refuse_numbered(picture.name);
      ++num_already_there_;
      continue;
    }
    if (picture.class_idx != kUnlabelled) picture.class_idx = class_idx[picture.class_idx];
    kept.add(picture);
  }
  scan.pictures = std::move(kept);
  kept_.reserve(scan.pictures.size());
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const convert::ListedPicture picture = scan.pictures[i];
    kept_.push_back({NameDigests::digest_of(picture.name), picture.size_bytes});
  }
  std::ranges::sort(kept_, {}, &KeptPicture::name);
  scan.held_bytes += kept_.capacity() * sizeof(KeptPicture);
}

std::uint64_t NewPictures::source_bytes(std::string_view name) const {
  const Digest128 digest = NameDigests::digest_of(name);
  const auto found = std::ranges::lower_bound(kept_, digest, {}, &KeptPicture::name);
  check_internal(found != kept_.end() && found->name == digest, "a new picture was kept");
  return found->source_bytes;
}

void NewPictures::draw_splits(convert::SourceScan& scan, const convert::SplitRequest& request,
                              const convert::SplitRule& rule) const {
  const auto drawn = convert::draw_splits(scan.pictures, request, rule);
  const std::string text = convert::drawn_splits_text(drawn, request, rule);
  if (!text.empty()) observer_.notice(text);
}

void NewPictures::warn_of_unnamed(std::uint64_t num_unnamed) const {
  observer_.notice(fmt::format(
      "warning: {} of {} keep no names: a picture that is among them is not left out, but added "
      "once more",
      tools::format_counted(num_unnamed, "sample", "samples"), printable_path(config_.dataset)));
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
