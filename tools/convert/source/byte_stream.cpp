#include "tools/convert/source/byte_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/convert/source/gzip_stream.h"
#include "tools/convert/source/libarchive_input.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(fs::path path)
      : path_(std::move(path)),
        file_(open_for_reading(path_)),
        size_bytes_(file_size_bytes(file_, path_)),
        block_(kBlockBytes) {}

  std::span<const std::byte> next() override {
    const std::size_t num_read = read_at(file_, at_, block_, path_);
    at_ += num_read;
    return std::span(block_).first(num_read);
  }

  std::uint64_t skip(std::uint64_t num_bytes) override {
    const std::uint64_t left = size_bytes_ - std::min(size_bytes_, at_);
    const std::uint64_t skipped = std::min(left, num_bytes);
    at_ += skipped;
    return skipped;
  }

  const std::optional<ArchiveFault>& fault() const override { return fault_; }

 private:
  fs::path path_;
  UniqueFd file_;
  std::uint64_t size_bytes_;
  std::uint64_t at_ = 0;
  std::vector<std::byte> block_;
  std::optional<ArchiveFault> fault_;
};

// bzip2, xz and zstd, through libarchive as one member without a name ("raw"). Read to its end it has
// compared every checksum that the format holds; a tar reader on top would stop before the last.
class FilteredStream final : public ByteStream {
 public:
  FilteredStream(std::unique_ptr<ByteStream> file, Compression compression,
                 const std::string& where)
      : file_(std::move(file)), input_(*file_), handle_(new_archive_reader()), block_(kBlockBytes) {
    // A warning means that another program would be started to decompress.
    if (add_filter(compression) != ARCHIVE_OK) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("source: {}: expected a compression that this build reads, found {}",
                              where, compression_name(compression)),
                  "decompress it first, or compress it with gzip");
    }
    ::archive_read_support_format_raw(handle_.get());
    archive_entry* entry = nullptr;
    if (input_.open(handle_.get()) != ARCHIVE_OK ||
        ::archive_read_next_header(handle_.get(), &entry) != ARCHIVE_OK) {
      fail();
    }
  }

  std::span<const std::byte> next() override {
    if (fault_) return {};
    const la_ssize_t num_read = ::archive_read_data(handle_.get(), block_.data(), block_.size());
    if (num_read < 0) {
      fail();
      return {};
    }
    return std::span(block_).first(static_cast<std::size_t>(num_read));
  }

  std::uint64_t skip(std::uint64_t /*num_bytes*/) override { return 0; }
  const std::optional<ArchiveFault>& fault() const override { return fault_; }

 private:
  int add_filter(Compression compression) {
    switch (compression) {
      case Compression::kBzip2:
        return ::archive_read_support_filter_bzip2(handle_.get());
      case Compression::kXz:
        return ::archive_read_support_filter_xz(handle_.get());
      case Compression::kZstd:
        return ::archive_read_support_filter_zstd(handle_.get());
      case Compression::kNone:
      case Compression::kGzip:
        break;
    }
    return ARCHIVE_FATAL;
  }

  void fail() {
    input_.rethrow();
    fault_ = fault_of(handle_.get());
  }

  std::unique_ptr<ByteStream> file_;
  LibarchiveInput input_;
  UniqueArchive handle_;
  std::vector<std::byte> block_;
  std::optional<ArchiveFault> fault_;
};

template <std::size_t kSize>
bool starts_with(std::span<const std::byte> bytes, const std::array<unsigned char, kSize>& magic) {
  return bytes.size() >= kSize &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

}  // namespace

Compression compression_of(std::span<const std::byte> first_bytes) noexcept {
  constexpr std::array<unsigned char, 3> kGzip{0x1F, 0x8B, 0x08};  // deflate, the only method
  constexpr std::array<unsigned char, 3> kBzip2{'B', 'Z', 'h'};
  constexpr std::array<unsigned char, 6> kXz{0xFD, '7', 'z', 'X', 'Z', 0x00};
  constexpr std::array<unsigned char, 4> kZstd{0x28, 0xB5, 0x2F, 0xFD};
  if (starts_with(first_bytes, kGzip)) return Compression::kGzip;
  if (starts_with(first_bytes, kBzip2)) return Compression::kBzip2;
  if (starts_with(first_bytes, kXz)) return Compression::kXz;
  if (starts_with(first_bytes, kZstd)) return Compression::kZstd;
  return Compression::kNone;
}

std::string_view compression_name(Compression compression) noexcept {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kBzip2:
      return "bzip2";
    case Compression::kXz:
      return "xz";
    case Compression::kZstd:
      return "zstd";
  }
  return "";
}

Compression compression_of_file(const fs::path& path) {
  std::array<std::byte, 8> first{};
  const std::size_t num_read = read_at(open_for_reading(path), 0, first, path);
  return compression_of(std::span(first).first(num_read));
}

std::unique_ptr<ByteStream> open_byte_stream(const fs::path& path) {
  return decompressed(std::make_unique<PlainStream>(path), compression_of_file(path),
                      tools::printable_path(path));
}

std::unique_ptr<ByteStream> decompressed(std::unique_ptr<ByteStream> stored,
                                         Compression compression, const std::string& where) {
  if (compression == Compression::kNone) return stored;
  if (compression == Compression::kGzip) return open_gzip_stream(std::move(stored));
  return std::make_unique<FilteredStream>(std::move(stored), compression, where);
}

}  // namespace penstock::convert
