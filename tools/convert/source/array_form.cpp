#include "tools/convert/source/array_form.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace penstock::convert {

bool has_countable_size(const ArrayForm& form) noexcept {
  constexpr std::uint64_t kMaxBytes = INT64_MAX;
  std::uint64_t bytes = form.element_bytes;
  if (bytes == 0) return false;
  // A side of zero makes the whole empty, but not the rows.
  for (const std::uint64_t side : form.shape) {
    if (side > kMaxBytes / bytes) return false;
    if (side > 0) bytes *= side;
  }
  return true;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace penstock::convert
