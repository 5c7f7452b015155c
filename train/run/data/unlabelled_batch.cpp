#include "train/run/data/unlabelled_batch.h"

#include <utility>

namespace penstock::train {

UnlabelledBatch::UnlabelledBatch(const BatchSpec& spec)
    : spec_(spec),
      pixels_(page_aligned_memory(), spec.pixels_bytes()),
      class_idx_(spec.batch, kUnlabelled),
      targets_(std::size_t{spec.batch} * spec.num_targets, 0.0f),
      weights_(spec.batch, 0.0f),
      ids_(spec.batch, 0) {}

BatchLease lease_of(std::shared_ptr<UnlabelledBatch> batch, std::uint32_t num_valid) {
  BatchView view;
  view.spec = &batch->spec_;
  view.pixels = batch->pixels_.data();
  view.class_idx = batch->class_idx_;
  view.targets = batch->targets_;
  view.weights = batch->weights_;
  view.sample_ids = batch->ids_;
  view.positions = batch->ids_;
  view.num_valid = num_valid;
  view.ends_epoch = true;
  return {view, std::move(batch), 0};
}

}  // namespace penstock::train
