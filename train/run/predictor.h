// A stored model on single pictures, decoded and resized exactly as the loader does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "streamer/core/result.h"
#include "streamer/core/sample_transform.h"
#include "train/run/picture_place.h"
#include "train/run/stored_network.h"
#include "train/run/unlabelled_batch.h"

namespace penstock::train {

struct PictureScores {
  std::vector<float> logits;
  /// Softmax of the logits: what the model thinks of each class, adding up to 1.
  std::vector<double> probabilities;
};

/// Takes pictures one by one into a batch as large as in the model's evaluation, then scores it: no
/// encoded picture need be kept beyond its turn.
class Predictor {
 public:
  /// Errors  those of StoredNetwork
  Predictor(const std::filesystem::path& run, const InferenceConfig& config);

  const ModelRecord& record() const noexcept { return network_.record(); }
  /// What the limit leaves; for whoever reads the pictures.
  MemoryBudget& budget() noexcept { return memory_.budget(); }

  /// Decodes a picture into the next place of the batch; at most record().batch_size before the
  /// next score(). One with a fault takes no place, nor does one that is thrown at.
  ///
  /// Errors  OutOfMemory when decoding it does not fit what is left of the budget
  SampleFault add(const EncodedPicture& picture);

  /// Scores the pictures that were added since the last call, in their order.
  std::vector<PictureScores> score();

 private:
  MemoryTable memory_;
  StoredNetwork network_;
  std::shared_ptr<const SampleTransform> transform_;
  std::shared_ptr<UnlabelledBatch> batch_;  // shared with the lease while it is scored
  std::uint32_t num_added_ = 0;
};

}  // namespace penstock::train
