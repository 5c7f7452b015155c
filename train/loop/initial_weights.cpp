#include "train/loop/initial_weights.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/quoted_text.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/store/model_record.h"
#include "train/store/safetensors_reader.h"

namespace penstock::train {
namespace {

constexpr std::string_view kCounter = "num_batches_tracked";  // torch.nn.BatchNorm2d's

bool is_weight_of_layer(const Parameter& parameter) {
  return parameter.kind == ParamKind::kConvWeight || parameter.kind == ParamKind::kDenseWeight;
}

/// Without the 1s at its end.
template <class Shape>
std::vector<std::uint64_t> core_shape(const Shape& shape) {
  std::vector<std::uint64_t> core(shape.begin(), shape.end());
  while (!core.empty() && core.back() == 1) core.pop_back();
  return core;
}

bool has_same_shape(const TensorSpec& tensor, const Parameter& parameter) {
  return core_shape(tensor.shape) == core_shape(parameter.shape);
}

std::string shape_text(const std::vector<std::uint32_t>& shape) {
  return format_shape({shape.begin(), shape.end()});
}

/// Where the weights lie; of a stored model after its record has vouched for them.
std::filesystem::path weights_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return vouched_weights(path);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const bool is_stored_model = path.filename() == kWeightsName &&
                               std::filesystem::exists(folder / kModelRecordName, ignored);
  if (is_stored_model) return vouched_weights(folder);
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ErrorCode::kNotFound,
                "init_from: " + path.native() + ": expected a file of weights, found none",
                "a safetensors file, or the folder of a run");
  }
  return path;
}

SafetensorsReader open_weights(const std::filesystem::path& file, const FileSeal& seal) {
  const std::string extension = file.extension();
  try {
    return SafetensorsReader::open(file, seal);
  } catch (const Error& error) {
    const bool is_foreign = error.code() == ErrorCode::kUnsupported || extension == ".pth" ||
                            extension == ".pt" || extension == ".bin";
    if ((!is_foreign && extension == ".safetensors") || !error.hint().empty()) throw;
    throw Error(error.code(), error.what(),
                is_foreign ? "make it float32 safetensors: tools/pth_to_safetensors.py IN OUT"
                           : "a safetensors file, or the folder of a run");
  }
}

/// What does not fit, by kind: all counted, a few named.
class Misfits {
 public:
  explicit Misfits(std::string what) : what_(std::move(what)) {}
  void add(std::string one) {
    constexpr std::size_t kMostNamed = 3;
    if (named_.size() < kMostNamed) named_.push_back(std::move(one));
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  /// "2 missing (a, b)"
  std::string text() const {
    std::string text = std::to_string(count_) + " " + what_ + " (";
    for (const std::string& name : named_) text += (&name == &named_.front() ? "" : ", ") + name;
    return text + (count_ > named_.size() ? ", ...)" : ")");
  }

 private:
  std::string what_;
  std::vector<std::string> named_;
  std::size_t count_ = 0;
};

/// Whether `tensor` is the weight or the bias of the same head for another number of classes.
bool is_head_of_other_classes(const TensorSpec& tensor, const Parameter& parameter) {
  std::vector<std::uint64_t> stored = core_shape(tensor.shape);
  std::vector<std::uint64_t> wanted = core_shape(parameter.shape);
  // One class leaves a bias of [1] no dimension.
  if (stored.empty()) stored = {1};
  if (wanted.empty()) wanted = {1};
  if (stored.size() != wanted.size() || stored.front() == wanted.front()) return false;
  return std::equal(stored.begin() + 1, stored.end(), wanted.begin() + 1);
}

void check_values(const std::string& where, const TensorSpec& tensor, std::span<const float> values,
                  bool is_variance) {
  const auto found = std::ranges::find_if(
      values, [&](float value) { return !std::isfinite(value) || (is_variance && value < 0); });
  if (found == values.end()) return;
  throw Error(ErrorCode::kCorruptData,
              "init_from: " + where + ": tensor \"" + tensor.name + "\": expected " +
                  (is_variance ? "variances" : "finite numbers") + ", found " +
                  std::to_string(*found) + " at " + std::to_string(found - values.begin()));
}

}  // namespace

