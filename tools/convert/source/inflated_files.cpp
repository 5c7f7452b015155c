#include "tools/convert/source/inflated_files.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/source/byte_stream.h"
#include "tools/convert/source/idx_source.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 64;
constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

// A file of a store from first to last, as it is stored.
class StoredStream final : public ByteStream {
 public:
  StoredStream(const FileStore& store, std::uint32_t file_idx)
      : store_(store), file_idx_(file_idx), block_(kBlockBytes) {}

  std::span<const std::byte> next() override {
    const std::size_t num_read = store_.read_at(file_idx_, at_, block_);
    at_ += num_read;
    return std::span(block_).first(num_read);
  }
  std::uint64_t skip(std::uint64_t /*num_bytes*/) override { return 0; }
  const std::optional<ArchiveFault>& fault() const override { return fault_; }

 private:
  const FileStore& store_;
  std::uint32_t file_idx_;
  std::uint64_t at_ = 0;
  std::vector<std::byte> block_;
  std::optional<ArchiveFault> fault_;
};

Compression compression_of_stored(const FileStore& store, std::uint32_t file_idx) {
  std::array<std::byte, 8> first{};
  const std::size_t num_read = store.read_at(file_idx, 0, first);
  return compression_of(std::span(first).first(num_read));
}

std::unique_ptr<ByteStream> open_stored(const StoredFiles& files, std::uint32_t file_idx) {
  const FileStore& store = *files.store;
  return decompressed(std::make_unique<StoredStream>(store, file_idx),
                      compression_of_stored(store, file_idx),
                      store.where(file_idx, files.scan.files[file_idx].path));
}

struct InflatedPlace {
  std::uint64_t offset_bytes = 0;  // in the spool
  std::uint64_t size_bytes = 0;
  bool is_spooled = false;
  std::string failed_checksum{};
};

class InflatedStore final : public FileStore {
 public:
  InflatedStore(std::unique_ptr<const FileStore> stored, std::vector<InflatedPlace> places,
                std::unique_ptr<const SpoolFile> spool)
      : stored_(std::move(stored)), places_(std::move(places)), spool_(std::move(spool)) {}

  std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                      std::span<std::byte> bytes) const override {
    const InflatedPlace& place = places_[file_idx];
    if (!place.is_spooled) return stored_->read_at(file_idx, offset_bytes, bytes);
    const std::uint64_t left = place.size_bytes - std::min(place.size_bytes, offset_bytes);
    bytes = bytes.first(std::min<std::uint64_t>(left, bytes.size()));
    return spool_->read_at(place.offset_bytes + offset_bytes, bytes);
  }

  std::string_view archive_name(std::uint32_t file_idx) const override {
    return stored_->archive_name(file_idx);
  }

  std::string where(std::uint32_t file_idx, std::string_view name) const override {
    return stored_->where(file_idx, name);
  }

  std::string_view failed_checksum(std::uint32_t file_idx) const override {
    const std::string& own = places_[file_idx].failed_checksum;
    return own.empty() ? stored_->failed_checksum(file_idx) : own;
  }

  std::uint64_t memory_bytes() const override { return stored_->memory_bytes(); }

 private:
  std::unique_ptr<const FileStore> stored_;
  std::vector<InflatedPlace> places_;
  std::unique_ptr<const SpoolFile> spool_;
};

}  // namespace

StoredFiles inflate_files(StoredFiles files, const SpoolConfig& spool_config,
                          const std::stop_token& stop) {
  std::vector<InflatedPlace> places;
  std::unique_ptr<SpoolFile> spool;
  for (std::uint32_t i = 0; i < files.scan.files.size(); ++i) {
    ScannedFile& file = files.scan.files[i];
    InflatedPlace place{.size_bytes = file.size_bytes};
    if (compression_of_stored(*files.store, i) != Compression::kNone) {
      if (!spool) spool = std::make_unique<SpoolFile>(spool_config);
      place.is_spooled = true;
      place.offset_bytes = spool->size_bytes();
      const std::unique_ptr<ByteStream> stream = open_stored(files, i);
      for (auto bytes = stream->next(); !bytes.empty(); bytes = stream->next()) {
        if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
        spool->append(bytes);
      }
      if (const auto& fault = stream->fault()) {
        const bool is_damaged = fault->reason == ReasonCode::kArchiveDamaged;
        if (is_damaged) place.failed_checksum = fault->detail;
        // Of a damaged one each picture says so itself.
        files.findings.push_back({.path = file.path,
                                  .reason = fault->reason,
                                  .size_bytes = file.size_bytes,
                                  .detail = fault->detail,
                                  .num_pictures = is_damaged ? 0u : 1u});
      }
      place.size_bytes = spool->size_bytes() - place.offset_bytes;
      const std::string bare = file.path.substr(0, std::max<std::size_t>(file.path.size(), 3) - 3);
      const bool is_taken =
          std::ranges::find(files.scan.files, bare, &ScannedFile::path) != files.scan.files.end();
      if (file.path.ends_with(".gz") && !is_taken) file.path = bare;
    }
    file.size_bytes = place.size_bytes;
    places.push_back(std::move(place));
  }
  files.store =
      std::make_unique<InflatedStore>(std::move(files.store), std::move(places), std::move(spool));
  return files;
}

void refuse_false_idx(const FolderScan& scan, const fs::path& folder) {
  if (!scan.folders.empty()) return;  // what lies beside class folders is no source
  const auto claims_to_be = [](const ScannedFile& file) {
    return file.path.find("-idx3-") != std::string::npos;
  };
  const auto found = std::ranges::find_if(scan.files, claims_to_be);
  if (found == scan.files.end()) return;
  throw Error(ErrorCode::kCorruptData,
              "source: " + tools::printable_path(folder / found->path) +
                  ": expected pictures as IDX, as its name says, found " +
                  idx_fault(open_byte_stream(folder / found->path)->next()),
              "copy it again from where it came; give it another name if it is something else");
}

bool begin_as_idx(const StoredFiles& files) {
  if (files.scan.files.size() > kMaxFiles) return false;
  for (std::uint32_t i = 0; i < files.scan.files.size(); ++i) {
    const std::optional<IdxHeader> header = parse_idx_header(open_stored(files, i)->next());
    if (header && header->has_pictures) return true;
  }
  return false;
}

bool begin_as_idx(const FolderScan& scan, const fs::path& folder) {
  if (scan.files.size() > kMaxFiles || !scan.unreadable.empty()) return false;
  return std::ranges::any_of(scan.files, [&](const ScannedFile& file) {
    const std::optional<IdxHeader> header =
        parse_idx_header(open_byte_stream(folder / file.path)->next());
    return header && header->has_pictures;
  });
}

}  // namespace penstock::convert
