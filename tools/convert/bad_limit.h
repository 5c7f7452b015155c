// How many bad pictures a conversion bears.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::convert {

/// A number of pictures, or a part of all.
struct BadLimit {
  std::uint64_t num_pictures = UINT64_MAX;  // no limit
  double fraction = 1.0;                    // of all that were listed, 0 to 1

  /// How many may be bad among `num_listed`.
  std::uint64_t allowed_of(std::uint64_t num_listed) const noexcept;
};

/// Reads "12" or "5%"; `flag` names the option in the error. Throws InvalidArgument.
BadLimit parse_bad_limit(const std::string& text, const std::string& flag);

}  // namespace penstock::convert
