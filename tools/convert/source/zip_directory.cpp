#include "tools/convert/source/zip_directory.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kEntrySignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kLocatorBytes = 20;
constexpr std::uint64_t kEnd64Bytes = 56;
constexpr std::uint64_t kEntryBytes = 46;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kMaxCommentBytes = 0xFFFF;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{16} << 20;
constexpr std::uint16_t kZip64Field = 1;

using Bytes = std::span<const std::byte>;

struct DirectoryPlace {
  std::uint64_t num_members = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t offset_bytes = 0;
};

class ZipFile {
 public:
  ZipFile(const UniqueFd& file, const std::filesystem::path& path)
      : file_(file),
        path_(path),
        where_(tools::printable_path(path)),
        size_bytes_(file_size_bytes(file, path)) {}

  std::vector<ZipMember> members() {
    const DirectoryPlace place = find_directory();
    if (place.size_bytes > kMaxDirectoryBytes) {
      throw_damaged("expected a directory of at most 16 MiB, found a longer one");
    }
    const std::vector<std::byte> directory = read(place.offset_bytes, place.size_bytes);
    std::vector<ZipMember> members;
    Bytes rest = directory;
    for (std::uint64_t i = 0; i < place.num_members; ++i) members.push_back(next_member(rest));
    return members;
  }

