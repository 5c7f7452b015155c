// One row's pictures, plans and places, and its samples done in each of the ways that are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "augment/augment_transform.h"
#include "streamer/core/draws.h"
#include "tools/bench/augment_rows.h"

namespace penstock::tools::bench {

/// Threads  one at a time
class AugmentLoad {
 public:
  /// `batch` places, filled one after the other. Throws what AugmentConfig::validate() throws.
  AugmentLoad(const AugmentRow& row, PixelLayout layout, std::uint32_t batch);

  std::size_t num_samples() const noexcept { return plans_.size(); }

  /// Each writes sample `idx` into the next place, and returns that place. Only rows with a chain have
  /// one to call.
  std::span<const std::byte> transform(std::size_t idx);
  std::span<const std::byte> opencv(std::size_t idx);
  std::span<const std::byte> copy(std::size_t idx);

  /// Plans sample `idx` anew.
  void plan(std::size_t idx);

 private:
  std::span<std::byte> next_place();
  Draws draws_of(std::size_t idx) const;

  AugmentRow row_;
  augment::AugmentTransform transform_;
  BatchSpec spec_;
  SampleInfo info_;
  std::vector<std::uint8_t> pixels_;
  DecodedView decoded_;
  std::vector<SamplePlan> plans_;
  std::vector<ChainInput> chain_inputs_;
  std::shared_ptr<OpencvBuffers> buffers_;
  std::vector<std::byte> batch_;
  std::byte* first_place_ = nullptr;  // on a cache line of its own
  std::uint32_t place_idx_ = 0;
  std::vector<std::byte> image_;
  std::vector<std::byte> scratch_;
};

}  // namespace penstock::tools::bench
