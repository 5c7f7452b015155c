// How long a run may take, as people write it: "90s", "45m", "2h30m", or a number of minutes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::train {

/// Returns minutes; nothing for a text that is none of these, has a unit twice or in another order, or comes
/// to 0 or more than a year.
std::optional<double> parse_time_limit(std::string_view text);

/// Formats as "2h30m", "45m", "1m30s"; parts of a second are kept: "1.5s".
std::string format_time_limit(double minutes);

}  // namespace penstock::train
