#include "tools/convert/source/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

// The name in a pax header is UTF-8, which libarchive cannot turn into the C locale's letters: it then
// gives the bytes, with a warning.
std::string name_of(archive_entry* entry) {
  const char* name = ::archive_entry_pathname(entry);
  if (name == nullptr) name = ::archive_entry_pathname_utf8(entry);
  return name == nullptr ? std::string() : std::string(name);
}

// Null of what is no hard link.
const char* link_target_of(archive_entry* entry) {
  const char* name = ::archive_entry_hardlink(entry);
  return name == nullptr ? ::archive_entry_hardlink_utf8(entry) : name;
}

MemberKind kind_of(archive_entry* entry) {
  if (link_target_of(entry) != nullptr) return MemberKind::kHardLink;
  switch (::archive_entry_filetype(entry)) {
    case AE_IFREG:
      return MemberKind::kFile;
    case AE_IFDIR:
      return MemberKind::kFolder;
    case AE_IFLNK:
      return MemberKind::kSymbolicLink;
    default:
      return MemberKind::kSpecial;
  }
}

bool is_readable(int code) {
  return code == ARCHIVE_OK || code == ARCHIVE_WARN;
}

}  // namespace

TarReader::TarReader(ByteStream& stream)
    : stream_(&stream), input_(stream), handle_(new_archive_reader()) {
  ::archive_read_support_format_tar(handle_.get());
  // What lies behind an end mark is read too: else an archive that was appended would be lost in
  // silence, and checksums at the end of the compressed file would not be compared.
  ::archive_read_set_format_option(handle_.get(), "tar", "read_concatenated_archives", "1");
  if (input_.open(handle_.get()) != ARCHIVE_OK) fail();
}

bool TarReader::is_tar(ByteStream& stream) {
  TarReader reader(stream);
  // An archive of nothing is one too.
  return reader.next().has_value() || !reader.fault_;
}

std::optional<TarMember> TarReader::next() {
  if (fault_) return std::nullopt;
  archive_entry* entry = nullptr;
  const int code = ::archive_read_next_header(handle_.get(), &entry);
  if (code == ARCHIVE_EOF) {
    input_.rethrow();
    if (stream_->fault()) {
      fault_ = stream_->fault();
    } else if (position_bytes() == end_of_last_bytes_) {
      fault_ = ArchiveFault{.reason = ReasonCode::kArchiveTruncated,
                            .detail = "no end mark: it may be cut between two members"};
    }
    return std::nullopt;
  }
  if (!is_readable(code)) {
    fail();
    return std::nullopt;
  }
  TarMember member{.name = name_of(entry),
                   .kind = kind_of(entry),
                   .size_bytes = static_cast<std::uint64_t>(::archive_entry_size(entry)),
                   .offset_bytes = position_bytes(),
                   .has_holes = ::archive_entry_sparse_count(entry) > 0};
  if (member.kind == MemberKind::kHardLink) member.link_target = link_target_of(entry);
  end_of_last_bytes_ = member.offset_bytes;
  // With holes it takes fewer bytes than its size says, and how many is not told.
  if (member.kind == MemberKind::kFile && !member.has_holes) {
    constexpr std::uint64_t kTarBlockBytes = 512;
    end_of_last_bytes_ +=
        (member.size_bytes + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
  }
  return member;
}

std::size_t TarReader::read(std::span<std::byte> bytes) {
  std::size_t num_read = 0;
  while (!fault_ && num_read < bytes.size()) {
    const la_ssize_t more =
        ::archive_read_data(handle_.get(), bytes.data() + num_read, bytes.size() - num_read);
    if (more < 0) fail();
    if (more <= 0) break;
    num_read += static_cast<std::size_t>(more);
  }
  return num_read;
}

std::uint64_t TarReader::position_bytes() const {
  const la_int64_t position_bytes = ::archive_filter_bytes(handle_.get(), 0);
  return position_bytes < 0 ? 0 : static_cast<std::uint64_t>(position_bytes);
}

void TarReader::fail() {
  input_.rethrow();
  fault_ = stream_->fault() ? *stream_->fault() : fault_of(handle_.get());
  fault_->detail += fmt::format(" (at byte {})", position_bytes());
}

}  // namespace penstock::convert
