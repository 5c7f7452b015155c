#include "tools/convert/source/archive_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "streamer/core/file.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

class ArchiveStore final : public FileStore {
 public:
  explicit ArchiveStore(ArchiveBytes bytes) : bytes_(std::move(bytes)) {}

  std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                      std::span<std::byte> bytes) const override {
    const MemberPlace& place = bytes_.places[file_idx];
    const std::uint64_t left = place.size_bytes - std::min(place.size_bytes, offset_bytes);
    bytes = bytes.first(std::min<std::uint64_t>(left, bytes.size()));
    if (place.is_spooled) return bytes_.spool->read_at(place.offset_bytes + offset_bytes, bytes);
    const std::filesystem::path& path = bytes_.archives[place.archive_idx].path;
    return penstock::read_at(open_listed(path), place.offset_bytes + offset_bytes, bytes, path);
  }

  std::string_view archive_name(std::uint32_t file_idx) const override {
    return archive_of(file_idx).name;
  }

  std::string where(std::uint32_t file_idx, std::string_view name) const override {
    return fmt::format("{}: {}", tools::printable_path(archive_of(file_idx).path),
                       tools::printable(name));
  }

  std::string_view failed_checksum(std::uint32_t file_idx) const override {
    const auto failed = bytes_.failed_checksums.find(bytes_.places[file_idx].archive_idx);
    return failed == bytes_.failed_checksums.end() ? std::string_view() : failed->second;
  }

  std::uint64_t memory_bytes() const override {
    return bytes_.places.capacity() * sizeof(MemberPlace);
  }

 private:
  const ListedArchive& archive_of(std::uint32_t file_idx) const {
    return bytes_.archives[bytes_.places[file_idx].archive_idx];
  }

  ArchiveBytes bytes_;
};

}  // namespace

std::unique_ptr<const FileStore> archive_store(ArchiveBytes bytes) {
  return std::make_unique<const ArchiveStore>(std::move(bytes));
}

}  // namespace penstock::convert
