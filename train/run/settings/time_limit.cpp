#include "train/run/settings/time_limit.h"

#include <array>
#include <cmath>

#include "streamer/core/number_text.h"

namespace penstock::train {
namespace {

constexpr double kMaxMinutes = 525600;  // a year

struct Unit {
  char letter;
  double minutes;
};
constexpr std::array kUnits = {Unit{'h', 60}, Unit{'m', 1}, Unit{'s', 1.0 / 60}};

std::optional<double> within_bounds(double minutes) {
  if (minutes > 0 && minutes <= kMaxMinutes) return minutes;
  return std::nullopt;
}

/// The digits before `end`; nothing where there are none, or a sign or an exponent among them.
std::optional<double> plain_number(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789.") != digits.npos) return std::nullopt;
  return parse_digits<double>(digits);
}

}  // namespace

std::optional<double> parse_time_limit(std::string_view text) {
  if (const auto minutes = plain_number(text)) return within_bounds(*minutes);
  double minutes = 0;
  for (const Unit& unit : kUnits) {
    const std::size_t end = text.find(unit.letter);
    if (end == text.npos) continue;
    const auto number = plain_number(text.substr(0, end));
    if (!number) return std::nullopt;
    // Seconds divided, not multiplied with a rounded sixtieth.
    minutes += unit.letter == 's' ? *number / 60 : *number * unit.minutes;
    text.remove_prefix(end + 1);
  }
  return text.empty() ? within_bounds(minutes) : std::nullopt;
}

std::string format_time_limit(double minutes) {
  // To the millisecond: what was typed, not what its parts add up to.
  const double seconds = std::round(minutes * 60 * 1000) / 1000;
  const double hours = std::floor(seconds / 3600);
  const double whole_minutes = std::floor((seconds - hours * 3600) / 60);
  const double rest = std::round((seconds - hours * 3600 - whole_minutes * 60) * 1000) / 1000;
  std::string text;
  if (hours > 0) text += number_text(hours) + "h";
  if (whole_minutes > 0) text += number_text(whole_minutes) + "m";
  if (rest > 0 || text.empty()) text += number_text(rest) + "s";
  return text;
}

}  // namespace penstock::train
