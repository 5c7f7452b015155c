#include "tools/care/dataset_change.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/care/change_record.h"
#include "tools/convert/duplicate/copy_list.h"
#include "tools/convert/quarantine.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLists[] = {convert::kQuarantineName, convert::kFixedName,
                                  convert::kDuplicatesName};
constexpr const char* kKeptTail = ".before_change";

fs::path with_tail(fs::path path, const char* tail) {
  path += tail;
  return path;
}

// The list as it was before the change.
fs::path kept_list(const fs::path& dataset, const std::string& list) {
  return with_tail(dataset / list, kKeptTail);
}

void remove_file(const fs::path& path) {
  std::error_code failed;
  fs::remove(path, failed);
  if (failed) throw_io_error(failed.value(), "remove", tools::printable_path(path));
}

void remove_folder(const fs::path& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  if (failed) throw_io_error(failed.value(), "remove", tools::printable_path(path));
}

// A second name for the same bytes: lists are replaced by renames, never written into.
void keep_list(const fs::path& dataset, const std::string& list) {
  const fs::path kept = kept_list(dataset, list);
  std::error_code failed;
  fs::create_hard_link(dataset / list, kept, failed);
  if (!failed) return;
  // A file system without them.
  const fs::path copy = with_tail(kept, ".tmp");
  fs::copy_file(dataset / list, copy, fs::copy_options::overwrite_existing, failed);
  if (failed) throw_io_error(failed.value(), "copy to", tools::printable_path(kept));
  sync_file(open_for_reading(copy), copy);
  rename_file(copy, kept);
}

std::string xxh3_of(std::string_view text) {
  return hex(xxh3_64(text));
}

// dataset.json as it is now; nothing when it is gone or damaged.
struct PresentManifest {
  std::string xxh3;
  std::set<std::string> shards;
};

std::optional<PresentManifest> read_present(const fs::path& dataset) {
  try {
    const std::string text = read_text_file(dataset / kManifestName);
    PresentManifest present{.xxh3 = xxh3_of(text), .shards = {}};
    for (const ManifestSplit& split : parse_manifest(text, kManifestName).splits) {
      for (const ManifestShard& shard : split.shards) present.shards.insert(shard.file);
    }
    return present;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound && error.code() != ErrorCode::kCorruptData) throw;
    return std::nullopt;
  }
}

// A change whose record is there.
class Unfinished {
 public:
  Unfinished(fs::path dataset, ChangeRecord record)
      : dataset_(std::move(dataset)),
        record_(std::move(record)),
        manifest_(read_present(dataset_)) {}

  const ChangePlan& plan() const { return record_.plan; }

  bool is_switched() const {
    if (manifest_) return manifest_->xxh3 != record_.manifest_xxh3;
    return std::ranges::all_of(record_.plan.new_shards, [this](const std::string& file) {
      return fs::is_regular_file(dataset_ / file);
    });
  }

  void finish() const {
    sync_folder(dataset_);  // the switch must last before what it replaced goes
    for (const std::string& file : record_.plan.old_shards) remove_unnamed(file);
    for (const char* list : kLists) remove_file(kept_list(dataset_, list));
    end();
  }

  void undo() const {
    for (const char* list : kLists) {
      const fs::path kept = kept_list(dataset_, list);
      if (fs::exists(kept)) {
        rename_file(kept, dataset_ / list);
      } else if (std::ranges::find(record_.lists, list) == record_.lists.end()) {
        remove_file(dataset_ / list);  // there was none
      }
    }
    for (const std::string& file : record_.plan.new_shards) {
      remove_unnamed(file);
      remove_file(with_tail(dataset_ / file, ".tmp"));
    }
    end();
  }

 private:
  void remove_unnamed(const std::string& file) const {
    if (!manifest_ || !manifest_->shards.contains(file)) remove_file(dataset_ / file);
  }

  // The record goes last.
  void end() const {
    for (const char* list : kLists) {
      remove_file(with_tail(dataset_ / list, ".tmp"));
      remove_file(with_tail(kept_list(dataset_, list), ".tmp"));
    }
    if (record_.plan.kind == ChangeKind::kAdd) remove_folder(adding_folder(dataset_));
    sync_folder(dataset_);
    remove_file(dataset_ / kUnfinishedChangeName);
    sync_folder(dataset_);
  }

