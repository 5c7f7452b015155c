#include "streamer/order/epoch_range.h"

#include <algorithm>

namespace penstock {
namespace {

std::uint64_t global_batch(const EpochShape& shape) noexcept {
  return std::uint64_t{shape.batch} * shape.rank.world;
}

}  // namespace

std::uint64_t num_batches(const EpochShape& shape) noexcept {
  const std::uint64_t left =
      shape.num_positions - std::min(shape.first_position, shape.num_positions);
  const std::uint64_t whole = left / global_batch(shape);
  const bool has_remainder = left % global_batch(shape) != 0;
  return whole + (has_remainder && !shape.drop_remainder ? 1 : 0);
}

PositionRange batch_range(const EpochShape& shape, std::uint64_t batch_idx) noexcept {
  const std::uint64_t begin = shape.first_position + batch_idx * global_batch(shape) +
                              std::uint64_t{shape.rank.index} * shape.batch;
  return {std::min(begin, shape.num_positions), std::min(begin + shape.batch, shape.num_positions)};
}

std::uint64_t position_after(const EpochShape& shape, std::uint64_t batch_idx) noexcept {
  return std::min(shape.first_position + (batch_idx + 1) * global_batch(shape),
                  shape.num_positions);
}

}  // namespace penstock
