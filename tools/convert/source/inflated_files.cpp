#include "tools/convert/source/inflated_files.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/source/byte_stream.h"
#include "tools/convert/source/idx_source.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

struct InflatedPlace {
  fs::path path;
  std::uint64_t offset_bytes = 0;  // in the spool
  std::uint64_t size_bytes = 0;
  bool is_spooled = false;
  std::string failed_checksum{};
};

class InflatedStore final : public FileStore {
 public:
  InflatedStore(std::vector<InflatedPlace> places, std::unique_ptr<const SpoolFile> spool)
      : places_(std::move(places)), spool_(std::move(spool)) {}

  std::size_t read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                      std::span<std::byte> bytes) const override {
    const InflatedPlace& place = places_[file_idx];
    const std::uint64_t left = place.size_bytes - std::min(place.size_bytes, offset_bytes);
    bytes = bytes.first(std::min<std::uint64_t>(left, bytes.size()));
    if (place.is_spooled) return spool_->read_at(place.offset_bytes + offset_bytes, bytes);
    return penstock::read_at(open_listed(place.path), offset_bytes, bytes, place.path);
  }

  std::string_view archive_name(std::uint32_t /*file_idx*/) const override { return {}; }

  std::string where(std::uint32_t file_idx, std::string_view /*name*/) const override {
    return tools::printable_path(places_[file_idx].path);
  }

  std::string_view failed_checksum(std::uint32_t file_idx) const override {
    return places_[file_idx].failed_checksum;
  }

 private:
  std::vector<InflatedPlace> places_;
  std::unique_ptr<const SpoolFile> spool_;
};

}  // namespace

StoredFiles inflate_files(FolderScan scan, const fs::path& folder, const SpoolConfig& spool_config,
                          const std::stop_token& stop) {
  StoredFiles files;
  std::vector<InflatedPlace> places;
  std::unique_ptr<SpoolFile> spool;
  for (ScannedFile& file : scan.files) {
    InflatedPlace place{.path = folder / file.path, .size_bytes = file.size_bytes};
    files.read_files.push_back(source_file(place.path));
    if (compression_of_file(place.path) != Compression::kNone) {
      if (!spool) spool = std::make_unique<SpoolFile>(spool_config);
      place.is_spooled = true;
      place.offset_bytes = spool->size_bytes();
      const std::unique_ptr<ByteStream> stream = open_byte_stream(place.path);
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
      if (file.path.ends_with(".gz")) file.path.resize(file.path.size() - 3);
    }
    file.size_bytes = place.size_bytes;
    places.push_back(std::move(place));
  }
  files.scan = std::move(scan);
  files.store = std::make_unique<InflatedStore>(std::move(places), std::move(spool));
  files.where = tools::printable_path(folder);
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

bool begin_as_idx(const FolderScan& scan, const fs::path& folder) {
  constexpr std::size_t kMaxFiles = 64;
  if (scan.files.size() > kMaxFiles || !scan.unreadable.empty()) return false;
  return std::ranges::any_of(scan.files, [&](const ScannedFile& file) {
    const std::optional<IdxHeader> header =
        parse_idx_header(open_byte_stream(folder / file.path)->next());
    return header && header->has_pictures;
  });
}

}  // namespace penstock::convert
