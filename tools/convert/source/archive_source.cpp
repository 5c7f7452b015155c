#include "tools/convert/source/archive_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/source/archive_listing.h"
#include "tools/convert/source/enclosing_folder.h"
#include "tools/convert/source/folder_source.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/path_parts.h"
#include "tools/convert/source/picture_extension.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::array<std::string_view, 9> kExtensions{
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"};

// Of the end of `path` that says it is an archive; 0 when nothing does.
std::size_t extension_size(const std::string& path) {
  const std::string lower = ascii_lower(path);
  for (const std::string_view extension : kExtensions) {
    const std::string_view name = last_name(lower);
    if (name.size() > extension.size() && name.ends_with(extension)) return extension.size();
  }
  return 0;
}

bool is_named_as_archive(const ScannedFile& file) {
  return extension_size(file.path) > 0;
}

bool has_archive_beneath(const FolderScan& scan, std::string_view folder) {
  return std::ranges::any_of(scan.files, [&](const ScannedFile& file) {
    return is_named_as_archive(file) && file.path.starts_with(folder);
  });
}

std::vector<ListedArchive> archives_in(const FolderScan& scan,
                                       const std::filesystem::path& folder) {
  std::set<std::string> stems;
  for (const ScannedFile& file : scan.files) {
    stems.insert(file.path.substr(0, file.path.size() - extension_size(file.path)));
  }
  // a.tar beside a.tar.gz: only whole names tell them apart.
  const bool has_twins = stems.size() < scan.files.size();
  std::vector<ListedArchive> archives;
  for (const ScannedFile& file : scan.files) {
    const std::size_t cut = has_twins ? 0 : extension_size(file.path);
    archives.push_back({.path = folder / file.path,
                        .name = file.path,
                        .prefix = file.path.substr(0, file.path.size() - cut) + '/'});
  }
  if (archives.size() == 1) archives.front().prefix.clear();
  return archives;
}

bool has_several_archives(const StoredFiles& files) {
  return files.num_archives > 1;
}

// Archives of one class each, as ImageNet's are: no folder within one.
void check_one_class_each(const StoredFiles& files) {
  for (std::uint32_t i = 0; i < files.scan.files.size(); ++i) {
    const std::string& path = files.scan.files[i].path;
    const std::string_view archive = files.store->archive_name(i);
    const auto count = [](std::string_view text) { return std::ranges::count(text, '/'); };
    if (count(path) == count(archive) + 1) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("source: {}: expected WebDataset rows, or archives of one class each, "
                            "found {}",
                            files.where, files.store->where(i, path)),
                "convert the archives one at a time");
  }
}

}  // namespace

bool holds_archives_only(const FolderScan& scan) {
  return !scan.files.empty() && std::ranges::all_of(scan.files, is_named_as_archive);
}

bool holds_archives_beside_others(const FolderScan& scan, const std::filesystem::path& folder) {
  std::size_t num_others = 0;
  for (const ScannedFile& file : scan.files) {
    if (is_named_as_archive(file)) continue;
    if (++num_others > kMaxOthersBeside || is_named_as_picture(file.path) ||
        !has_archive_beneath(scan, folder_of(file.path))) {
      return false;
    }
  }
  return num_others < scan.files.size() &&
         std::ranges::none_of(scan.files, [&](const ScannedFile& file) {
           return !is_named_as_archive(file) && may_be_picture(folder / file.path);
         });
}

void refuse_archives_among_others(const FolderScan& scan, const std::filesystem::path& folder) {
  if (!scan.folders.empty()) return;
  const auto archive = std::ranges::find_if(scan.files, is_named_as_archive);
  if (archive == scan.files.end()) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("source: {}: expected archives and few other files, found pictures or more "
                  "than {} others beside {}",
                  tools::printable_path(folder), kMaxOthersBeside, tools::printable(archive->path)),
      "move them to another folder, or name the archive: penstock convert " +
          shell_quoted((folder / archive->path).native()) + " DATASET");
}

std::vector<ScannedFile> take_out_others(FolderScan& scan) {
  const auto first_other =
      std::stable_partition(scan.files.begin(), scan.files.end(), is_named_as_archive);
  std::vector<ScannedFile> others(std::make_move_iterator(first_other),
                                  std::make_move_iterator(scan.files.end()));
  scan.files.erase(first_other, scan.files.end());
  return others;
}

StoredFiles files_in_archives(const FolderScan& scan, const std::filesystem::path& folder,
                              const SpoolConfig& spool, const std::stop_token& stop,
                              std::uint64_t room_bytes) {
  StoredFiles files = list_archives(archives_in(scan, folder), spool, stop, room_bytes);
  add_left_out(scan, files.scan);
  files.where = tools::printable_path(folder);
  return files;
}

StoredFiles files_in_archive(const std::filesystem::path& archive, const SpoolConfig& spool,
                             const std::stop_token& stop, std::uint64_t room_bytes) {
  return list_archives({{.path = archive, .name = archive.filename().string()}}, spool, stop,
                       room_bytes);
}

SourceScan scan_archive_layout(StoredFiles files, const SourceRequest& request) {
  if (has_several_archives(files)) {
    check_one_class_each(files);
  } else {
    drop_enclosing_folder(files);
  }
  SourceScan scan = scan_layout(std::move(files.scan), request.layout, files.where);
  scan.description += has_several_archives(files) ? " (archives)" : " in an archive";
  scan.findings.insert(scan.findings.end(), std::make_move_iterator(files.findings.begin()),
                       std::make_move_iterator(files.findings.end()));
  scan.files = std::move(files.read_files);
  scan.source = pictures_of(std::move(files.store));
  return scan;
}

}  // namespace penstock::convert
