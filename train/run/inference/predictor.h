// A stored model on single pictures, decoded and resized exactly as the loader does it.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "streamer/core/memory_budget.h"
#include "streamer/core/result.h"
#include "train/run/data/picture_place.h"
#include "train/run/inference/inference_config.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// Shapes  both: [num_classes], in the order of ModelRecord::class_names
struct PictureScores {
  std::vector<float> logits;
  /// Softmax of the logits: what the model thinks of each class, adding up to 1.
  std::vector<double> probabilities;
};

/// Takes pictures one by one into a batch as large as in the model's evaluation, then scores it: no
/// encoded picture need be kept beyond its turn. new_jpeg(), new_png() and new_raw()
/// (streamer/read/new_picture.h) describe one that comes from elsewhere.
///
/// Threads  one caller at a time; the backend computes in threads of its own
class Predictor {
 public:
  /// Errors  NotFound, CorruptData naming file or tensor; OutOfMemory; Unsupported for a precision that this
  ///         machine has not
  Predictor(const std::filesystem::path& run, const InferenceConfig& config);
  ~Predictor();

  const ModelRecord& record() const noexcept;
  /// What the limit leaves; for whoever reads the pictures.
  MemoryBudget& budget() noexcept;

  /// Decodes a picture into the next place of the batch; at most record().batch_size before the
  /// next score(). One with a fault takes no place, nor does one that is thrown at.
  ///
  /// Errors  OutOfMemory when decoding it does not fit what is left of the budget; InvalidArgument for one too
  ///         many
  SampleFault add(const EncodedPicture& picture);

  /// Scores the pictures that were added since the last call, in their order.
  std::vector<PictureScores> score();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace penstock::train
