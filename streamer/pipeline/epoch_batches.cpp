#include "streamer/pipeline/epoch_batches.h"

#include "streamer/pipeline/loader.h"

namespace penstock {

EpochBatches::Iterator& EpochBatches::Iterator::operator++() {
  lease_.release();  // one that was not taken off: to hold it could keep next() from its slot
  has_ended_ = !loader_->has_batches_left(epoch_);
  if (!has_ended_) lease_ = loader_->next();
  return *this;
}

}  // namespace penstock
