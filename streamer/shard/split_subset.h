// A part of a split: by class, by fraction, or both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock {

/// Which samples of a split to keep. Those of the named classes, and of these the fraction.
struct SubsetConfig {
  /// Classes to keep, by name and by index. With both empty: all samples, also those without a
  /// label. Class indices stay as they are: a network has as many outputs as before.
  std::vector<std::string> class_names = {};
  std::vector<std::uint32_t> class_indices = {};
  /// The fraction to keep, from `from_fraction` up to below `to_fraction`, 0 to 1. Each sample has
  /// a place in [0, 1), drawn by `seed` and its encoded bytes. So {0, 0.1} and {0.1, 1} part a
  /// split in two, {0, 0.1} lies within {0, 0.2}, a sample keeps its side when others are added,
  /// and the same picture twice lies on one side. How many are kept is near the fraction, not
  /// exactly it.
  double from_fraction = 0.0;
  double to_fraction = 1.0;
  std::uint64_t seed = 0;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

}  // namespace penstock
