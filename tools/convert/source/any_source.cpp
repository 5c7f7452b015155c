#include "tools/convert/source/any_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/manifest.h"
#include "tools/convert/source/archive_listing.h"
#include "tools/convert/source/archive_source.h"
#include "tools/convert/source/array_source.h"
#include "tools/convert/source/array_store.h"
#include "tools/convert/source/byte_stream.h"
#include "tools/convert/source/cifar_source.h"
#include "tools/convert/source/dataset_source.h"
#include "tools/convert/source/folder_source.h"
#include "tools/convert/source/idx_source.h"
#include "tools/convert/source/inflated_files.h"
#include "tools/convert/source/table_source.h"
#include "tools/convert/source/webdataset_source.h"
#include "tools/convert/table/text_input.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

[[noreturn]] void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

constexpr const char* kExpected =
    "expected a folder of pictures, an archive of them or a table of their paths";
constexpr const char* kKindsHint =
    "name the folder that holds the class folders, a tar archive, or a text of paths and labels";

enum class SourceKind : std::uint8_t { kLayout, kWebDataset, kCifar10, kCifar100, kIdx };

SourceKind kind_of(const StoredFiles& files, LayoutChoice choice) {
  const std::optional<CifarKind> cifar = find_cifar(files.scan);
  if (cifar == CifarKind::kCifar10) return SourceKind::kCifar10;
  if (cifar == CifarKind::kCifar100) return SourceKind::kCifar100;
  if (is_idx(files)) return SourceKind::kIdx;
  if (choice != LayoutChoice::kAuto) return SourceKind::kLayout;
  return is_webdataset(files.scan) ? SourceKind::kWebDataset : SourceKind::kLayout;
}

// Of pairs of arrays, the first one's.
fs::path place_of(const SourceRequest& request) {
  return request.path.empty() ? fs::path(request.arrays.at(0).images) : request.path;
}

std::string where_of(const SourceRequest& request) {
  return printable_path(place_of(request));
}

SourceScan scan_as(SourceKind kind, StoredFiles files, const SourceRequest& request,
                   const std::stop_token& stop) {
  switch (kind) {
    case SourceKind::kCifar10:
      return scan_cifar(std::move(files), CifarKind::kCifar10, request, stop);
    case SourceKind::kCifar100:
      return scan_cifar(std::move(files), CifarKind::kCifar100, request, stop);
    case SourceKind::kIdx:
      return scan_idx(std::move(files), request, stop);
    case SourceKind::kWebDataset:
      return scan_webdataset(std::move(files), request);
    case SourceKind::kLayout:
      break;
  }
  return scan_archive_layout(std::move(files), request);
}

SourceScan scan_stored(StoredFiles files, const SourceRequest& request,
                       const std::stop_token& stop) {
  const SourceKind kind = kind_of(files, request.layout.choice);
  return scan_as(kind, std::move(files), request, stop);
}

SourceScan scan_archives(StoredFiles files, const SourceRequest& request,
                         const std::stop_token& stop) {
  if (!files.scan.files.empty()) return scan_stored(std::move(files), request, stop);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("source: {}: expected pictures in the archive, found no file{}", files.where,
                  files.findings.empty() ? "" : " (" + files.findings.front().detail + ")"),
      "see what it holds: tar -tf " + shell_quoted(request.path.native()));
}

// A single batch, or a single file of IDX pictures, with the lists and labels that belong to it.
FolderScan file_with_companions(const fs::path& file) {
  const std::string name = file.filename().string();
  std::set<std::string> names = {name, "batches.meta.txt", "fine_label_names.txt",
                                 "coarse_label_names.txt"};
  names.insert(labels_file_name(name));
  FolderScan scan;
  for (const std::string& one : names) {
    const fs::path path = file.parent_path() / one;
    if (fs::is_regular_file(path)) scan.files.push_back({one, fs::file_size(path)});
  }
  return scan;
}

[[noreturn]] void refuse_lone_array(const fs::path& path) {
  refuse(fmt::format("source: {}: expected pictures and labels, found one array",
                     printable_path(path)),
         "name both: penstock convert --images " + shell_quoted(path.native()) +
             " --labels labels.npy DATASET");
}

enum class FileKind : std::uint8_t { kArrays, kArchive, kBatch, kTable };

// Text has no zero bytes; everything else that is a file has some soon.
bool is_text(const fs::path& path) {
  return TextInput(path).lookahead().find('\0') == std::string_view::npos;
}

bool is_batch(const FolderScan& scan, const fs::path& folder) {
  return find_cifar(scan) || begin_as_idx(scan, folder);
}

bool is_array_file(const fs::path& path) {
  const std::optional<ArrayFileKind> kind = array_file_kind(path);
  if (kind == ArrayFileKind::kNpy) refuse_lone_array(path);
  const bool is_other_zip = kind == ArrayFileKind::kNpz && array_names(path).empty();
  return kind && !is_other_zip;
}

