// What several processes that train one network do between backward and update: they add their gradients up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "streamer/core/batch.h"

namespace penstock::train {

/// The gradient of one parameter as a program keeps it, padding included: the same on every rank. In float16 it
/// is multiplied with the loss scale, which is the same on every rank as well.
struct GradientBlock {
  void* values = nullptr;  // where the program computes: host or device memory
  std::size_t num_elements = 0;
  std::size_t element_bytes = sizeof(float);
  ElementType element = ElementType::kFloat32;  // of double, element_bytes says 8
};

/// Adds gradients up over ranks. A program calls it at the start of each update, with all parameters that learn,
/// in the order of the graph; the norm for clipping and whether a step is finite are then those of the sums.
///
/// Lifetime  outlives the programs that were lowered with it
/// Threads   the caller of Program::run()
class GradReducer {
 public:
  virtual ~GradReducer() = default;

  virtual std::uint32_t num_ranks() const noexcept = 0;
  /// Puts the sums over all ranks in place. `stream` is a device's (cudaStream_t): the work is enqueued there,
  /// behind what is there already, and nobody waits; null on the host, where it is done on return. The blocks are
  /// the same, in the same order, at every step. Throws what ends the run.
  virtual void reduce(std::span<const GradientBlock> gradients, void* stream) = 0;
};

/// One process: what it has is the sum.
class OneRankReducer final : public GradReducer {
 public:
  std::uint32_t num_ranks() const noexcept override { return 1; }
  void reduce(std::span<const GradientBlock> /*gradients*/, void* /*stream*/) override {}
};

}  // namespace penstock::train
