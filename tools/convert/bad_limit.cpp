#include "tools/convert/bad_limit.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {

std::uint64_t BadLimit::allowed_of(std::uint64_t num_listed) const noexcept {
  const auto part = static_cast<std::uint64_t>(
      std::floor(fraction * static_cast<double>(num_listed) * (1 + 1e-12)));
  return std::min(num_pictures, fraction >= 1.0 ? num_listed : part);
}

BadLimit parse_bad_limit(const std::string& text, const std::string& flag) {
  const bool is_percent = !text.empty() && text.back() == '%';
  const char* const begin = text.data();
  const char* const end = begin + text.size() - (is_percent ? 1 : 0);
  BadLimit limit;
  double percent = 0;
  const auto [at, error] = is_percent ? std::from_chars(begin, end, percent)
                                      : std::from_chars(begin, end, limit.num_pictures);
  if (begin != end && at == end && error == std::errc{} && percent >= 0 && percent <= 100) {
    if (is_percent) limit.fraction = percent / 100;
    return limit;
  }
  throw Error(ErrorCode::kInvalidArgument,
              flag + ": expected a number of pictures or a part of them such as 12 or 5%, found '" +
                  tools::printable(text) + "'",
              flag + " 5%");
}

}  // namespace penstock::convert
