#include "streamer/order/stream_epochs.h"

namespace penstock {

EpochShape StreamEpochs::shape(std::uint32_t epoch) const noexcept {
  EpochShape shape = config_.whole;
  if (epoch == config_.first_epoch) shape.first_position = config_.first_position;
  return shape;
}

std::optional<std::uint64_t> StreamEpochs::num_batches_total() const noexcept {
  if (!config_.num_epochs) return std::nullopt;
  if (*config_.num_epochs == 0) return 0;
  return num_batches(shape(config_.first_epoch)) +
         (*config_.num_epochs - 1) * num_batches(config_.whole);
}

}  // namespace penstock
