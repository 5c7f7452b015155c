#include "tools/convert/source/raw_pictures.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

// Of a planar record, what is held beside its pixels: CIFAR's in one piece, larger ones in several.
constexpr std::size_t kPlanarPieceBytes = 64u << 10;

// Puts a piece of a planar record, from its byte `first` on, where its pixels are.
void interleave(std::span<const std::byte> piece, std::size_t first, const RawShape& shape,
                std::span<std::byte> pixels_hwc) {
  const std::size_t num_px = std::size_t{shape.height_px} * shape.width_px;
  for (std::size_t c = first / num_px, px = first % num_px; !piece.empty(); ++c, px = 0) {
    const std::size_t num_here = std::min(piece.size(), num_px - px);
    for (std::size_t i = 0; i < num_here; ++i) {
      pixels_hwc[(px + i) * shape.channels + c] = piece[i];
    }
    piece = piece.subspan(num_here);
  }
}

class RawPictures final : public PictureSource {
 public:
  RawPictures(std::unique_ptr<const FileStore> store, std::vector<RawRecords> records)
      : store_(std::move(store)), records_(std::move(records)) {}

  void read(const ListedPicture& picture, SourcePicture& into) const override {
    const RawRecords& records = records_of(picture);
    const auto record_idx = static_cast<std::uint32_t>(picture.place);
    const std::uint64_t at = records.first_bytes + record_idx * records.stride_bytes;
    into.raw = records.shape;
    into.orientation.reset();
    into.codec.reset();
    into.failed_checksum = records.failed_checksum;
    into.bytes.resize(records.num_pixel_bytes());
    if (records.order == PixelOrder::kInterleaved) return fill(records, at, into.bytes, picture);
    std::vector<std::byte> piece(std::min(into.bytes.size(), kPlanarPieceBytes));
    for (std::size_t first = 0; first < into.bytes.size(); first += piece.size()) {
      piece.resize(std::min(piece.size(), into.bytes.size() - first));
      fill(records, at + first, piece, picture);
      interleave(piece, first, records.shape, into.bytes);
    }
  }

  std::string where(const ListedPicture& picture) const override {
    const RawRecords& records = records_of(picture);
    return fmt::format("{}, record {}", store_->where(records.file_idx, picture.name),
                       static_cast<std::uint32_t>(picture.place));
  }

 private:
  const RawRecords& records_of(const ListedPicture& picture) const {
    return records_[picture.place >> 32];
  }

  void fill(const RawRecords& records, std::uint64_t at, std::span<std::byte> bytes,
            const ListedPicture& picture) const {
    if (store_->read_at(records.file_idx, at, bytes) == bytes.size()) return;
    throw_io_error(EIO, "read to its end", where(picture));
  }

  std::unique_ptr<const FileStore> store_;
  std::vector<RawRecords> records_;
};

}  // namespace

std::unique_ptr<const PictureSource> raw_pictures(std::unique_ptr<const FileStore> store,
                                                  std::vector<RawRecords> records) {
  return std::make_unique<RawPictures>(std::move(store), std::move(records));
}

std::string record_name(const std::string& file, std::uint64_t record_idx) {
  const std::string stem = file.ends_with(".bin") ? file.substr(0, file.size() - 4) : file;
  return fmt::format("{}/{:05}", stem, record_idx);
}

}  // namespace penstock::convert
