#include "tools/care/file_exchange.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

// EPERM: FAT and some network disks (link(2)).
bool knows_no_second_names(int error_number) {
  return error_number == EPERM || error_number == EOPNOTSUPP || error_number == ENOSYS ||
         error_number == EMLINK;
}

}  // namespace

void exchange_names(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return;
  if (!knows_plain_renames_only(errno)) {
    throw_io_error(errno, "exchange", printable_path(a) + " and " + printable_path(b));
  }
  fs::path displaced = b;
  displaced += ".displaced";
  rename_to_new(b, displaced);
  rename_file(a, b);
  rename_to_new(displaced, a);
}

fs::path keep_as_damaged(const fs::path& file) {
  for (int again = 0;; ++again) {
    fs::path aside = file;
    aside += again == 0 ? std::string(".damaged") : fmt::format(".damaged.{}", again);
    if (::link(file.c_str(), aside.c_str()) == 0) return aside;
    if (errno == EEXIST) {
      std::error_code ignored;  // one that cannot be looked at is another
      if (fs::equivalent(file, aside, ignored)) return aside;
      continue;
    }
    if (!knows_no_second_names(errno)) throw_io_error(errno, "link", printable_path(aside));
    if (fs::exists(fs::symlink_status(aside))) continue;
    rename_to_new(file, aside);
    return aside;
  }
}

}  // namespace penstock::care