FileKind kind_of_file(const fs::path& path) {
  if (is_array_file(path)) return FileKind::kArrays;
  if (is_archive(path)) return FileKind::kArchive;
  if (is_batch(file_with_companions(path), path.parent_path())) return FileKind::kBatch;
  const Compression compression = compression_of_file(path);
  if (compression == Compression::kNone && is_text(path)) return FileKind::kTable;
  refuse_false_idx(file_with_companions(path), path.parent_path());
  const std::string found =
      compression == Compression::kNone
          ? "a file of another kind"
          : fmt::format("{} without a tar archive in it", compression_name(compression));
  refuse(fmt::format("source: {}: {}, found {}", printable_path(path), kExpected, found),
         kKindsHint);
}

SourceScan scan_table(const SourceRequest& request, const std::stop_token& stop) {
  TableSourceRequest table{.folder = request.path,
                           .table = request.labels,
                           .scope = TableScope::kFolder,
                           .columns = request.table,
                           .unlabelled = request.unlabelled,
                           .list_room_bytes = request.list_room_bytes};
  if (request.labels.empty()) {
    // "list.txt" lies in ".".
    table.folder = request.path.has_parent_path() ? request.path.parent_path() : fs::path(".");
    table.table = request.path;
    table.scope = TableScope::kRows;
  }
  return scan_table_source(table, stop);
}

SourceScan scan_file(const SourceRequest& request, const std::stop_token& stop) {
  const fs::path folder = request.path.parent_path();
  switch (kind_of_file(request.path)) {
    case FileKind::kArrays:
      return scan_arrays(request, stop);
    case FileKind::kArchive:
      return scan_archives(
          files_in_archive(request.path, request.spool, stop, request.list_room_bytes), request,
          stop);
    case FileKind::kBatch:
      return scan_stored(
          inflate_files(file_with_companions(request.path), folder, request.spool, stop), request,
          stop);
    case FileKind::kTable:
      break;
  }
  return scan_table(request, stop);
}

bool is_dataset(const SourceRequest& request) {
  return !request.path.empty() && fs::exists(request.path / kManifestName);
}

bool is_arrays(const SourceRequest& request) {
  if (request.path.empty()) return true;
  return !fs::is_directory(request.path) && kind_of_file(request.path) == FileKind::kArrays;
}

SourceScan scan_any_folder(const SourceRequest& request, const std::stop_token& stop) {
  const fs::path& folder = request.path;
  if (is_dataset(request)) return scan_dataset(request, stop);
  FolderScan scan = scan_folder(folder, stop, request.list_room_bytes);
  if (holds_archives_only(scan)) {
    return scan_archives(
        files_in_archives(scan, folder, request.spool, stop, request.list_room_bytes), request,
        stop);
  }
  if (find_cifar(scan)) {
    return scan_stored(files_in_folder(std::move(scan), folder), request, stop);
  }
  if (begin_as_idx(scan, folder)) {
    return scan_stored(inflate_files(std::move(scan), folder, request.spool, stop), request, stop);
  }
  refuse_false_idx(scan, folder);
  return scan_folder_source(std::move(scan), folder, request.layout);
}

bool is_table(const SourceRequest& request) {
  if (!request.labels.empty()) return true;
  return !request.path.empty() && !fs::is_directory(request.path) &&
         kind_of_file(request.path) == FileKind::kTable;
}

void check_labels(const fs::path& labels) {
  if (!fs::exists(labels)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("labels: {}: expected a table of paths and labels, found nothing",
                            printable_path(labels)),
                "the path is relative to the working folder, not to SOURCE");
  }
  if (is_text(labels)) return;
  refuse(fmt::format("labels: {}: expected a table or a list of text, found a file of another kind",
                     printable_path(labels)),
         "--labels FILE: path,label on each line");
}

// Options that would do nothing.
void check_options(std::span<const SourceRequest> requests) {
  const SourceRequest& first = requests.front();
  const std::string where = where_of(first);
  if (first.layout.asks_for_folders() && std::ranges::all_of(requests, is_table)) {
    refuse(fmt::format("layout: {}: expected classes from folders, found a table of them", where),
           "leave --layout and --class-depth out");
  }
  const TableRequest& table = first.table;
  if (table.names_columns() && std::ranges::none_of(requests, is_table)) {
    refuse(fmt::format("table: {}: expected a table to read columns of, found {}", where,
                       fs::is_directory(first.path) ? "a folder" : "an archive or a batch"),
           "--labels FILE names the table");
  }
}

