#include "tools/convert/source/row_path.h"

#include <algorithm>
#include <array>

#include "tools/convert/ascii_case.h"

namespace penstock::convert {
namespace {

// The folder right above a file: "cat" of animals/cat/1.jpg.
std::string last_folder(std::string_view path) {
  const std::size_t end = path.rfind('/');
  if (end == std::string_view::npos) return "";
  path = path.substr(0, end);
  const std::size_t begin = path.rfind('/');
  return std::string(begin == std::string_view::npos ? path : path.substr(begin + 1));
}

void add(std::vector<RowPath>& paths, std::string_view path, std::string_view label) {
  if (auto beneath = beneath_path(path)) {
    paths.push_back({std::move(*beneath), std::string(label)});
  }
}

}  // namespace

std::optional<std::string> beneath_path(std::string_view path) {
  if (path.starts_with('/') || path.find('\0') != std::string_view::npos) return std::nullopt;
  std::string beneath;
  // Links are never followed, so that names alone say where "dog/../eel" leads.
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (beneath.empty()) return std::nullopt;
      const std::size_t last = beneath.rfind('/');
      beneath.resize(last == std::string::npos ? 0 : last);
      continue;
    }
    if (!beneath.empty()) beneath += '/';
    beneath += name;
  }
  if (beneath.empty()) return std::nullopt;
  return beneath;
}

std::vector<RowPath> row_paths(const TableRow& row, TableKind kind) {
  std::vector<RowPath> paths;
  add(paths, row.path, row.label);
  if (kind != TableKind::kList || !row.label.empty()) return paths;
  if (!paths.empty()) paths.front().label = last_folder(paths.front().path);
  const std::size_t space = row.path.rfind(' ');
  if (space != std::string::npos && space + 1 < row.path.size()) {
    add(paths, std::string_view(row.path).substr(0, space), row.path.substr(space + 1));
  }
  return paths;
}

std::span<const std::string_view> tried_extensions() {
  static constexpr std::array<std::string_view, 8> kTried = {".jpg", ".jpeg", ".png", ".webp",
                                                             ".bmp", ".gif",  ".tif", ".tiff"};
  return kTried;
}

bool has_tried_extension(std::string_view path) {
  const std::string lower = ascii_lower(path);
  return std::ranges::any_of(
      tried_extensions(), [&](std::string_view extension) { return lower.ends_with(extension); });
}

}  // namespace penstock::convert
