#include "tools/convert/source/split_rule.h"

#include <array>
#include <string>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

// XXH3 of the purpose, the seed (little-endian) and the path. The purpose keeps the order within a
// split independent of the draw that made the split.
std::uint64_t path_hash(char purpose, std::uint64_t seed, std::string_view path) noexcept {
  std::array<std::byte, 9> head{static_cast<std::byte>(purpose)};
  for (std::size_t i = 0; i < 8; ++i) head[1 + i] = static_cast<std::byte>(seed >> (8 * i));
  StreamHasher hasher;
  hasher.update(head);
  hasher.update(path);
  return hasher.digest_64();
}

}  // namespace

SplitKind SplitRule::split_of(std::string_view path) const noexcept {
  // The upper 53 bits as a fraction in [0, 1).
  const double draw = static_cast<double>(split_key(path) >> 11) * 0x1p-53;
  if (draw < validation_fraction) return SplitKind::kValidation;
  if (draw < validation_fraction + test_fraction) return SplitKind::kTest;
  return SplitKind::kTrain;
}

std::uint64_t SplitRule::split_key(std::string_view path) const noexcept {
  return path_hash('s', seed, path);
}

std::uint64_t SplitRule::order_key(std::string_view path) const noexcept {
  return path_hash('o', seed, path);
}

void SplitRule::validate() const {
  const auto is_fraction = [](double value) { return value >= 0.0 && value < 1.0; };
  if (is_fraction(validation_fraction) && is_fraction(test_fraction) &&
      validation_fraction + test_fraction < 1.0) {
    return;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "splits: validation_split and test_split: expected a sum from 0 to below 1, found " +
                  std::to_string(validation_fraction) + " and " + std::to_string(test_fraction),
              "--validation-split 0.1 --test-split 0.1");
}

}  // namespace penstock::convert
