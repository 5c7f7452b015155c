#include "tools/care/shard_places.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/hdf5_survey.h"
#include "streamer/shard/shard_header.h"
#include "tools/care/file_exchange.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable;
using tools::printable_path;

constexpr const char* kRepaired = ".repaired";

// What a file says it is. Empty where it does not.
struct ShardIdentity {
  std::string uuid;
  std::string split;
};

ShardIdentity identify(const fs::path& path) {
  if (!fs::is_regular_file(path)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("repair: {}: expected a shard, found no regular file", printable_path(path)),
        "move it away, then repair again");
  }
  try {
    const UniqueFd file = open_for_reading(path);
    ShardHeaderBytes bytes{};
    if (read_at(file, 0, bytes, path) == bytes.size()) {
      const ShardHeader header = parse_shard_header(bytes, path.native());
      return {.uuid = hex(header.uuid), .split = header.split};
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kUnsupported) throw;
  }
  try {
    const Hdf5Survey survey = survey_hdf5(path);
    return {.uuid = survey.uuid, .split = survey.split};
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kUnsupported) throw;
    return {};
  }
}

// "train-00000.h5", and with `with_leftovers` "train-00000.h5.damaged" too; what is being written never.
std::set<std::string> shard_files(const fs::path& dataset, bool with_leftovers) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(dataset)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    const bool is_leftover =
        name.find(".h5.") != std::string::npos && entry.path().extension() != ".tmp";
    if (entry.path().extension() == ".h5" || (with_leftovers && is_leftover)) names.insert(name);
  }
  return names;
}

class PlaceFinder {
 public:
  PlaceFinder(const fs::path& dataset, const Manifest& manifest) : dataset_(dataset) {
    for (const ManifestSplit& split : manifest.splits) {
      std::uint64_t first = 0;
      for (const ManifestShard& shard : split.shards) {
        result_.places.push_back({.file = shard.file,
                                  .found_as = {},
                                  .split = split.name,
                                  .listed = shard,
                                  .first_sample_idx = first});
        first += shard.num_samples;
        listed_uuids_.insert(shard.uuid);
      }
    }
  }

  ShardPlaces run() {
    for (ShardPlace& place : result_.places) {
      if (!fs::exists(dataset_ / place.file)) continue;
      if (identity_of(place.file).uuid == place.listed->uuid) take(place, place.file);
    }
    const bool are_all_found = std::ranges::all_of(
        result_.places, [](const ShardPlace& place) { return !place.found_as.empty(); });
    if (are_all_found) return std::move(result_);
    for (ShardPlace& place : result_.places) {
      if (place.found_as.empty()) search(place);
    }
    for (ShardPlace& place : result_.places) {
      if (place.found_as.empty()) make_do(place);
    }
    return std::move(result_);
  }

 private:
  const ShardIdentity& identity_of(const std::string& file) {
    const auto found = identities_.find(file);
    if (found != identities_.end()) return found->second;
    return identities_.emplace(file, identify(dataset_ / file)).first->second;
  }

  void take(ShardPlace& place, const std::string& file) {
    place.found_as = file;
    taken_files_.insert(file);
    taken_uuids_.emplace(identity_of(file).uuid, file);
  }

  // Among all files: what a repair made of it before what it put aside.
  void search(ShardPlace& place) {
    std::set<std::string> rest =
        shard_files(dataset_, /*with_leftovers=*/!may_be_written_by_repair(place));
    std::vector<std::string> files = {place.file + kRepaired};
    if (rest.erase(files[0]) == 0) files.clear();
    for (const bool is_shard : {true, false}) {
      for (const std::string& file : rest) {
        if (file.ends_with(".h5") == is_shard) files.push_back(file);
      }
    }
    for (const std::string& file : files) {
      if (taken_files_.contains(file) || identity_of(file).uuid != place.listed->uuid) continue;
      take(place, file);
      return;
    }
  }

  // Samples were dropped, and the run ended before the manifest said so: what it put aside stays aside.
  bool may_be_written_by_repair(const ShardPlace& place) {
    if (!fs::exists(dataset_ / place.file)) return false;
    const ShardIdentity& there = identity_of(place.file);
    return !there.uuid.empty() && there.split == place.split && !listed_uuids_.contains(there.uuid);
  }

  // The shard that was listed is not here; what lies under its name may still be what is left of it.
  void make_do(ShardPlace& place) {
    if (!fs::exists(dataset_ / place.file)) {
      const std::string repaired = place.file + kRepaired;
      if (fs::exists(dataset_ / repaired) && !taken_files_.contains(repaired) &&
          identity_of(repaired).split == place.split) {
        take(place, repaired);
      }
      return;
    }
    if (taken_files_.contains(place.file)) return;
    const ShardIdentity& there = identity_of(place.file);
    if (const auto first = taken_uuids_.find(there.uuid);
        !there.uuid.empty() && first != taken_uuids_.end()) {
      result_.notes.push_back(
          fmt::format("{}: the same shard as {}: left out, and left where it is",
                      printable(place.file), printable(first->second)));
      return;
    }
    if (!there.split.empty() && there.split != place.split) refuse_other_split(place, there);
    take(place, place.file);
  }

  [[noreturn]] void refuse_other_split(const ShardPlace& place, const ShardIdentity& there) const {
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("repair: {}: expected a shard of split \"{}\" (dataset.json), found one "
                    "of \"{}\" that dataset.json does not name",
                    printable_path(dataset_ / place.file), printable(place.split),
                    printable(there.split)),
        "move it away, then repair again");
  }

  const fs::path& dataset_;
  ShardPlaces result_;
  std::set<std::string> listed_uuids_;
  std::map<std::string, ShardIdentity> identities_;  // by file
  std::set<std::string> taken_files_;
  std::map<std::string, std::string> taken_uuids_;  // the file that has it
};

}  // namespace

ShardPlaces find_places(const fs::path& dataset, const Manifest& manifest) {
  return PlaceFinder(dataset, manifest).run();
}

ShardPlaces list_places(const fs::path& dataset) {
  std::map<std::string, std::string> found_as;
  for (const std::string& file : shard_files(dataset, /*with_leftovers=*/true)) {
    const fs::path path(file);
    if (path.extension() == ".h5") found_as[file] = file;
    if (path.extension() == kRepaired) found_as.try_emplace(path.stem().string(), file);
  }
  ShardPlaces result;
  for (const auto& [file, found] : found_as) {
    result.places.push_back(
        {.file = file, .found_as = found, .split = {}, .listed = {}, .first_sample_idx = 0});
  }
  return result;
}

void take_places(const fs::path& dataset, std::vector<ShardPlace>& places, InTheWay in_the_way) {
  bool has_moved = false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    ShardPlace& place = places[i];
    if (place.has_its_name()) continue;
    const fs::path from = dataset / place.found_as;
    const fs::path to = dataset / place.file;
    has_moved = true;
    if (!fs::exists(to)) {
      rename_to_new(from, to);
    } else if (identify(to).uuid.empty()) {
      if (in_the_way == InTheWay::kPutAside) keep_as_damaged(to);
      rename_file(from, to);
    } else {
      exchange_names(from, to);
      for (std::size_t k = i + 1; k < places.size(); ++k) {
        if (places[k].found_as == place.file) places[k].found_as = place.found_as;
      }
    }
    place.found_as = place.file;
  }
  if (has_moved) sync_folder(dataset);
}

}  // namespace penstock::care
