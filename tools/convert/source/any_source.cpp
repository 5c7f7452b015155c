#include "tools/convert/source/any_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/source/combined_source.h"
#include "tools/convert/source/folder_source.h"
#include "tools/convert/source/table_source.h"
#include "tools/convert/table/text_input.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

[[noreturn]] void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

bool has_columns(const TableRequest& table) {
  return !table.path_column.empty() || !table.label_column.empty() || !table.split_column.empty();
}

// Text has no zero bytes; everything else that is a file has some soon.
void check_is_text(const fs::path& path, const char* what) {
  if (TextInput(path).lookahead().find('\0') == std::string_view::npos) return;
  refuse(
      fmt::format("{}: {}: expected {}, found a file of another kind", what, printable_path(path),
                  std::string_view(what) == "source" ? "a folder, a table or a list"
                                                     : "a table or a list of text"),
      std::string_view(what) == "source" ? "name the folder that holds the class folders"
                                         : "--labels FILE: path,label on each line");
}

void check_labels(const SourceRequest& request) {
  if (!fs::exists(request.labels)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("labels: {}: expected a table of paths and labels, found nothing",
                            printable_path(request.labels)),
                "the path is relative to the working folder, not to SOURCE");
  }
  check_is_text(request.labels, "labels");
}

bool is_table(const SourceRequest& request) {
  return !request.labels.empty() || !fs::is_directory(request.path);
}

// Options that would do nothing.
void check_options(std::span<const SourceRequest> requests) {
  const SourceRequest& first = requests.front();
  const std::string where = printable_path(first.path);
  const LayoutChoice choice = first.layout.choice;
  const bool names_folders = choice == LayoutChoice::kClassFolders ||
                             choice == LayoutChoice::kSplitFolders || first.layout.class_depth != 1;
  if (names_folders && std::ranges::all_of(requests, is_table)) {
    refuse(fmt::format("layout: {}: expected classes from folders, found a table of them", where),
           "leave --layout and --class-depth out");
  }
  const bool names_rows = has_columns(first.table) || first.unlabelled == UnlabelledRows::kKept;
  if (names_rows && std::ranges::none_of(requests, is_table)) {
    refuse(fmt::format("table: {}: expected a table to read columns of, found a folder", where),
           "--labels FILE names the table");
  }
}

}  // namespace

void check_source(const SourceRequest& request) {
  const fs::path& source = request.path;
  const fs::file_status status = fs::status(source);
  if (!fs::exists(status)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("source: {}: expected a folder of pictures, found nothing",
                            printable_path(source)),
                "check the path: penstock convert SOURCE DATASET");
  }
  const bool is_folder = fs::is_directory(status);
  if (!is_folder && !request.labels.empty()) {
    refuse(fmt::format("source: {}: expected a folder for the table {}, found a file",
                       printable_path(source), printable_path(request.labels)),
           "name the folder that the table's paths are relative to");
  }
  if (fs::exists(source / kManifestName)) {
    refuse(fmt::format("source: {}: expected a folder of pictures, found a dataset",
                       printable_path(source)),
           "penstock inspect " + shell_quoted(source.native()));
  }
  if (!is_folder) check_is_text(source, "source");
  if (!request.labels.empty()) check_labels(request);
  if (request.layout.choice == LayoutChoice::kFlat && !is_table(request)) {
    refuse(fmt::format("layout: {}: expected a table of labels for a flat folder, found none",
                       printable_path(source)),
           "--labels FILE");
  }
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
  // With a last slash the last name would be an empty one.
  const fs::path in = fs::weakly_canonical(inner / ".");
  const fs::path out = fs::weakly_canonical(outer / ".");
  return std::mismatch(out.begin(), out.end(), in.begin(), in.end()).first == out.end();
}

void check_sources(std::span<const SourceRequest> requests) {
  for (const SourceRequest& request : requests) check_source(request);
  check_options(requests);
  for (const SourceRequest& one : requests) {
    for (const SourceRequest& other : requests) {
      if (&one == &other || !lies_within(one.path, other.path)) continue;
      refuse(fmt::format("source: {}: expected a place outside of {}, found one inside",
                         printable_path(one.path), printable_path(other.path)),
             "name each picture's source once");
    }
  }
}

SourceScan scan_source(const SourceRequest& request, const std::stop_token& stop) {
  check_source(request);
  TableSourceRequest table{.folder = request.path,
                           .table = request.labels,
                           .scope = TableScope::kFolder,
                           .columns = request.table,
                           .unlabelled = request.unlabelled};
  if (!fs::is_directory(request.path)) {
    // "list.txt" lies in ".".
    table.folder = request.path.has_parent_path() ? request.path.parent_path() : fs::path(".");
    table.table = request.path;
    table.scope = TableScope::kRows;
  }
  if (!table.table.empty()) return scan_table_source(table, stop);
  return scan_folder_source(request.path, request.layout, stop);
}

SourceScan scan_sources(std::span<const SourceRequest> requests, const std::stop_token& stop) {
  std::vector<fs::path> paths;
  for (const SourceRequest& request : requests) paths.push_back(request.path);
  const std::vector<std::string> names = source_names(paths);
  std::vector<NamedScan> scans;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    scans.push_back({names[i], scan_source(requests[i], stop)});
  }
  return combine_scans(std::move(scans));
}

}  // namespace penstock::convert