 private:
  [[noreturn]] void throw_damaged(const std::string& what) const {
    throw Error(ErrorCode::kCorruptData, fmt::format("zip: {}: {}", where_, what),
                "was it copied whole? unzip -t tells");
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kUnsupported, fmt::format("zip: {}: {}", where_, what),
                "write it again: numpy.savez_compressed('data.npz', images=x, labels=y)");
  }

  std::vector<std::byte> read(std::uint64_t offset_bytes, std::uint64_t length_bytes) const {
    if (offset_bytes > size_bytes_ || length_bytes > size_bytes_ - offset_bytes) {
      throw_damaged(fmt::format("expected bytes within {}, found {} at {}", size_bytes_,
                                length_bytes, offset_bytes));
    }
    std::vector<std::byte> bytes(length_bytes);
    if (read_at(file_, offset_bytes, bytes, path_) != bytes.size()) {
      throw_damaged("expected the file as long as it was, found it shorter");
    }
    return bytes;
  }

  // Looks for the end record from the end on: a comment may follow it.
  DirectoryPlace find_directory() const {
    const std::uint64_t tail_bytes = std::min(size_bytes_, kEndBytes + kMaxCommentBytes);
    const std::uint64_t tail_at = size_bytes_ - tail_bytes;
    const std::vector<std::byte> tail = read(tail_at, tail_bytes);
    for (std::uint64_t at = tail_bytes < kEndBytes ? 0 : tail_bytes - kEndBytes + 1; at-- > 0;) {
      if (load_le<std::uint32_t>(&tail[at]) != kEndSignature) continue;
      const auto comment_bytes = load_le<std::uint16_t>(&tail[at + 20]);
      if (at + kEndBytes + comment_bytes != tail_bytes) continue;
      return place_from(Bytes(tail).subspan(at, kEndBytes), tail_at + at);
    }
    throw_damaged("expected a central directory at its end, found none");
  }

  DirectoryPlace place_from(Bytes end, std::uint64_t end_at) const {
    const DirectoryPlace place{.num_members = load_le<std::uint16_t>(&end[10]),
                               .size_bytes = load_le<std::uint32_t>(&end[12]),
                               .offset_bytes = load_le<std::uint32_t>(&end[16])};
    const bool is_whole = place.num_members != 0xFFFF && place.size_bytes != 0xFFFFFFFF &&
                          place.offset_bytes != 0xFFFFFFFF;
    if (is_whole || end_at < kLocatorBytes) return place;
    const std::vector<std::byte> locator = read(end_at - kLocatorBytes, kLocatorBytes);
    if (load_le<std::uint32_t>(locator.data()) != kLocator64Signature) return place;
    const auto end64 = read(load_le<std::uint64_t>(&locator[8]), kEnd64Bytes);
    if (load_le<std::uint32_t>(end64.data()) != kEnd64Signature) {
      throw_damaged("expected a zip64 end record, found other bytes");
    }
    return {.num_members = load_le<std::uint64_t>(&end64[32]),
            .size_bytes = load_le<std::uint64_t>(&end64[40]),
            .offset_bytes = load_le<std::uint64_t>(&end64[48])};
  }

  ZipMember next_member(Bytes& rest) const {
    if (rest.size() < kEntryBytes || load_le<std::uint32_t>(rest.data()) != kEntrySignature) {
      throw_damaged("directory: expected another member, found other bytes");
    }
    const auto flags = load_le<std::uint16_t>(&rest[8]);
    const auto method = load_le<std::uint16_t>(&rest[10]);
    const std::uint64_t name_bytes = load_le<std::uint16_t>(&rest[28]);
    const std::uint64_t extra_bytes = load_le<std::uint16_t>(&rest[30]);
    const std::uint64_t comment_bytes = load_le<std::uint16_t>(&rest[32]);
    ZipMember member{.name = {},
                     .crc32 = load_le<std::uint32_t>(&rest[16]),
                     .compressed_bytes = load_le<std::uint32_t>(&rest[20]),
                     .size_bytes = load_le<std::uint32_t>(&rest[24])};
    std::uint64_t local_at = load_le<std::uint32_t>(&rest[42]);
    if (name_bytes + extra_bytes + comment_bytes > rest.size() - kEntryBytes) {
      throw_damaged("directory: expected a member's name within it, found a longer one");
    }
    member.name.assign(reinterpret_cast<const char*>(rest.data()) + kEntryBytes, name_bytes);
    read_zip64(rest.subspan(kEntryBytes + name_bytes, extra_bytes), member, local_at);
    rest = rest.subspan(kEntryBytes + name_bytes + extra_bytes + comment_bytes);

    if ((flags & 1) != 0)
      refuse(tools::printable(member.name) + ": expected no encryption, found it");
    if (method != 0 && method != 8) {
      refuse(fmt::format("{}: expected stored or deflated bytes, found method {}",
                         tools::printable(member.name), method));
    }
    member.is_deflated = method == 8;
    if (!member.is_deflated && member.compressed_bytes != member.size_bytes) {
      throw_damaged("directory: expected one size of a stored member, found two");
    }
    member.data_offset_bytes = data_offset(local_at);
    if (member.compressed_bytes > size_bytes_ - member.data_offset_bytes) {
      throw_damaged(fmt::format("{}: expected {} bytes within the file, found the file shorter",
                                tools::printable(member.name), member.compressed_bytes));
    }
    return member;
  }

  // Numbers that do not fit 32 bits stand in a field of their own, in this order, each only where
  // the short one is all ones.
  void read_zip64(Bytes extra, ZipMember& member, std::uint64_t& local_at) const {
    while (extra.size() >= 4) {
      const auto id = load_le<std::uint16_t>(extra.data());
      const std::uint64_t length = load_le<std::uint16_t>(&extra[2]);
      if (length > extra.size() - 4)
        throw_damaged("directory: expected whole fields, found a cut one");
      Bytes field = extra.subspan(4, length);
      extra = extra.subspan(4 + length);
      if (id != kZip64Field) continue;
      for (std::uint64_t* number : {&member.size_bytes, &member.compressed_bytes, &local_at}) {
        if (*number != 0xFFFFFFFF) continue;
        if (field.size() < 8) throw_damaged("directory: expected a zip64 number, found none");
        *number = load_le<std::uint64_t>(field.data());
        field = field.subspan(8);
      }
      return;
    }
  }

  // Behind the local header, whose name and fields may be of other lengths than the directory's.
  std::uint64_t data_offset(std::uint64_t local_at) const {
    const std::vector<std::byte> local = read(local_at, kLocalBytes);
    if (load_le<std::uint32_t>(local.data()) != kLocalSignature) {
      throw_damaged("expected a member where the directory says, found other bytes");
    }
    const std::uint64_t at = local_at + kLocalBytes + load_le<std::uint16_t>(&local[26]) +
                             load_le<std::uint16_t>(&local[28]);
    if (at > size_bytes_) throw_damaged("expected a member within the file, found it beyond");
    return at;
  }

  const UniqueFd& file_;
  const std::filesystem::path& path_;
  const std::string where_;
  const std::uint64_t size_bytes_;
};

}  // namespace

bool begins_as_zip(std::span<const std::byte> first_bytes) noexcept {
  return first_bytes.size() >= 4 && load_le<std::uint32_t>(first_bytes.data()) == kLocalSignature;
}

std::vector<ZipMember> read_zip_directory(const UniqueFd& file, const std::filesystem::path& path) {
  return ZipFile(file, path).members();
}

}  // namespace penstock::convert
