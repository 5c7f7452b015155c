#include "streamer/shard/hdf5_child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/shard/hdf5_handle.h"

namespace penstock {
namespace {

// For one thing told; metadata take milliseconds, a chunk less than a second.
constexpr unsigned kMostSeconds = 60;

enum class Kind : std::uint32_t { kTold = 1, kRefused, kDone };

// In front of everything that is told.
struct Head {
  Kind kind = Kind::kDone;
  std::uint32_t num_bytes = 0;
};

void write_whole(const UniqueFd& to, const void* bytes, std::size_t num_bytes) {
  const auto* at = static_cast<const char*>(bytes);
  while (num_bytes > 0) {
    const ssize_t written = ::write(to.get(), at, num_bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);  // nobody listens any more
    at += written;
    num_bytes -= static_cast<std::size_t>(written);
  }
}

// The parent may take its time.
void tell(const UniqueFd& to, Kind kind, std::string_view bytes) {
  ::alarm(0);
  check_internal(bytes.size() <= Hdf5Child::kMaxToldBytes, "things told are small");
  const Head head{kind, static_cast<std::uint32_t>(bytes.size())};
  write_whole(to, &head, sizeof head);
  write_whole(to, bytes.data(), bytes.size());
  ::alarm(kMostSeconds);
}

std::string words_of(const Error& error) {
  return std::to_string(static_cast<int>(error.code())) + '\0' + error.what() + '\0' + error.hint();
}

void work_and_tell(const UniqueFd& to, const Hdf5Child::Work& work, const std::string& where,
                   const std::string& hint) {
  try {
    work([&](std::string_view bytes) { tell(to, Kind::kTold, bytes); });
    tell(to, Kind::kDone, "");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal) return tell(to, Kind::kRefused, words_of(error));
    const Error damage(ErrorCode::kCorruptData,
                       where + ": expected HDF5 metadata, found: " + error.what(), hint);
    tell(to, Kind::kRefused, words_of(damage));
  }
}

// Ends the child whatever happens. Nothing of the parent's is closed or flushed.
[[noreturn]] void run_child(const UniqueFd& to, const Hdf5Child::Work& work,
                            const std::string& where, const std::string& hint) noexcept try {
  std::signal(SIGALRM, SIG_DFL);
  ::alarm(kMostSeconds);
  work_and_tell(to, work, where, hint);
  ::_exit(0);
} catch (...) {
  ::_exit(1);
}

[[noreturn]] void throw_told(const std::string& words) {
  const std::size_t code_end = words.find('\0');
  const std::size_t text_end =
      code_end == std::string::npos ? code_end : words.find('\0', code_end + 1);
  check_internal(text_end != std::string::npos, "a refusal in three parts");
  throw Error(static_cast<ErrorCode>(std::stoi(words)),
              words.substr(code_end + 1, text_end - code_end - 1), words.substr(text_end + 1));
}

}  // namespace

Hdf5Child::Hdf5Child(std::string where, std::string hint, const Work& work)
    : where_(std::move(where)), hint_(std::move(hint)) {
  // The child is made while the library is at rest and no other child can inherit its pipe.
  const Hdf5Session session;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_io_error(errno, "make pipe", where_);
  from_ = UniqueFd(ends[0]);
  const UniqueFd to(ends[1]);  // the parent's is closed at once
  child_ = ::fork();
  if (child_ == 0) run_child(to, work, where_, hint_);
  if (child_ < 0) throw_io_error(errno, "start a process for", where_);
}

Hdf5Child::~Hdf5Child() {
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);  // where it is done already, this does nothing
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Hdf5Child::throw_broken() const {
  throw Error(ErrorCode::kCorruptData,
              where_ + ": expected HDF5 metadata, found bytes that break the HDF5 library", hint_);
}

bool Hdf5Child::read_whole(char* bytes, std::size_t num_bytes) const {
  while (num_bytes > 0) {
    const ssize_t got = ::read(from_.get(), bytes, num_bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    num_bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<std::string> Hdf5Child::next() {
  Head head;
  if (!read_whole(reinterpret_cast<char*>(&head), sizeof head) || head.num_bytes > kMaxToldBytes) {
    throw_broken();
  }
  std::string told(head.num_bytes, '\0');
  if (!read_whole(told.data(), told.size())) throw_broken();
  if (head.kind == Kind::kRefused) throw_told(told);
  if (head.kind == Kind::kTold) return told;
  return std::nullopt;
}

std::vector<std::string> Hdf5Child::all() {
  std::vector<std::string> told;
  while (auto one = next()) told.push_back(std::move(*one));
  return told;
}

}  // namespace penstock
