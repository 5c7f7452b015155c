#include "tools/convert/source/stored_files.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

class FolderStore final : public FileStore {
 public:
  FolderStore(const std::vector<ScannedFile>& files, fs::path folder) : folder_(std::move(folder)) {
    for (const ScannedFile& file : files) paths_.push_back(file.path);
  }

  std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                      std::span<std::byte> bytes) const override {
    const fs::path path = folder_ / paths_[file_idx];
    return penstock::read_at(open_listed(path), offset_bytes, bytes, path);
  }

  std::string_view archive_name(std::uint32_t /*file_idx*/) const override { return {}; }

  std::string where(std::uint32_t file_idx, std::string_view /*name*/) const override {
    return tools::printable_path(folder_ / paths_[file_idx]);
  }

 private:
  fs::path folder_;
  std::vector<std::string> paths_;
};

class StoredPictures final : public PictureSource {
 public:
  explicit StoredPictures(std::unique_ptr<const FileStore> store) : store_(std::move(store)) {}

  void read(const ListedPicture& picture, SourcePicture& into) const override {
    read_start(picture, kMaxFileBytes, into);
  }

  void read_start(const ListedPicture& picture, std::size_t num_bytes,
                  SourcePicture& into) const override {
    if (picture.size_bytes > kMaxFileBytes) throw_io_error(EFBIG, "read", where(picture));
    into.raw.reset();
    into.orientation.reset();
    into.codec.reset();
    into.failed_checksum = {};
    into.bytes.resize(std::min<std::uint64_t>(picture.size_bytes, num_bytes));
    const auto file_idx = static_cast<std::uint32_t>(picture.place);
    if (store_->read_at(file_idx, 0, into.bytes) == into.bytes.size()) return;
    throw_io_error(EIO, "read to its end", where(picture));
  }

  std::string where(const ListedPicture& picture) const override {
    return store_->where(static_cast<std::uint32_t>(picture.place), picture.name);
  }

  std::uint64_t memory_bytes() const override { return store_->memory_bytes(); }

 private:
  std::unique_ptr<const FileStore> store_;
};

}  // namespace

SourceFile source_file(const fs::path& path) {
  const FileStamp stamp = file_stamp(open_for_reading(path), path);
  return {path.string(), stamp.size_bytes, stamp.modified_ns};
}

StoredFiles files_in_folder(FolderScan scan, const fs::path& folder) {
  StoredFiles files;
  for (const ScannedFile& file : scan.files) {
    files.read_files.push_back(source_file(folder / file.path));
  }
  files.store = std::make_unique<FolderStore>(scan.files, folder);
  files.scan = std::move(scan);
  files.where = tools::printable_path(folder);
  return files;
}

std::optional<std::string> read_small_file(const StoredFiles& files, std::uint32_t file_idx,
                                           std::uint64_t max_bytes) {
  const std::uint64_t size_bytes = files.scan.files[file_idx].size_bytes;
  if (size_bytes > max_bytes) return std::nullopt;
  std::string text(size_bytes, '\0');
  text.resize(files.store->read_at(file_idx, 0, std::as_writable_bytes(std::span(text))));
  return text;
}

std::unique_ptr<const PictureSource> pictures_of(std::unique_ptr<const FileStore> store) {
  return std::make_unique<StoredPictures>(std::move(store));
}

}  // namespace penstock::convert
