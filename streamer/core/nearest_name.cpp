#include "streamer/core/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace penstock {

// Wagner and Fischer, The string-to-string correction problem (1974), one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_name(std::string_view typed, std::span<const std::string_view> known) {
  if (known.empty()) return {};
  const std::string_view nearest = *std::ranges::min_element(
      known, {}, [&](std::string_view name) { return edit_distance(typed, name); });
  const bool is_near = edit_distance(typed, nearest) <= std::max<std::size_t>(2, typed.size() / 3);
  return is_near ? std::string(nearest) : std::string();
}

std::string nearest_name_hint(std::string_view typed, std::span<const std::string_view> known) {
  const std::string nearest = nearest_name(typed, known);
  if (!nearest.empty()) return "did you mean '" + nearest + "'?";
  std::string hint = "known names:";
  for (const std::string_view name : known) hint += " " + std::string(name);
  return known.empty() ? std::string() : hint;
}

}  // namespace penstock
