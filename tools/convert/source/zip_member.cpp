#include "tools/convert/source/zip_member.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;

// The compressed bytes, piece by piece.
class PieceReader {
 public:
  PieceReader(const UniqueFd& file, const std::filesystem::path& path, const ZipMember& member)
      : file_(file),
        path_(path),
        at_(member.data_offset_bytes),
        left_bytes_(member.compressed_bytes),
        piece_(kPieceBytes) {}

  // None at the end.
  std::span<std::byte> next() {
    const std::size_t wanted = std::min<std::uint64_t>(left_bytes_, piece_.size());
    const std::size_t got = read_at(file_, at_, std::span(piece_).first(wanted), path_);
    at_ += got;
    left_bytes_ = got < wanted ? 0 : left_bytes_ - got;
    return std::span(piece_).first(got);
  }

 private:
  const UniqueFd& file_;
  const std::filesystem::path& path_;
  std::uint64_t at_;
  std::uint64_t left_bytes_;
  std::vector<std::byte> piece_;
};

// Raw deflate data of one member.
class Inflater {
 public:
  Inflater() {
    if (::inflateInit2(&state_, -MAX_WBITS) != Z_OK) {
      throw Error(ErrorCode::kOutOfMemory, "zip: expected memory to decompress with");
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&state_); }

  void feed(std::span<std::byte> bytes) {
    state_.next_in = reinterpret_cast<Bytef*>(bytes.data());
    state_.avail_in = static_cast<uInt>(bytes.size());
  }
  bool is_hungry() const noexcept { return state_.avail_in == 0; }
  bool is_at_end() const noexcept { return result_ == Z_STREAM_END; }
  bool has_failed() const noexcept {
    return result_ != Z_OK && result_ != Z_STREAM_END && result_ != Z_BUF_ERROR;
  }
  std::string words() const { return state_.msg == nullptr ? "deflate data fail" : state_.msg; }

  // What comes of the bytes that were fed, as far as `room` goes.
  std::span<const std::byte> inflate(std::span<std::byte> room) {
    state_.next_out = reinterpret_cast<Bytef*>(room.data());
    state_.avail_out = static_cast<uInt>(room.size());
    result_ = ::inflate(&state_, Z_NO_FLUSH);
    return room.first(room.size() - state_.avail_out);
  }

 private:
  z_stream state_{};
  int result_ = Z_OK;
};

// Counts and sums what is given on.
class CheckedOutput {
 public:
  CheckedOutput(const ZipMember& member,
                const std::function<void(std::span<const std::byte>)>& take,
                const std::stop_token& stop)
      : member_(member), take_(take), stop_(stop) {}

  void give(std::span<const std::byte> bytes) {
    if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
    is_too_long_ = bytes.size() > member_.size_bytes - given_bytes_;
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), member_.size_bytes - given_bytes_));
    given_bytes_ += bytes.size();
    crc32_ = static_cast<std::uint32_t>(::crc32(
        crc32_, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
    if (!bytes.empty()) take_(bytes);
  }

  bool is_too_long() const noexcept { return is_too_long_; }

  std::optional<ArchiveFault> fault() const {
    if (is_too_long_) {
      return ArchiveFault{ReasonCode::kArchiveDamaged,
                          fmt::format("more than the {} bytes it says", member_.size_bytes)};
    }
    if (given_bytes_ < member_.size_bytes) {
      return ArchiveFault{ReasonCode::kArchiveTruncated,
                          fmt::format("{} of {} bytes", given_bytes_, member_.size_bytes)};
    }
    if (crc32_ != member_.crc32) {
      return ArchiveFault{
          ReasonCode::kArchiveDamaged,
          fmt::format("CRC-32: expected {:08x}, found {:08x}", member_.crc32, crc32_)};
    }
    return std::nullopt;
  }

 private:
  const ZipMember& member_;
  const std::function<void(std::span<const std::byte>)>& take_;
  const std::stop_token& stop_;
  std::uint64_t given_bytes_ = 0;
  std::uint32_t crc32_ = 0;
  bool is_too_long_ = false;
};

}  // namespace

std::optional<ArchiveFault> read_zip_member(
    const UniqueFd& file, const std::filesystem::path& path, const ZipMember& member,
    const std::function<void(std::span<const std::byte>)>& take, const std::stop_token& stop) {
  PieceReader pieces(file, path, member);
  CheckedOutput output(member, take, stop);
  if (!member.is_deflated) {
    for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) output.give(piece);
    return output.fault();
  }
  Inflater inflater;
  std::vector<std::byte> room(kPieceBytes);
  while (!inflater.is_at_end() && !output.is_too_long()) {
    if (inflater.is_hungry()) inflater.feed(pieces.next());
    const bool is_last = inflater.is_hungry();
    const std::span<const std::byte> inflated = inflater.inflate(room);
    output.give(inflated);
    if (inflater.has_failed()) {
      return ArchiveFault{ReasonCode::kArchiveDamaged, inflater.words()};
    }
    if (is_last && inflated.empty()) break;  // the data end within a block
  }
  return output.fault();
}

}  // namespace penstock::convert
