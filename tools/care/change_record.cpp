#include "tools/care/change_record.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "tools/printed_text.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "penstock unfinished change 1";
constexpr std::uint64_t kMaxRecordBytes = std::uint64_t{1} << 32;

struct KindName {
  ChangeKind kind;
  const char* name;
};
constexpr KindName kKindNames[] = {{ChangeKind::kRemove, "remove"}, {ChangeKind::kAdd, "add"}};

// What makes a record none; caught by read_change_record().
struct BadRecord {
  std::string expected;
};

Json printed(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(tools::printable(text));
  return array;
}

std::vector<std::string> texts_of(const Json& json, const char* key) {
  std::vector<std::string> texts;
  for (const Json& printed : json.at(key)) {
    std::optional<std::string> text = tools::text_from_printed(printed.get<std::string>());
    if (!text) throw BadRecord{std::string(key) + ": names as they are printed"};
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::vector<std::string> files_of(const Json& json, const char* key) {
  std::vector<std::string> files = texts_of(json, key);
  for (const std::string& file : files) {
    const bool is_plain = !file.empty() && file.front() != '.' &&
                          file.find('/') == std::string::npos &&
                          file.find('\0') == std::string::npos && file != kManifestName;
    if (!is_plain) throw BadRecord{std::string(key) + ": plain file names"};
  }
  return files;
}

ChangeKind kind_of(const std::string& name) {
  for (const KindName& known : kKindNames) {
    if (name == known.name) return known.kind;
  }
  throw BadRecord{"kind: add or remove"};
}

ChangeRecord parse(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.at("format") != kFormat) throw BadRecord{std::string("format: ") + kFormat};
  return {.plan = {.kind = kind_of(json.at("kind").get<std::string>()),
                   .new_shards = files_of(json, "new_shards"),
                   .old_shards = files_of(json, "old_shards"),
                   .removed_names = texts_of(json, "removed_names"),
                   .num_removed = json.at("num_removed").get<std::uint64_t>()},
          .manifest_xxh3 = json.at("manifest_xxh3").get<std::string>(),
          .lists = files_of(json, "lists")};
}

[[noreturn]] void refuse(const fs::path& path, const std::string& expected) {
  throw Error(ErrorCode::kCorruptData,
              fmt::format("change: {}: expected {}, found something else",
                          tools::printable_path(path), expected),
              "a change of this dataset was cut short, and what it was cannot be told; look with "
              "penstock verify which files nobody reads, then rm " +
                  shell_quoted(path.native()));
}

}  // namespace

void write_change_record(const fs::path& dataset, const ChangeRecord& record) {
  const char* kind = "";
  for (const KindName& known : kKindNames) {
    if (known.kind == record.plan.kind) kind = known.name;
  }
  const Json json{{"format", kFormat},
                  {"kind", kind},
                  {"manifest_xxh3", record.manifest_xxh3},
                  {"new_shards", printed(record.plan.new_shards)},
                  {"old_shards", printed(record.plan.old_shards)},
                  {"lists", printed(record.lists)},
                  {"num_removed", record.plan.num_removed},
                  {"removed_names", printed(record.plan.removed_names)}};
  publish_file(dataset / kUnfinishedChangeName, json.dump(2) + "\n");
}

std::optional<ChangeRecord> read_change_record(const fs::path& dataset) {
  const fs::path path = dataset / kUnfinishedChangeName;
  if (!fs::exists(fs::symlink_status(path))) return std::nullopt;
  const std::string text = read_text_file(path, kMaxRecordBytes);
  try {
    return parse(text);
  } catch (const Json::exception&) {
    refuse(path, "the record of a change");
  } catch (const BadRecord& bad) {
    refuse(path, bad.expected);
  }
}

}  // namespace penstock::care