NodeId classifier_head(const ModelGraph& graph) {
  const auto parameters = graph.parameters();
  for (std::size_t i = parameters.size(); i-- > 0;) {
    if (is_weight_of_layer(parameters[i])) return parameters[i].node;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "model: " + graph.name() +
                  ": expected a convolution or a dense layer as its head, found neither");
}

InitialWeights InitialWeights::open(const std::filesystem::path& path, const ModelGraph& graph) {
  const std::filesystem::path file = weights_file(path);
  const FileSeal seal = seal_of_file(file);
  InitialWeights weights(file, std::make_shared<const SafetensorsReader>(open_weights(file, seal)),
                         seal);
  weights.match(graph);
  return weights;
}

void InitialWeights::match(const ModelGraph& graph) {
  std::map<std::string_view, const TensorSpec*> stored;
  for (const TensorSpec& tensor : reader_->tensors()) {
    if (!tensor.name.ends_with(kCounter)) stored.emplace(tensor.name, &tensor);
  }
  const NodeId head = classifier_head(graph);
  Misfits missing("missing");
  Misfits reshaped("of another shape");
  Misfits left_over("left over");
  for (std::uint32_t i = 0; i < graph.parameters().size(); ++i) {
    const Parameter& parameter = graph.parameters()[i];
    const auto found = stored.find(parameter.name);
    if (found == stored.end()) {
      missing.add(parameter.name);
      continue;
    }
    const TensorSpec& tensor = *found->second;
    const bool is_of_new_head = parameter.node == head &&
                                (is_weight_of_layer(parameter) || !new_head_.empty()) &&
                                is_head_of_other_classes(tensor, parameter);
    if (is_of_new_head) {
      new_params_.push_back(i);
      if (new_head_.empty()) {
        new_head_ = graph.node(head).name + " begins anew: " + std::to_string(graph.num_classes()) +
                    " classes here, " + std::to_string(tensor.shape.front()) + " in the file";
      }
    } else if (has_same_shape(tensor, parameter)) {
      taken_.push_back({i, tensor, parameter.kind == ParamKind::kRunningVar});
    } else {
      reshaped.add(parameter.name + ": expected " + shape_text(parameter.shape) + ", found " +
                   format_shape(tensor.shape));
    }
    stored.erase(found);
  }
  for (const TensorSpec& tensor : reader_->tensors()) {
    if (stored.contains(tensor.name)) left_over.add(shortened(tensor.name));
  }
  std::string misfits;
  for (const Misfits* one : {&missing, &reshaped, &left_over}) {
    if (!one->empty()) misfits += (misfits.empty() ? "" : "; ") + one->text();
  }
  if (misfits.empty()) return;
  throw Error(ErrorCode::kInvalidArgument,
              "init_from: " + path_.native() + ": expected the " +
                  std::to_string(graph.parameters().size()) + " tensors of " + graph.name() +
                  ", found " + misfits,
              "penstock model prints a model's layers");
}

void InitialWeights::load(Program& program) const {
  const Lowering& lowering = program.lowering();
  const bool has_ema = lowering.mode == Mode::kTrain && lowering.optimizer.ema_decay > 0;
  std::vector<float> largest(largest_tensor_bytes(program.params()) / sizeof(float));
  for (const Taken& one : taken_) {
    const ParamSlot& slot = program.params()[one.param_idx];
    const std::span<float> values = std::span(largest).first(slot.num_elements());
    reader_->read(one.stored, values);
    check_values(path_.native(), one.stored, values, one.is_variance);
    program.import_param(one.param_idx, ParamPart::kMaster, values);
    if (has_ema && slot.is_trainable) program.import_param(one.param_idx, ParamPart::kEma, values);
  }
}

}  // namespace penstock::train
