// A stored model on single pictures, decoded and resized exactly as the loader does it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "streamer/core/host_memory.h"
#include "streamer/core/result.h"
#include "streamer/shard/shard_format.h"
#include "train/run/stored_network.h"

namespace penstock::train {

/// A picture as a shard would hold it.
struct EncodedPicture {
  std::vector<std::byte> encoded;
  /// Sides, codec and orientation count; offset, checksum and class do not.
  IndexRecord record;
};

struct PictureScores {
  /// kOk, or why there are no scores.
  SampleFault fault;
  std::vector<float> logits;
  /// Softmax of the logits: what the model thinks of each class, adding up to 1.
  std::vector<double> probabilities;
};

class Predictor {
 public:
  /// Errors  those of StoredNetwork
  Predictor(const std::filesystem::path& run, const InferenceConfig& config);

  const ModelRecord& record() const noexcept { return network_.record(); }

  /// Scores any number of pictures, in batches as large as in the model's evaluation.
  std::vector<PictureScores> predict(std::span<const EncodedPicture> pictures);

 private:
  void predict_batch(std::span<const EncodedPicture> pictures, std::span<PictureScores> scores);
  SampleFault fill_place(const EncodedPicture& picture, std::byte* pixels);

  MemoryTable memory_;
  StoredNetwork network_;
  std::shared_ptr<const SampleTransform> transform_;
  std::vector<std::byte> decoded_;
  std::vector<std::byte> scratch_;
};

}  // namespace penstock::train
