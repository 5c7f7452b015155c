#include "tools/convert/source/folder_source.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/image/image_check.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

class FolderSource final : public PictureSource {
 public:
  explicit FolderSource(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void read(const ListedPicture& picture, SourcePicture& into) const override {
    read_start(picture, kMaxFileBytes, into);
  }

  void read_start(const ListedPicture& picture, std::size_t num_bytes,
                  SourcePicture& into) const override {
    const std::filesystem::path path = folder_ / picture.name;
    const UniqueFd file = open_for_reading(path);
    const std::uint64_t size_bytes = file_size_bytes(file, path);
    if (size_bytes > kMaxFileBytes) throw_io_error(EFBIG, "read", tools::printable_path(path));
    into.raw.reset();
    into.orientation.reset();
    into.bytes.resize(std::min<std::uint64_t>(size_bytes, num_bytes));
    into.bytes.resize(read_at(file, 0, into.bytes, path));
  }

  std::string where(const ListedPicture& picture) const override {
    return tools::printable_path(folder_ / picture.name);
  }

 private:
  std::filesystem::path folder_;
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
                  .class_idx = file.class_idx,
                  .split = file.split});
  }
  return pictures;
}

}  // namespace

std::vector<QuarantineEntry> findings_of(const FolderScan& scan) {
  std::vector<QuarantineEntry> findings;
  for (const UnreadableFolder& folder : scan.unreadable_folders) {
    findings.push_back({.path = folder.path + "/",
                        .reason = ReasonCode::kUnreadable,
                        .size_bytes = 0,
                        .detail = folder.why});
  }
  return findings;
}

std::unique_ptr<const PictureSource> make_folder_reader(const std::filesystem::path& folder) {
  return std::make_unique<FolderSource>(folder);
}

SourceScan scan_folder_source(const std::filesystem::path& folder, const LayoutRequest& request,
                              const std::stop_token& stop) {
  FolderScan files = scan_folder(folder, stop);
  DatasetLayout layout = find_layout(files, request, tools::printable_path(folder));
  SourceScan scan;
  scan.description = std::move(layout.description);
  scan.settings = {
      {"layout", layout.kind == LayoutKind::kClassFolders ? "class_folders" : "split_folders"}};
  if (request.class_depth != 1) scan.settings["class_depth"] = std::to_string(request.class_depth);
  scan.class_names = stored_names(layout.class_names);
  scan.pictures = list_pictures(files, layout);
  scan.findings = findings_of(files);
  scan.skipped = files.skipped;
  scan.num_outside = layout.num_outside;
  scan.warnings = std::move(layout.warnings);
  scan.unreadable = std::move(files.unreadable);
  scan.source = make_folder_reader(folder);
  return scan;
}

}  // namespace penstock::convert
