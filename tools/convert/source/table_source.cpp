#include "tools/convert/source/table_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "tools/convert/source/folder_source.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/listed_files.h"
#include "tools/convert/source/stored_files.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

class Listing {
 public:
  Listing(const TableSourceRequest& request, const FolderScan& files, SourceScan& scan)
      : request_(request), files_(files), scan_(scan) {
    std::error_code none;  // a table elsewhere is no file of the folder
    const fs::path relative =
        fs::canonical(request.table, none).lexically_relative(fs::canonical(request.folder, none));
    table_path_ = relative.generic_string();
  }

  void run(const RowMatch& match, const std::stop_token& stop) {
    for (std::size_t i = 0; i < files_.files.size(); ++i) {
      if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
      const RowOfFile& row = match.files[i];
      if (row.is_picture) {
        scan_.pictures.add({.name = files_.files[i].path,
                            .size_bytes = files_.files[i].size_bytes,
                            .modified_ns = files_.files[i].modified_ns,
                            .class_idx = row.class_idx,
                            .split = row.split});
      } else if (!row.has_row) {
        add_without_row(files_.files[i]);
      }
    }
  }

 private:
  void add_without_row(const ScannedFile& file) {
    if (file.path == table_path_) return;
    // Text, and whatever else lies beside pictures, needs no row.
    if (!may_be_picture(request_.folder / file.path)) {
      leave_outside(scan_, file.path, file.size_bytes);
      return;
    }
    scan_.findings.push_back({.path = file.path,
                              .reason = ReasonCode::kImageWithoutRow,
                              .size_bytes = file.size_bytes,
                              .detail = ""});
  }

  const TableSourceRequest& request_;
  const FolderScan& files_;
  SourceScan& scan_;
  std::string table_path_;
};

[[noreturn]] void refuse_no_picture(const TableSourceRequest& request, TableKind kind,
                                    const RowMatch& match) {
  const std::string where = printable_path(request.table);
  if (match.num_rows == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("table: {}: expected rows of pictures, found none", where),
                "a row is a path and a label");
  }
  if (match.num_damaged == match.num_rows) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("table: {}: expected rows of pictures, found {} that cannot be read, "
                            "the first {}",
                            where, tools::format_counted(match.num_rows, "row", "rows"),
                            match.first_damaged),
                kind == TableKind::kJsonLines
                    ? "each line is one object: {\"path\": \"1.jpg\", \"label\": \"cat\"}; "
                      "--path-column KEY and --label-column KEY name other keys"
                    : "--path-column, --label-column and --split-column name the columns");
  }
  if (match.first_unmatched.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("table: {}: expected rows with a label, found none among {}", where,
                            tools::format_counted(match.num_rows, "row", "rows")),
                "--label-column names the column of labels");
  }
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("table: {}: expected paths of pictures beneath {}, found none among {}, the "
                  "first '{}'",
                  where, printable_path(request.folder),
                  tools::format_counted(match.num_rows, "row", "rows"),
                  tools::printable(match.first_unmatched)),
      "name the folder that the paths are relative to: penstock convert FOLDER DATASET "
      "--labels TABLE");
}

// Labels that are numbers are sorted as texts, which seldom is what is meant.
void warn_of_numbers(SourceScan& scan) {
  const auto is_number = [](const std::string& name) {
    return name.find_first_not_of("0123456789") == std::string::npos;
  };
  if (scan.class_names.size() <= 10 || !std::ranges::all_of(scan.class_names, is_number)) return;
  scan.warnings.push_back(
      fmt::format("labels are numbers and sorted as texts ({}, {}, {}, ...): --class-names FILE "
                  "names them and keeps their order",
                  scan.class_names[0], scan.class_names[1], scan.class_names[2]));
}

std::string describe(const TableSourceRequest& request, TableKind kind) {
  const std::string name = printable_path(request.table.filename());
  switch (kind) {
    case TableKind::kCsv:
      return "files with labels in the CSV " + name;
    case TableKind::kJsonLines:
      return "files with labels in the JSON lines " + name;
    case TableKind::kList:
      return "files of the list " + name;
  }
  return "";
}

// What is not regular, a pipe for one, could not be read a second time.
FolderScan scan_files(const TableSourceRequest& request, const std::stop_token& stop) {
  if (request.scope == TableScope::kFolder) {
    return scan_folder(request.folder, stop, request.list_room_bytes);
  }
  return scan_listed_files(request.folder, *open_table(request.table, request.columns), stop,
                           request.list_room_bytes);
}

std::vector<std::string> unreadable_pictures(const FolderScan& files, const RowMatch& match) {
  std::vector<std::string> unreadable;
  auto next = files.unreadable.begin();  // sorted as the files are
  for (std::size_t i = 0; i < files.files.size() && next != files.unreadable.end(); ++i) {
    if (files.files[i].path != *next) continue;
    if (match.files[i].is_picture) unreadable.push_back(*next);
    ++next;
  }
  return unreadable;
}

}  // namespace

SourceScan scan_table_source(const TableSourceRequest& request, const std::stop_token& stop) {
  // Before it is read, so that a change from then on is noticed.
  const SourceFile table_as_listed = source_file(request.table);
  const auto table = open_table(request.table, request.columns);
  FolderScan files = scan_files(request, stop);
  RowMatch match =
      match_rows(files, *table, request.unlabelled, printable_path(request.table.filename()), stop);
  SourceScan scan;
  scan.description = describe(request, table->kind());
  scan.settings = table->columns();
  scan.settings["layout"] = table->kind() == TableKind::kList ? "list" : "table";
  scan.class_names = std::move(match.class_names);
  scan.class_where = std::move(match.class_where);
  hand_over_left_out(files, scan);
  scan.findings.insert(scan.findings.end(), std::make_move_iterator(match.findings.begin()),
                       std::make_move_iterator(match.findings.end()));
  match.findings.clear();
  scan.files = {table_as_listed};
  Listing(request, files, scan).run(match, stop);
  if (scan.pictures.empty() || scan.class_names.empty())
    refuse_no_picture(request, table->kind(), match);
  warn_of_numbers(scan);
  scan.unreadable = unreadable_pictures(files, match);
  scan.source = make_folder_reader(request.folder, files.root);
  return scan;
}

}  // namespace penstock::convert
