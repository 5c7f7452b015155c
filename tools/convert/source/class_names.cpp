#include "tools/convert/source/class_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "streamer/core/utf8.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/source/dataset_layout.h"

namespace penstock::convert {
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

std::string class_label_fault(const std::string& label) {
  if (label.find('\0') != std::string::npos) return "a label with a zero byte";
  const std::size_t num_bytes = stored_class_name(label).size();
  if (num_bytes <= kMaxClassNameBytes) return "";
  return fmt::format("a label of {} bytes, a class has at most {}", num_bytes, kMaxClassNameBytes);
}

std::vector<std::string> numbered_class_names(std::uint32_t num_classes) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < num_classes; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace penstock::convert
