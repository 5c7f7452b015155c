// Folders that may not be read, for tests that root runs as well.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace penstock::tests {

/// While it lives, `folder` has only the permissions `left`, and this thread and those it starts
/// obey them even as root. Afterwards its owner may do all with it.
class ForbiddenFolder {
 public:
  explicit ForbiddenFolder(std::filesystem::path folder,
                           std::filesystem::perms left = std::filesystem::perms::none)
      : folder_(std::move(folder)) {
    std::filesystem::permissions(folder_, left);
    ::syscall(SYS_capget, &header_, before_.data());
    std::array<__user_cap_data_struct, 2> lowered = before_;
    // capabilities(7): these two let root pass by the permissions of files and folders.
    lowered[0].effective &= ~(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
    ::syscall(SYS_capset, &header_, lowered.data());
  }
  ForbiddenFolder(const ForbiddenFolder&) = delete;
  ForbiddenFolder& operator=(const ForbiddenFolder&) = delete;
  ~ForbiddenFolder() {
    ::syscall(SYS_capset, &header_, before_.data());
    std::error_code ignored;  // a destructor has nobody to tell
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, ignored);
  }

 private:
  std::filesystem::path folder_;
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

}  // namespace penstock::tests
