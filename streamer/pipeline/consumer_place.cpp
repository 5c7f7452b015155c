#include "streamer/pipeline/consumer_place.h"

#include <string>

#include "streamer/core/error.h"

namespace penstock {

ConsumerPlace::ConsumerPlace(const StreamEpochs& epochs) noexcept
    : epochs_(epochs),
      num_batches_total_(epochs.num_batches_total().value_or(UINT64_MAX)),
      epoch_(epochs.first()),
      num_left_of_epoch_(has_ended() ? 0 : penstock::num_batches(epochs.shape(epoch_))) {}

void ConsumerPlace::count(const BatchView& batch) noexcept {
  ++num_batches_;
  num_samples_ += batch.num_valid;
  num_skipped_ += batch.events.size();
  if (batch.epoch != epoch_) {
    epoch_ = batch.epoch;
    num_left_of_epoch_ = penstock::num_batches(epochs_.shape(epoch_));
  }
  --num_left_of_epoch_;
}

// The first epoch may have no batch at all, when a resumed one has nothing left: it is then both
// this one and over.
bool ConsumerPlace::has_batches_left(std::uint32_t epoch) const noexcept {
  if (has_ended()) return false;
  if (epoch == epoch_) return num_left_of_epoch_ > 0;
  return num_left_of_epoch_ == 0 && epoch == epoch_ + 1;
}

void ConsumerPlace::check_comes_next(std::uint32_t epoch) const {
  const bool is_empty_first = num_batches_ == 0 && epoch == epochs_.first();
  if (has_batches_left(epoch) || is_empty_first) return;
  if (has_ended()) {
    throw Error(ErrorCode::kInvalidArgument,
                "loader: epoch: expected none, all " + std::to_string(*epochs_.num_epochs()) +
                    " are delivered, found " + std::to_string(epoch),
                "raise num_epochs, or leave it empty for no end");
  }
  const std::uint32_t next = epoch_ + (num_left_of_epoch_ == 0 ? 1 : 0);
  throw Error(ErrorCode::kInvalidArgument,
              "loader: epoch: expected " + std::to_string(next) + ", which comes next, found " +
                  std::to_string(epoch),
              "take the batches before it, or set first_epoch");
}

}  // namespace penstock
