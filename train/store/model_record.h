// A trained model in a folder: weights.safetensors, and model.json that says what they mean and
// vouches for them. CHECKPOINT.md is the normative description.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "train/store/safetensors.h"

namespace penstock::train {

inline constexpr const char* kWeightsName = "weights.safetensors";
inline constexpr const char* kModelRecordName = "model.json";

/// Everything but the numbers that a program needs to use the weights.
struct ModelRecord {
  /// Name of a known model, or of the one that `model_layers` describes.
  std::string model_name;
  /// TOML text of the layers; empty for a model by name.
  std::string model_layers;
  /// The graph's canonical text: whoever rebuilds it can tell that it is the same.
  std::string graph_identity;
  std::uint32_t height_px = 0;
  std::uint32_t width_px = 0;
  std::uint32_t channels = 3;
  /// Samples per evaluation step: the same number gives the same sums.
  std::uint32_t batch_size = 32;
  /// What activations were computed in, "float32" or "bfloat16"; the weights are float32 with both.
  std::string precision = "float32";
  /// What evaluation measures, as run files spell it: "cross_entropy" or "focal", the loss that was trained with.
  std::string loss = "cross_entropy";
  /// Of the focal loss: its exponent, 0 to 100, and a factor of each class, 0 to 1 (one serves all; empty for 1).
  double focal_gamma = 2.0;
  std::vector<double> focal_alpha = {};
  /// Whether JPEGs were decoded at a fraction of their size: "auto" or "off".
  std::string decode_scaling = "auto";
  /// Share of the largest centred window that evaluation shows, 0 to 1; 0 for the whole picture.
  double center_crop = 0;
  /// How pictures were sampled: "bilinear", "nearest", "bilinear_antialias" or "bicubic".
  std::string interpolation = "bilinear";
  /// Statistics that the pixels were normalised with, one per channel, of pixels divided by 255.
  std::vector<double> mean;
  std::vector<double> std;
  std::vector<std::string> class_names;
  std::string dataset_id;
  /// How the dataset was made from its sources: `predict` treats pictures the same way.
  std::map<std::string, std::string> conversion;
  /// All settings that affected bytes, and their hash.
  std::string identity;
  /// Epochs that the weights have seen in full.
  std::uint64_t num_epochs = 0;
  /// Figures of the last epoch by name, such as "val_top1".
  std::map<std::string, double> metrics;

  /// Checks that the fields make sense together; `where` names the file in errors.
  /// Errors  CorruptData naming the field, the range and the value
  void validate(const std::filesystem::path& where) const;
};

struct StoredModel {
  ModelRecord record;
  TensorFile weights;
};

/// Writes both files, each whole, in place of those of an earlier save. Both are written before
/// either is replaced, so that a failure leaves the earlier pair.
///
/// Errors  Io; those of `weights`
/// Cost    the memory of the largest tensor
void save_model(const std::filesystem::path& folder, const ModelRecord& record,
                const TensorSource& weights);
/// The same of weights that are in memory.
void save_model(const std::filesystem::path& folder, const ModelRecord& record,
                const TensorFile& weights);

/// Removes what save_model() wrote, and what it left where it was cut off; whatever cannot be
/// removed stays.
void remove_model(const std::filesystem::path& folder) noexcept;

/// Reads both and checks one against the other.
///
/// Errors  NotFound with the hint to train; CorruptData naming file, expected and found;
///         Unsupported for a newer format
StoredModel load_model(const std::filesystem::path& folder);

/// The record alone, once the weights are checked against it.
/// Errors  as load_model()
ModelRecord load_model_record(const std::filesystem::path& folder);

/// Checks the weights of a stored model against its record, and returns where they lie.
/// Errors  as load_model()
std::filesystem::path vouched_weights(const std::filesystem::path& folder);

/// One tensor that a model takes.
using ExpectedTensor = TensorSpec;

/// Checks that `tensors`, in any order, are those that are expected.
///
/// Errors  CorruptData naming the tensor, the shape expected and the shape found; the one that is
///         missing; the one that nothing takes
void check_tensors(const std::vector<ExpectedTensor>& expected, std::vector<TensorSpec> tensors,
                   const std::filesystem::path& where);

/// Puts `tensors` into the order of `expected`.
///
/// Errors  as check_tensors()
std::vector<NamedTensor> match_tensors(const std::vector<ExpectedTensor>& expected,
                                       std::vector<NamedTensor> tensors,
                                       const std::filesystem::path& where);

}  // namespace penstock::train
