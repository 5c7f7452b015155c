#include "tools/convert/source/any_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/convert/source/archive_source.h"
#include "tools/convert/source/array_source.h"
#include "tools/convert/source/cifar_source.h"
#include "tools/convert/source/dataset_source.h"
#include "tools/convert/source/folder_source.h"
#include "tools/convert/source/idx_source.h"
#include "tools/convert/source/inflated_files.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/source_check.h"
#include "tools/convert/source/source_kind.h"
#include "tools/convert/source/table_source.h"
#include "tools/convert/source/unused_choices.h"
#include "tools/convert/source/webdataset_source.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

// What files that are stored somewhere make up together.
enum class StoredKind : std::uint8_t { kLayout, kWebDataset, kCifar10, kCifar100, kIdx };

StoredKind kind_of(const StoredFiles& files, LayoutChoice choice) {
  const std::optional<CifarKind> cifar = find_cifar(files.scan);
  if (cifar == CifarKind::kCifar10) return StoredKind::kCifar10;
  if (cifar == CifarKind::kCifar100) return StoredKind::kCifar100;
  if (is_idx(files)) return StoredKind::kIdx;
  if (choice != LayoutChoice::kAuto) return StoredKind::kLayout;
  return is_webdataset(files.scan) ? StoredKind::kWebDataset : StoredKind::kLayout;
}

SourceScan scan_as(StoredKind kind, StoredFiles files, const SourceRequest& request,
                   const std::stop_token& stop) {
  switch (kind) {
    case StoredKind::kCifar10:
      return scan_cifar(std::move(files), CifarKind::kCifar10, request, stop);
    case StoredKind::kCifar100:
      return scan_cifar(std::move(files), CifarKind::kCifar100, request, stop);
    case StoredKind::kIdx:
      return scan_idx(std::move(files), request, stop);
    case StoredKind::kWebDataset:
      return scan_webdataset(std::move(files), request);
    case StoredKind::kLayout:
      break;
  }
  return scan_archive_layout(std::move(files), request);
}

SourceScan scan_stored(StoredFiles files, const SourceRequest& request,
                       const std::stop_token& stop) {
  const StoredKind kind = kind_of(files, request.layout.choice);
  std::vector<std::string> whole_archives = std::move(files.whole_archives);
  SourceScan scan = scan_as(kind, std::move(files), request, stop);
  std::ranges::move(whole_archives, std::back_inserter(scan.whole_archives));
  return scan;
}

SourceScan scan_archives(StoredFiles files, const SourceRequest& request,
                         const std::stop_token& stop) {
  if (begin_as_idx(files)) files = inflate_files(std::move(files), request.spool, stop);
  if (!files.scan.files.empty()) return scan_stored(std::move(files), request, stop);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("source: {}: expected pictures in the archive, found no file{}", files.where,
                  files.findings.empty() ? "" : " (" + files.findings.front().detail + ")"),
      "see what it holds: tar -tf " + shell_quoted(request.path.native()));
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
      return scan_stored(inflate_files(files_in_folder(file_with_companions(request.path), folder),
                                       request.spool, stop),
                         request, stop);
    case FileKind::kTable:
      break;
  }
  return scan_table(request, stop);
}

SourceScan scan_archive_folder(FolderScan folder, const SourceRequest& request,
                               const std::stop_token& stop) {
  const std::vector<ScannedFile> others = take_out_others(folder);
  SourceScan scan = scan_archives(
      files_in_archives(folder, request.path, request.spool, stop, request.list_room_bytes),
      request, stop);
  for (const ScannedFile& file : others) leave_outside(scan, file.path, file.size_bytes);
  return scan;
}

SourceScan scan_any_folder(const SourceRequest& request, const std::stop_token& stop) {
  const fs::path& folder = request.path;
  if (is_dataset(request)) return scan_dataset(request, stop);
  FolderScan scan = scan_folder(folder, stop, request.list_room_bytes);
  if (holds_archives_only(scan)) return scan_archive_folder(std::move(scan), request, stop);
  if (find_cifar(scan)) {
    return scan_stored(files_in_folder(std::move(scan), folder), request, stop);
  }
  if (begin_as_idx(scan, folder)) {
    return scan_stored(inflate_files(files_in_folder(std::move(scan), folder), request.spool, stop),
                       request, stop);
  }
  if (holds_archives_beside_others(scan, folder)) {
    return scan_archive_folder(std::move(scan), request, stop);
  }
  refuse_false_idx(scan, folder);
  refuse_archives_among_others(scan, folder);
  return scan_folder_source(std::move(scan), folder, request.layout);
}

SourceScan scan_one(const SourceRequest& request, const std::stop_token& stop) {
  check_source(request);
  if (request.path.empty()) return scan_arrays(request, stop);
  if (!request.labels.empty()) return scan_table(request, stop);
  return fs::is_directory(request.path) ? scan_any_folder(request, stop) : scan_file(request, stop);
}

}  // namespace

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
  check_scans_use(requests.front(), scans);
  return combine_scans(std::move(scans), source_names_in);
}

}  // namespace penstock::convert
