// Which split a file falls into, and where in it: pure functions of (seed, path), so that adding
// files moves none of the others.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::convert {

/// In the order in which splits are written.
enum class SplitKind : std::uint8_t { kTrain, kValidation, kTest };
inline constexpr std::uint32_t kNumSplits = 3;

/// Returns the name of a split in datasets: "train", "validation", "test".
constexpr std::string_view split_name(SplitKind split) {
  switch (split) {
    case SplitKind::kTrain:
      return "train";
    case SplitKind::kValidation:
      return "validation";
    case SplitKind::kTest:
      return "test";
  }
  return "";
}

/// Draws splits by chance, repeatably.
struct SplitRule {
  double validation_fraction = 0.1;
  double test_fraction = 0.0;
  std::uint64_t seed = 0;

  /// The fractions hold approximately: each file decides for itself.
  SplitKind split_of(std::string_view path) const noexcept;
  /// What split_of() goes by: the lowest are drawn for validation, the next for testing.
  std::uint64_t split_key(std::string_view path) const noexcept;
  /// Sorting by this mixes the classes within a split.
  std::uint64_t order_key(std::string_view path) const noexcept;

  /// Throws InvalidArgument when the fractions leave nothing to train on.
  void validate() const;
};

}  // namespace penstock::convert