  fs::path dataset_;
  ChangeRecord record_;
  std::optional<PresentManifest> manifest_;
};

void undo_unless_switched(const fs::path& dataset) noexcept {
  try {
    const std::optional<ChangeRecord> record = read_change_record(dataset);
    if (!record) return;
    const Unfinished change(dataset, *record);
    if (!change.is_switched()) change.undo();
  } catch (...) {
    // The record stays: whoever changes the dataset next goes by it.
  }
}

bool is_switched(const fs::path& dataset, const ChangeRecord& record) noexcept {
  try {
    return Unfinished(dataset, record).is_switched();
  } catch (...) {
    return false;
  }
}

}  // namespace

fs::path adding_folder(const fs::path& dataset) {
  const fs::path folder = tools::named_folder(dataset);
  return with_tail(tools::is_mount_point(folder) ? folder / "new" : folder, ".adding");
}

DatasetChange::DatasetChange(fs::path dataset, ChangePlan plan) : dataset_(std::move(dataset)) {
  ChangeRecord record{.plan = std::move(plan),
                      .manifest_xxh3 = xxh3_of(read_text_file(dataset_ / kManifestName)),
                      .lists = {}};
  for (const char* list : kLists) {
    remove_file(kept_list(dataset_, list));
    if (fs::exists(dataset_ / list)) record.lists.emplace_back(list);
  }
  try {
    write_change_record(dataset_, record);
    for (const std::string& list : record.lists) keep_list(dataset_, list);
    sync_folder(dataset_);
  } catch (...) {
    undo_unless_switched(dataset_);
    throw;
  }
}

DatasetChange::~DatasetChange() {
  if (!is_ended_) undo_unless_switched(dataset_);
}

void DatasetChange::publish(const Manifest& manifest) {
  std::optional<ChangeRecord> record = read_change_record(dataset_);
  check_internal(record.has_value(), "a change that is published has its record");
  try {
    write_manifest(dataset_, manifest);
    Unfinished(dataset_, *record).finish();
    is_ended_ = true;
  } catch (const Error& error) {
    if (!is_switched(dataset_, *record)) throw;
    std::vector<std::string> left = record->plan.old_shards;
    for (const std::string& list : record->lists) left.push_back(list + kKeptTail);
    throw Error(error.code(), error.what(),
                fmt::format("the dataset is the new one already; the same command again removes "
                            "what may be left of the old one: {}",
                            tools::printable(fmt::format("{}", fmt::join(left, ", ")))));
  }
}

std::optional<SettledChange> settle_change(const fs::path& dataset) {
  if (!fs::is_directory(dataset)) return std::nullopt;
  for (const char* list : kLists) remove_file(with_tail(dataset / list, ".tmp"));
  for (const char* file : {kManifestName, kUnfinishedChangeName}) {
    remove_file(with_tail(dataset / file, ".tmp"));
  }
  std::optional<ChangeRecord> record = read_change_record(dataset);
  if (!record) return std::nullopt;
  const Unfinished change(dataset, *record);
  const bool is_done = change.is_switched();
  is_done ? change.finish() : change.undo();
  return SettledChange{.plan = std::move(record->plan), .is_done = is_done};
}

void check_not_changed(const fs::path& dataset, const Manifest& read) {
  try {
    if (read_manifest(dataset).id == read.id) return;
  } catch (const Error&) {
    // Gone or half there: changed all the same.
  }
  throw Error(ErrorCode::kIo,
              fmt::format("dataset: {}: expected nobody who changes it meanwhile, found it changed",
                          tools::printable_path(dataset)),
              "the same command again when the change is done");
}

std::set<std::string> shards_of_changes(const fs::path& dataset) {
  std::set<std::string> names;
  try {
    // In this order: what is done has left its record, and is in the manifest by then.
    if (const std::optional<ChangeRecord> record = read_change_record(dataset)) {
      names.insert(record->plan.new_shards.begin(), record->plan.new_shards.end());
      names.insert(record->plan.old_shards.begin(), record->plan.old_shards.end());
    }
  } catch (const Error&) {
    // That cannot be read; which shards it names nobody knows.
  }
  if (const std::optional<PresentManifest> present = read_present(dataset)) {
    names.insert(present->shards.begin(), present->shards.end());
  }
  return names;
}

}  // namespace penstock::care
