#include "train/run/memory/system_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

// Files of the kernel have no size beforehand: they are read to their end.
std::optional<std::string> read_kernel_file(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<std::uint64_t> leading_number(std::string_view text) {
  const std::size_t start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, failure] =
      std::from_chars(text.data() + start, text.data() + text.size(), value);
  if (failure != std::errc{} || end == text.data() + start) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> meminfo_bytes(const std::string& meminfo, const std::string& field) {
  constexpr std::uint64_t kKilobyte = 1024;  // meminfo's "kB"
  const std::size_t at = ("\n" + meminfo).find("\n" + field + ":");
  if (at == std::string::npos) return std::nullopt;
  const auto value = leading_number(std::string_view(meminfo).substr(at + field.size() + 1));
  if (!value) return std::nullopt;
  return *value * kKilobyte;
}

// A limit that no machine reaches is how version 1 says "none"; version 2 says "max".
std::optional<std::uint64_t> read_limit(const fs::path& file) {
  constexpr std::uint64_t kNoLimit = 1ull << 60;
  const auto text = read_kernel_file(file);
  const auto value = text ? leading_number(*text) : std::nullopt;
  if (!value || *value >= kNoLimit) return std::nullopt;
  return value;
}

void tighten(std::optional<std::uint64_t>& limit, std::optional<std::uint64_t> other) {
  if (other) limit = limit ? std::min(*limit, *other) : *other;
}

// A limit binds all groups beneath it. In a container the group's own path may not be visible;
// then its root is the group itself.
std::optional<std::uint64_t> tightest_limit(const fs::path& mount, std::string_view group,
                                            const char* file) {
  std::optional<std::uint64_t> limit = read_limit(mount / file);
  fs::path folder = mount;
  for (const fs::path& name : fs::path(group).relative_path()) {
    if (name == "..") break;
    folder /= name;
    tighten(limit, read_limit(folder / file));
  }
  return limit;
}

std::optional<std::uint64_t> read_cgroup_limit(const fs::path& root) {
  const auto groups = read_kernel_file(root / "proc/self/cgroup");
  if (!groups) return std::nullopt;
  const fs::path mount = root / "sys/fs/cgroup";
  std::optional<std::uint64_t> limit;
  std::istringstream lines(*groups);
  // "hierarchy:controllers:/group"; version 2 has hierarchy 0 and no controllers.
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      tighten(limit, tightest_limit(mount, group, "memory.max"));
    } else if (controllers.find(",memory,") != std::string::npos) {
      tighten(limit, tightest_limit(mount / "memory", group, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

}  // namespace

std::uint64_t SystemMemory::usable_bytes() const noexcept {
  return std::min(available_bytes, cgroup_limit_bytes.value_or(UINT64_MAX));
}

std::uint64_t SystemMemory::default_limit_bytes() const noexcept {
  return usable_bytes() / 5 * 4;
}

SystemMemory read_system_memory(const fs::path& root) {
  const std::string meminfo = read_kernel_file(root / "proc/meminfo").value_or("");
  const auto available_bytes = meminfo_bytes(meminfo, "MemAvailable");
  if (!available_bytes) {
    throw Error(ErrorCode::kIo, "memory: /proc/meminfo: expected a line MemAvailable, found none");
  }
  return {.machine_bytes = meminfo_bytes(meminfo, "MemTotal").value_or(0),
          .available_bytes = *available_bytes,
          .cgroup_limit_bytes = read_cgroup_limit(root)};
}

}  // namespace penstock::train
