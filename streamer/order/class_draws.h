// Class-balanced sampling with replacement.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "streamer/order/weighted_draws.h"

namespace penstock {

/// Draws a class, each that has samples equally often, then one of its samples. Samples without a
/// label are never drawn.
///
/// Cost     one Philox block, two look-ups
/// Memory   price_bytes(): 4 bytes a sample and 16 a class, of which 8 stay
/// Threads  immutable
class ClassDraws {
 public:
  struct Config {
    std::uint64_t num_samples = 0;  // below 2^32
    std::uint32_t num_classes = 0;
    /// The class index of a sample; num_classes and above: no label. Called twice for each.
    std::function<std::uint32_t(std::uint64_t sample_id)> class_of;
  };

  /// Throws InvalidArgument when no sample has a label.
  explicit ClassDraws(const Config& config);

  static std::uint64_t price_bytes(std::uint64_t num_samples, std::uint32_t num_classes) noexcept;

  std::uint64_t sample_for(const DrawPlace& place) const noexcept;

 private:
  std::vector<std::uint32_t> sample_ids_;    // class by class
  std::vector<std::uint64_t> class_begins_;  // of the classes with samples, in sample_ids_; the end
};

}  // namespace penstock
