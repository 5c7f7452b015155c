#include "tools/convert/source/class_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/utf8.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

struct NumberedName {
  std::uint32_t class_idx = 0;
  std::string name;
};

std::optional<NumberedName> numbered(const std::string& line) {
  NumberedName result;
  const char* const end = line.data() + line.size();
  const auto [at, error] = std::from_chars(line.data(), end, result.class_idx);
  if (error != std::errc() || at == end || *at != ',') return std::nullopt;
  result.name.assign(at + 1, end);
  return result;
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("class names: {}: expected {}", tools::printable_path(file), what),
              "write one name a line, or lines such as 0,cat");
}

// In the order of their indices, which must leave none out.
std::vector<std::string> in_order(const std::filesystem::path& file,
                                  const std::vector<std::string>& lines) {
  std::map<std::uint32_t, std::string> names;
  for (const std::string& line : lines) {
    const std::optional<NumberedName> one = numbered(line);
    if (!one) return lines;  // then they are names as they stand
    if (!names.emplace(one->class_idx, one->name).second) {
      refuse(file, fmt::format("each index once, found {} twice", one->class_idx));
    }
  }
  std::vector<std::string> ordered;
  for (auto& [class_idx, name] : names) {
    if (class_idx != ordered.size()) {
      refuse(file, fmt::format("a name for every index, found none for {}", ordered.size()));
    }
    ordered.push_back(std::move(name));
  }
  return ordered;
}

}  // namespace

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
    begin = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

bool are_class_names(const std::vector<std::string>& names) {
  const std::set<std::string_view> different(names.begin(), names.end());
  return different.size() == names.size() && different.count("") == 0 &&
         std::all_of(names.begin(), names.end(), [](const auto& name) { return is_utf8(name); });
}

std::vector<std::string> read_class_names(const std::filesystem::path& file) {
  const std::vector<std::string> lines = lines_of(read_text_file(file));
  std::vector<std::string> names = in_order(file, lines);
  if (names.empty()) refuse(file, "a name for each class, found nothing");
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty()) refuse(file, "no empty name, found one");
    if (!is_utf8(name)) refuse(file, fmt::format("UTF-8, found '{}'", tools::printable(name)));
    if (!seen.insert(name).second) {
      refuse(file, fmt::format("different names, found '{}' twice", tools::printable(name)));
    }
  }
  if (names.size() > kMaxNumberedClasses) {
    refuse(file, fmt::format("at most {} names, found {}", kMaxNumberedClasses, names.size()));
  }
  return names;
}

std::vector<std::string> numbered_class_names(std::uint32_t num_classes) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < num_classes; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace penstock::convert
