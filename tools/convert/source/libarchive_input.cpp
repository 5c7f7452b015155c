#include "tools/convert/source/libarchive_input.h"

#include <archive.h>

#include <cerrno>
#include <type_traits>

#include "streamer/core/error.h"
#include "tools/convert/ascii_case.h"

namespace penstock::convert {

static_assert(std::is_same_v<la_int64_t, long> && std::is_same_v<la_ssize_t, long>,
              "libarchive's callbacks have the types that libarchive_input.h names");

void FreeArchive::operator()(archive* handle) const noexcept {
  ::archive_read_free(handle);
}

UniqueArchive new_archive_reader() {
  UniqueArchive handle(::archive_read_new());
  if (!handle) throw Error(ErrorCode::kOutOfMemory, "archive: expected memory for a reader");
  return handle;
}

int LibarchiveInput::open(archive* handle) {
  ::archive_read_set_read_callback(handle, read_block);
  ::archive_read_set_skip_callback(handle, skip_bytes);
  ::archive_read_set_callback_data(handle, this);
  return ::archive_read_open1(handle);
}

long LibarchiveInput::read_block(archive* handle, void* self, const void** block) {
  auto* const input = static_cast<LibarchiveInput*>(self);
  try {
    const std::span<const std::byte> bytes = input->stream_->next();
    *block = bytes.data();
    return static_cast<long>(bytes.size());
  } catch (...) {
    input->error_ = std::current_exception();
    ::archive_set_error(handle, EIO, "read failed");
    return -1;
  }
}

long LibarchiveInput::skip_bytes(archive* handle, void* self, long num_bytes) {
  auto* const input = static_cast<LibarchiveInput*>(self);
  try {
    return static_cast<long>(input->stream_->skip(static_cast<std::uint64_t>(num_bytes)));
  } catch (...) {
    input->error_ = std::current_exception();
    ::archive_set_error(handle, EIO, "read failed");
    return -1;
  }
}

ArchiveFault fault_of(archive* handle) {
  const char* const text = ::archive_error_string(handle);
  std::string words = text == nullptr ? "no reason given" : text;
  // libarchive has one code for both. Its readers say "truncated", but for xz, where liblzma has found
  // no more input.
  const bool is_cut = ascii_lower(words).find("truncated") != std::string::npos ||
                      words.find("No progress is possible") != std::string::npos;
  return {.reason = is_cut ? ReasonCode::kArchiveTruncated : ReasonCode::kArchiveDamaged,
          .detail = std::move(words)};
}

}  // namespace penstock::convert
