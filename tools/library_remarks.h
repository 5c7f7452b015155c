// Keeps the remarks of libraries off the user's terminal: they write to stderr, and quarantine.csv
// says the same better.
#pragma once

#include <cstdio>
#include <memory>

namespace penstock::tools {

/// While it lives, descriptor 2 leads nowhere and stream() is the stderr that the user sees.
///
/// Threads  one instance at a time; made and destroyed while no other thread writes to stderr
class LibraryRemarksSilenced {
 public:
  /// Throws Io.
  LibraryRemarksSilenced();
  LibraryRemarksSilenced(const LibraryRemarksSilenced&) = delete;
  LibraryRemarksSilenced& operator=(const LibraryRemarksSilenced&) = delete;
  ~LibraryRemarksSilenced();

  std::FILE* stream() const noexcept { return stream_.get(); }

 private:
  struct CloseStream {
    void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
  };

  std::unique_ptr<std::FILE, CloseStream> stream_;  // on a duplicate of descriptor 2
};

}  // namespace penstock::tools
