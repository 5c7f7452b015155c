// Which refusals of the operating system concern one file or folder of the source alone.
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"

namespace penstock::convert {

/// True for an errno value that says something about one path: the rest can still be converted.
/// Any other (EIO or ESTALE of a disk or server, EMFILE or ENOMEM of this process) would meet the
/// other paths as well, and must end the conversion: else a server that drops out half-way leaves
/// half a dataset that looks whole.
constexpr bool concerns_one_path(int error_number) noexcept {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:  // a socket
      return true;
    default:
      return false;
  }
}

inline constexpr const char* kSourceFaultHint =
    "see whether the disk of SOURCE answers, then type the same command again";

/// Ends a conversion whose source, or a folder or file of it that many pictures lie in, is not there any
/// more. Throws Io.
[[noreturn]] void throw_gone(const std::string& where);

/// Opens a file that many pictures lie in and that could be read when it was listed: if it cannot be opened
/// now, that is no matter of one picture. Throws Io.
UniqueFd open_listed(const std::filesystem::path& path);

}  // namespace penstock::convert