// Those that choose of a source of one kind.
void check_choices_are_used(std::span<const SourceRequest> requests) {
  const SourceRequest& first = requests.front();
  const bool chooses =
      !first.classes.empty() || first.fraction || first.dataset_splits != DatasetSplits::kKept;
  if (chooses && std::ranges::none_of(requests, is_dataset)) {
    refuse(fmt::format("--classes, --fraction, --split-anew: {}: expected a dataset, found another "
                       "source",
                       where_of(first)),
           "convert it first, then choose from the dataset");
  }
  if (first.channel_axis != ChannelAxis::kBySize && std::ranges::none_of(requests, is_arrays)) {
    refuse(
        fmt::format("--channels-first, --channels-last: {}: expected arrays, found another source",
                    where_of(first)),
        "leave it out");
  }
}

SourceScan scan_one(const SourceRequest& request, const std::stop_token& stop) {
  check_source(request);
  if (request.path.empty()) return scan_arrays(request, stop);
  if (!request.labels.empty()) return scan_table(request, stop);
  return fs::is_directory(request.path) ? scan_any_folder(request, stop) : scan_file(request, stop);
}

// An option that would do nothing is a mistake. What its classes come from, each source says.
void check_layout_is_used(const SourceRequest& request, const std::vector<NamedScan>& scans) {
  const auto has_folders = [](const NamedScan& one) {
    const auto layout = one.scan.settings.find("layout");
    return layout != one.scan.settings.end() &&
           (layout->second == "class_folders" || layout->second == "split_folders");
  };
  if (!request.layout.asks_for_folders() || std::ranges::any_of(scans, has_folders)) return;
  refuse(fmt::format("layout: {}: expected classes from folders, found a source of labels",
                     where_of(request)),
         "leave --layout and --class-depth out");
}

// A text whose first line does not name the columns is read as a list, which has none.
void check_columns_are_used(const SourceRequest& request, const std::vector<NamedScan>& scans) {
  const auto has_columns = [](const NamedScan& one) {
    const auto layout = one.scan.settings.find("layout");
    return layout != one.scan.settings.end() && layout->second == "table";
  };
  if (!request.table.names_columns() || std::ranges::any_of(scans, has_columns)) return;
  refuse(fmt::format("table: {}: expected a table to read columns of, found a list",
                     printable_path(request.labels.empty() ? request.path : request.labels)),
         "name the columns in the first line of the table");
}

// Known from the scan alone: whose label it is, the source says in its settings.
void check_label_is_used(const SourceRequest& request, const std::vector<NamedScan>& scans) {
  const auto has_choice = [](const NamedScan& one) { return one.scan.settings.contains("label"); };
  if (!request.label || std::ranges::any_of(scans, has_choice)) return;
  refuse(fmt::format("--label: {}: expected CIFAR-100, which has two labels, found a source with "
                     "one",
                     where_of(request)),
         "leave --label out");
}

}  // namespace

void check_source(const SourceRequest& request) {
  const fs::path& source = request.path;
  if (source.empty() && !request.arrays.empty()) return;  // opening them says more
  const fs::file_status status = fs::status(source);
  if (!fs::exists(status)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("source: {}: expected a folder of pictures, found nothing",
                            printable_path(source)),
                "check the path: penstock convert SOURCE DATASET");
  }
  const bool is_folder = fs::is_directory(status);
  if (!is_folder && !fs::is_regular_file(status)) {
    refuse(fmt::format("source: {}: {}, found a special file", printable_path(source), kExpected),
           kKindsHint);
  }
  if (!is_folder && !request.labels.empty()) {
    refuse(fmt::format("source: {}: expected a folder for the table {}, found a file",
                       printable_path(source), printable_path(request.labels)),
           "name the folder that the table's paths are relative to");
  }
  if (!request.labels.empty() && is_dataset(request)) {
    refuse(fmt::format("source: {}: expected a folder for the table {}, found a dataset",
                       printable_path(source), printable_path(request.labels)),
           "leave --labels out: the dataset has its own");
  }
  if (!request.labels.empty()) check_labels(request.labels);
  if (!is_folder) static_cast<void>(kind_of_file(source));
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
  return scan_sources({&request, 1}, stop);
}

SourceScan scan_sources(std::span<const SourceRequest> requests, const std::stop_token& stop,
                        SourceNames source_names_in) {
  check_choices_are_used(requests);
  std::vector<fs::path> paths;
  for (const SourceRequest& request : requests) paths.push_back(place_of(request));
  const std::vector<std::string> names = source_names(paths);
  std::vector<NamedScan> scans;
  std::uint64_t listed_bytes = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    SourceRequest request = requests[i];
    request.list_room_bytes -= std::min(request.list_room_bytes, listed_bytes);
    scans.push_back({names[i], scan_one(request, stop)});
    // Once more when lists are put together.
    listed_bytes += 2 * scans.back().scan.pictures.memory_bytes();
  }
  check_layout_is_used(requests.front(), scans);
  check_label_is_used(requests.front(), scans);
  check_columns_are_used(requests.front(), scans);
  return combine_scans(std::move(scans), source_names_in);
}

}  // namespace penstock::convert
