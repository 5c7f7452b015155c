#include "tools/convert/source/folder_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/left_out.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

class FolderSource final : public PictureSource {
 public:
  FolderSource(std::filesystem::path folder, const FolderId& root)
      : folder_(std::move(folder)), root_(root) {}

  void read(const ListedPicture& picture, SourcePicture& into) const override {
    read_start(picture, kMaxFileBytes, into);
  }

  void read_start(const ListedPicture& picture, std::size_t num_bytes,
                  SourcePicture& into) const override {
    try {
      read_file(picture, num_bytes, into);
    } catch (const Error& error) {
      if (concerns_one_path(error.os_error())) check_there(picture);
      throw;
    }
  }

  std::string where(const ListedPicture& picture) const override {
    return tools::printable_path(folder_ / picture.name);
  }

 private:
  void read_file(const ListedPicture& picture, std::size_t num_bytes, SourcePicture& into) const {
    const std::filesystem::path path = folder_ / picture.name;
    const UniqueFd file = open_for_reading(path);
    if (picture.size_bytes > kMaxFileBytes) {
      throw_io_error(EFBIG, "read", tools::printable_path(path));
    }
    into.raw.reset();
    into.orientation.reset();
    into.codec.reset();
    into.failed_checksum = {};
    into.bytes.resize(std::min<std::uint64_t>(picture.size_bytes, num_bytes));
    const std::size_t num_read = read_at(file, 0, into.bytes, path);
    // Looked at last, so that what was read is what was listed.
    const FileStamp stamp = file_stamp(file, path);
    const bool is_as_listed = num_read == into.bytes.size() &&
                              stamp.size_bytes == picture.size_bytes &&
                              stamp.modified_ns == picture.modified_ns;
    if (!is_as_listed) refuse_changed(picture);
  }

  // A disk or a server that drops out, or a folder that is moved away, refuses every file as it would one.
  void check_there(const ListedPicture& picture) const {
    if (find_folder_id(folder_) != root_) throw_gone(tools::printable_path(folder_));
    const std::filesystem::path parent = (folder_ / picture.name).parent_path();
    std::error_code failure;
    if (!std::filesystem::is_directory(parent, failure)) throw_gone(tools::printable_path(parent));
  }

  [[noreturn]] void refuse_changed(const ListedPicture& picture) const {
    throw Error(ErrorCode::kIo,
                fmt::format("source: {}: expected the picture as it was listed, found it changed",
                            where(picture)),
                "convert again when nothing writes into SOURCE", EBUSY);
  }

  std::filesystem::path folder_;
  FolderId root_;
};

std::vector<std::string> stored_names(const std::vector<std::string>& names) {
  std::vector<std::string> stored;
  for (const std::string& name : names) stored.push_back(stored_class_name(name));
  return stored;
}

PictureList list_pictures(const FolderScan& scan, const DatasetLayout& layout) {
  std::uint64_t name_bytes = 0;
  for (const PlacedFile& file : layout.files) name_bytes += scan.files[file.file_idx].path.size();
  PictureList pictures;
  pictures.reserve(layout.files.size(), name_bytes);
  for (const PlacedFile& file : layout.files) {
    const ScannedFile& scanned = scan.files[file.file_idx];
    pictures.add({.name = scanned.path,
                  .size_bytes = scanned.size_bytes,
                  .place = file.file_idx,
                  .modified_ns = scanned.modified_ns,
                  .class_idx = file.class_idx,
                  .split = file.split});
  }
  return pictures;
}

// Files that were placed in no class. Placed files are in the order of the scan's.
void leave_unplaced(const FolderScan& scan, const DatasetLayout& layout, SourceScan& into) {
  if (layout.num_outside == 0) return;
  auto placed = layout.files.begin();
  for (std::uint32_t i = 0; i < scan.files.size(); ++i) {
    if (placed != layout.files.end() && placed->file_idx == i) {
      ++placed;
      continue;
    }
    leave_outside(into, scan.files[i].path, scan.files[i].size_bytes);
  }
}

}  // namespace

std::unique_ptr<const PictureSource> make_folder_reader(const std::filesystem::path& folder,
                                                        const FolderId& root) {
  return std::make_unique<FolderSource>(folder, root);
}

SourceScan scan_folder_source(const std::filesystem::path& folder, const LayoutRequest& request,
                              const std::stop_token& stop, std::uint64_t room_bytes) {
  return scan_folder_source(scan_folder(folder, stop, room_bytes), folder, request);
}

SourceScan scan_folder_source(FolderScan files, const std::filesystem::path& folder,
                              const LayoutRequest& request) {
  const FolderId root = files.root;
  SourceScan scan = scan_layout(std::move(files), request, tools::printable_path(folder));
  scan.source = make_folder_reader(folder, root);
  return scan;
}

SourceScan scan_layout(FolderScan files, const LayoutRequest& request, const std::string& where) {
  DatasetLayout layout = find_layout(files, request, where);
  SourceScan scan;
  scan.description = std::move(layout.description);
  scan.settings = {
      {"layout", layout.kind == LayoutKind::kClassFolders ? "class_folders" : "split_folders"}};
  if (request.class_depth != 1) scan.settings["class_depth"] = std::to_string(request.class_depth);
  scan.class_names = stored_names(layout.class_names);
  scan.pictures = list_pictures(files, layout);
  hand_over_left_out(files, scan);
  leave_unplaced(files, layout, scan);
  scan.warnings = std::move(layout.warnings);
  scan.unreadable = std::move(files.unreadable);
  return scan;
}

}  // namespace penstock::convert
