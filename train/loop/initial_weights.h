// Weights that training begins with in place of drawn ones, from a file: torchvision's names layer by
// layer, or a model that was stored here. Fine-tuning begins so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/program.h"
#include "train/graph/model_graph.h"
#include "train/store/safetensors.h"

namespace penstock::train {

class SafetensorsReader;

/// The layer that gives the class scores: the last convolution or dense layer.
/// Errors  InvalidArgument for a graph without one
NodeId classifier_head(const ModelGraph& graph);

/// A file of weights that was held against a graph. Tensors and parameters belong together by name; shapes
/// are equal when they are so without 1s at their ends (a dense layer as a 1 x 1 convolution). Counters of
/// batches ("num_batches_tracked") are passed over. Of a classifier head for another number of classes
/// nothing is taken.
class InitialWeights {
 public:
  /// Opens a safetensors file, or the one of a stored model by its folder, and checks names and shapes
  /// before any value is read.
  ///
  /// Errors  NotFound, Io; CorruptData for a damaged file or one that its model.json does not vouch for;
  ///         Unsupported for values that are not float32; InvalidArgument naming the tensors that are
  ///         missing, left over or of another shape: the first few of each, and how many there are
  static InitialWeights open(const std::filesystem::path& path, const ModelGraph& graph);

  /// Sets the parameters of a bound program, and the means of their values over the steps, to the file's.
  /// Those of a new head stay as they are.
  ///
  /// Errors  CorruptData naming a tensor with a value that is no finite number, or a variance below 0; Io
  /// Cost    the memory of the largest tensor
  void load(Program& program) const;

  std::size_t num_tensors() const noexcept { return taken_.size(); }
  /// Parameters that load() leaves as they are, by index: those of a new head.
  const std::vector<std::uint32_t>& new_params() const noexcept { return new_params_; }
  /// One sentence about the head that the file has for another number of classes; empty without.
  const std::string& new_head() const noexcept { return new_head_; }
  /// Of the file's bytes as they were read.
  const FileSeal& seal() const noexcept { return seal_; }

 private:
  struct Taken {
    std::uint32_t param_idx = 0;
    TensorSpec stored;
    bool is_variance = false;
  };

  InitialWeights(std::filesystem::path path, std::shared_ptr<const SafetensorsReader> reader,
                 FileSeal seal)
      : path_(std::move(path)), reader_(std::move(reader)), seal_(seal) {}
  void match(const ModelGraph& graph);

  std::filesystem::path path_;
  std::shared_ptr<const SafetensorsReader> reader_;
  FileSeal seal_;
  std::vector<Taken> taken_;
  std::vector<std::uint32_t> new_params_;
  std::string new_head_;
};

}  // namespace penstock::train
