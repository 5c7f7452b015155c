#include "tools/convert/source/row_match.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/row_path.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

// Classes in the order of their first row.
class ClassList {
 public:
  std::uint32_t idx_of(const std::string& label, std::uint64_t line, const std::string& where) {
    if (const auto found = idx_of_.find(label); found != idx_of_.end()) return found->second;
    std::string name = stored_class_name(label);
    if (names_.size() == kMaxClasses) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("classes: {}: expected at most {} classes, found more", where, kMaxClasses),
          "is this the column of labels? --label-column names another");
    }
    const auto idx = static_cast<std::uint32_t>(names_.size());
    idx_of_.emplace(label, idx);
    names_.push_back(std::move(name));
    lines_.push_back(line);
    return idx;
  }

  const std::string& name(std::uint32_t idx) const { return names_[idx]; }

  // Moves the names out, sorted; returns the new index of each.
  std::vector<std::uint32_t> sort_into(RowMatch& match, const std::string& table_name) {
    std::vector<std::uint32_t> order(names_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; });
    std::vector<std::uint32_t> new_idx(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      const std::string& name = names_[order[i]];
      if (i > 0 && name == match.class_names.back()) {
        throw Error(
            ErrorCode::kInvalidArgument,
            fmt::format("classes: {}:{}: expected different names in the dataset, found two "
                        "labels that would both be '{}'",
                        table_name, lines_[order[i]], name),
            "write labels in UTF-8");
      }
      new_idx[order[i]] = i;
      match.class_names.push_back(name);
      match.class_where.push_back(fmt::format("{}:{}", table_name, lines_[order[i]]));
    }
    return new_idx;
  }

 private:
  std::unordered_map<std::string, std::uint32_t> idx_of_;
  std::vector<std::string> names_;
  std::vector<std::uint64_t> lines_;
};

// What a scan has under a path.
struct Found {
  std::optional<std::uint32_t> file_idx;
  std::string several;  // "1.jpg and 1.png"
};

class Matcher {
 public:
  Matcher(const FolderScan& scan, TableReader& table, UnlabelledRows unlabelled,
          std::string table_name)
      : scan_(scan), table_(table), unlabelled_(unlabelled), table_name_(std::move(table_name)) {
    match_.files.resize(scan.files.size());
  }

  RowMatch run(const std::stop_token& stop) {
    for (TableRow row; table_.next(row);) {
      if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
      ++match_.num_rows;
      add(row);
    }
    const std::vector<std::uint32_t> new_idx = classes_.sort_into(match_, table_name_);
    for (RowOfFile& file : match_.files) {
      if (file.class_idx != kUnlabelled) file.class_idx = new_idx[file.class_idx];
    }
    return std::move(match_);
  }

 private:
  // Its picture, where it names one, has a row all the same.
  void add_damaged(const TableRow& row) {
    for (const RowPath& one : row_paths(row, table_.kind())) {
      const Found found = find(one.path);
      if (found.file_idx) match_.files[*found.file_idx].has_row = true;
    }
    const ReasonCode lacking =
        row.path.empty() ? ReasonCode::kRowWithoutImage : ReasonCode::kRowWithoutLabel;
    report(row, row.fault_reason.value_or(lacking), row.fault);
    if (match_.num_damaged++ == 0) match_.first_damaged = match_.findings.back().detail;
  }

  void add(const TableRow& row) {
    if (!row.fault.empty()) return add_damaged(row);
    const std::vector<RowPath> paths = row_paths(row, table_.kind());
    if (paths.empty()) {
      if (row.path.empty()) return report(row, ReasonCode::kRowWithoutImage, "no path");
      if (row.path.find('\0') != std::string::npos) {
        return report(row, ReasonCode::kRowWithoutImage, "a path with a zero byte");
      }
      return report(row, ReasonCode::kUnsafePath, "leads out of the folder");
    }
    std::string several;
    for (const RowPath& one : paths) {
      const Found found = find(one.path);
      if (found.file_idx) return take(row, *found.file_idx, one.label);
      if (several.empty()) several = found.several;
    }
    if (match_.first_unmatched.empty()) match_.first_unmatched = row.path;
    report(row, ReasonCode::kRowWithoutImage, several);
  }

  void take(const TableRow& row, std::uint32_t file_idx, const std::string& given_label) {
    const bool is_blank = given_label.find_first_not_of(" \t") == std::string::npos;
    const std::string label = is_blank ? std::string() : given_label;
    RowOfFile& file = match_.files[file_idx];
    if (file.has_row) return report(row, ReasonCode::kRowRepeated, repeated(file, label));
    file.has_row = true;
    file.split = row.split;
    const std::string fault = class_label_fault(label);
    if (!fault.empty()) return report(row, ReasonCode::kUnknownLabel, fault);
    if (!label.empty()) file.class_idx = classes_.idx_of(label, row.line, table_.where(row.line));
    file.is_picture = !label.empty() || unlabelled_ == UnlabelledRows::kKept;
    if (!file.is_picture) report(row, ReasonCode::kRowWithoutLabel, "");
  }

  std::string repeated(const RowOfFile& first, const std::string& label) const {
    const std::string had = first.class_idx == kUnlabelled ? "" : classes_.name(first.class_idx);
    if (had == stored_class_name(label)) return "an earlier row says the same";
    return fmt::format("label '{}', an earlier row that counts has '{}'", label, had);
  }

  std::vector<ScannedFile>::const_iterator lower_bound(const std::string& path) const {
    return std::lower_bound(
        scan_.files.begin(), scan_.files.end(), path,
        [](const ScannedFile& file, const std::string& wanted) { return file.path < wanted; });
  }

  Found find(const std::string& path) const {
    const auto exact = lower_bound(path);
    if (exact != scan_.files.end() && exact->path == path) return {idx_of(exact), ""};
    if (has_tried_extension(path)) return {};
    Found found;
    const std::string stem = path + '.';
    for (auto at = lower_bound(stem); at != scan_.files.end() && at->path.starts_with(stem); ++at) {
      const std::string extension = ascii_lower(std::string_view(at->path).substr(path.size()));
      if (std::ranges::find(tried_extensions(), extension) == tried_extensions().end()) continue;
      if (found.file_idx) {
        return {std::nullopt,
                fmt::format("{} and {}", scan_.files[*found.file_idx].path, at->path)};
      }
      found.file_idx = idx_of(at);
    }
    return found;
  }

  std::uint32_t idx_of(std::vector<ScannedFile>::const_iterator at) const {
    return static_cast<std::uint32_t>(at - scan_.files.begin());
  }

  void report(const TableRow& row, ReasonCode reason, const std::string& why) {
    const std::string line = fmt::format("{}:{}", table_name_, row.line);
    match_.findings.push_back({.path = row.path,
                               .reason = reason,
                               .size_bytes = 0,
                               .detail = why.empty() ? line : line + ": " + why});
  }

  const FolderScan& scan_;
  TableReader& table_;
  UnlabelledRows unlabelled_;
  std::string table_name_;
  ClassList classes_;
  RowMatch match_;
};

}  // namespace

RowMatch match_rows(const FolderScan& scan, TableReader& table, UnlabelledRows unlabelled,
                    const std::string& table_name, const std::stop_token& stop) {
  return Matcher(scan, table, unlabelled, table_name).run(stop);
}

}  // namespace penstock::convert
