#include "train/store/checkpoint_name.h"

#include <algorithm>

#include "streamer/core/number_text.h"

namespace penstock::train {
namespace {

// So that names sort as the numbers do; more digits are taken when they are needed.
constexpr std::size_t kSerialDigits = 6;
constexpr std::size_t kStepDigits = 9;
constexpr std::string_view kBetween = "-step-";

std::string padded(std::uint64_t value, std::size_t num_digits) {
  const std::string digits = std::to_string(value);
  return std::string(num_digits - std::min(num_digits, digits.size()), '0') + digits;
}

}  // namespace

std::string checkpoint_name(const CheckpointNumbers& numbers) {
  return padded(numbers.serial, kSerialDigits) + std::string(kBetween) +
         padded(numbers.step, kStepDigits);
}

std::optional<CheckpointNumbers> parse_checkpoint_name(std::string_view name) {
  const std::size_t between = name.find(kBetween);
  if (between == std::string_view::npos) return std::nullopt;
  const auto serial = parse_digits<std::uint64_t>(name.substr(0, between));
  const auto step = parse_digits<std::uint64_t>(name.substr(between + kBetween.size()));
  if (!serial || !step || *serial == 0 || *serial > kMaxSerial) return std::nullopt;
  const CheckpointNumbers numbers{.serial = *serial, .step = *step};
  if (checkpoint_name(numbers) != name) return std::nullopt;  // "7-step-7", "0000007-step-..."
  return numbers;
}

}  // namespace penstock::train
