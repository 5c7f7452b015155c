#include "tools/convert/source/member_name.h"

#include <algorithm>

namespace penstock::convert {
namespace {

// Calls `visit` with each name and where it ends, until that returns false.
template <class Visit>
void each_name(std::string_view path, const Visit& visit) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (!visit(path.substr(begin, end - begin), end)) return;
    begin = end + 1;
  }
}

}  // namespace

std::optional<std::string> member_path(std::string_view name) {
  if (name.empty() || name.front() == '/') return std::nullopt;
  std::string path;
  bool climbs = false;
  each_name(name, [&](std::string_view part, std::size_t) {
    climbs = part == "..";
    if (climbs || part.empty() || part == ".") return !climbs;
    if (!path.empty()) path += '/';
    path += part;
    return true;
  });
  if (climbs) return std::nullopt;
  return path;
}

std::optional<PassedOver> passed_over(std::string_view path) {
  std::optional<PassedOver> found;
  each_name(path, [&](std::string_view part, std::size_t end) {
    const NameKind kind = name_kind(part);
    if (kind != NameKind::kOrdinary) found = PassedOver{kind, path.substr(0, end)};
    return !found;
  });
  return found;
}

}  // namespace penstock::convert
