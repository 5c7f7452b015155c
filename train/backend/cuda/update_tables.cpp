#include "train/backend/cuda/update_tables.h"

#include <algorithm>

#include "train/backend/lowering_check.h"

namespace penstock::train::cuda {
namespace {

/// Source  PyTorch 2, torch.amp.GradScaler: starts at 65,536, doubles after 2,000 finite steps, halves after one
///         that is not.
constexpr ScalerRule kFloat16Scaling{.growth_factor = 2.0f,
                                     .backoff_factor = 0.5f,
                                     .max_scale = 16777216.0f,
                                     .growth_interval = 2000};

template <class T>
void put(DeviceTransfer& transfer, void* place, const std::vector<T>& values) {
  if (!values.empty()) transfer.to_device(place, values.data(), values.size() * sizeof(T));
}

}  // namespace

std::vector<TensorPiece> UpdateTables::cut(const std::vector<std::size_t>& sizes) {
  std::vector<TensorPiece> pieces;
  for (std::uint32_t k = 0; k < sizes.size(); ++k) {
    for (std::size_t first = 0; first < sizes[k]; first += kPieceElements) {
      pieces.push_back({.tensor_idx = k,
                        .num_elements = static_cast<std::uint32_t>(
                            std::min<std::size_t>(kPieceElements, sizes[k] - first)),
                        .first_element = first});
    }
  }
  return pieces;
}

void UpdateTables::add_buffers(DeviceLowering& context) {
  num_params_ = context.graph.parameters().size();
  copy_type_ = context.type;
  is_float16_ = context.compute() == ComputeType::kFloat16;
  blocks_ = context.blocks();
  std::size_t num_directions = 0;
  std::size_t num_pieces = 0;
  std::size_t num_copy_pieces = 0;
  for (const auto& [param_idx, param] : context.params()) {
    const std::size_t count = context.store.shapes[param_idx].num_stored();
    const Entry entry{param_idx, count, param};
    const std::size_t pieces = (count + kPieceElements - 1) / kPieceElements;
    if (param.copy != kNoBuffer) {
      with_copies_.push_back(entry);
      num_copy_pieces += pieces;
    }
    if (!context.is_training()) continue;
    if (param.buffers.before_step != kNoBuffer) with_statistics_.push_back(entry);
    if (param.buffers.grad == kNoBuffer) continue;
    learning_.push_back(entry);
    num_pieces += pieces;
    num_directions += count;
  }
  num_pieces_ = static_cast<std::uint32_t>(num_pieces);
  num_copy_pieces_ = static_cast<std::uint32_t>(num_copy_pieces);
  num_statistics_ = static_cast<std::uint32_t>(with_statistics_.size());
  if (num_copy_pieces > 0) {
    copies_ = context.add_own("copies", with_copies_.size() * sizeof(UpdateTensorBlock));
    copy_pieces_ = context.add_own("copy_pieces", num_copy_pieces * sizeof(TensorPiece));
  }
  if (!context.is_training()) return;
  num_steps_ =
      context.buffers.add("optimizer:num_steps", Role::kState, num_params_ * sizeof(std::uint64_t));
  tensors_ = context.add_own("tensors", learning_.size() * sizeof(UpdateTensorBlock));
  pieces_ = context.add_own("pieces", num_pieces * sizeof(TensorPiece));
  statistics_ = context.add_own("statistics", with_statistics_.size() * sizeof(StatisticsBlock));
  if (context.lowering.accumulates) {
    sums_ = context.add_own("sums", learning_.size() * sizeof(GradientSumBlock));
  }
  piece_sums_ = context.add_transient("update.piece_sums", num_pieces * 2 * sizeof(double));
  tensor_scalars_ =
      context.add_transient("update.scalars", learning_.size() * sizeof(TensorScalars));
  if (context.lowering.optimizer.kind == OptimizerKind::kLamb) {
    directions_ = context.add_floats("update.directions", num_directions);
  }
  for (const BufferId buffer : {piece_sums_, tensor_scalars_, directions_}) context.use(buffer);
}

namespace {

ElementType element_of(ValueType type) {
  switch (type) {
    case ValueType::kFloat16:
      return ElementType::kFloat16;
    case ValueType::kBfloat16:
      return ElementType::kBfloat16;
    case ValueType::kFloat32:
      break;
  }
  return ElementType::kFloat32;
}

}  // namespace

void UpdateTables::bind(const BufferList& list, const std::vector<ParamSlot>& slots,
                        const Lowering& lowering, DeviceTransfer& transfer) {
  const auto tensor_of = [&](const Entry& entry, bool is_read) {
    const ParamBuffers& buffers = entry.param.buffers;
    return UpdateTensorBlock{
        .num_elements = entry.num_stored,
        .weight = list.at<float>(buffers.master),
        .gradient = list.at<void>(buffers.whole_grad()),
        .state = {list.at<float>(buffers.state), list.at<float>(buffers.second_state)},
        .ema = list.at<float>(is_read ? buffers.master : buffers.ema),
        .copy = list.at<void>(entry.param.copy),
        .direction = nullptr,
        .num_steps = nullptr,
        .rates = rates_of(slots, entry.param_idx, lowering),
        .gradient_type =
            buffers.grad_sum == kNoBuffer ? entry.param.gradient_type : ValueType::kFloat32,
        .copy_type = copy_type_};
  };
  std::vector<UpdateTensorBlock> copies;
  std::vector<std::size_t> copy_sizes;
  for (const Entry& entry : with_copies_) {
    copies.push_back(tensor_of(entry, lowering.reads_ema));
    copy_sizes.push_back(entry.num_stored);
  }
  put(transfer, list.at<void>(copies_), copies);
  put(transfer, list.at<void>(copy_pieces_), cut(copy_sizes));
  if (lowering.mode != Mode::kTrain) return;

  gradients_.clear();
  std::vector<UpdateTensorBlock> tensors;
  std::vector<GradientSumBlock> sums;
  std::vector<std::size_t> sizes;
  auto* direction = list.at<float>(directions_);
  for (const Entry& entry : learning_) {
    UpdateTensorBlock tensor = tensor_of(entry, false);
    tensor.num_steps = num_steps(list) + entry.param_idx;
    if (direction != nullptr) {
      tensor.direction = direction;
      direction += entry.num_stored;
    }
    tensors.push_back(tensor);
    gradients_.push_back({.values = tensor.gradient,
                          .num_elements = entry.num_stored,
                          .element_bytes = value_bytes(tensor.gradient_type),
                          .element = element_of(tensor.gradient_type)});
    sizes.push_back(entry.num_stored);
    sums.push_back({.num_elements = entry.num_stored,
                    .gradient = list.at<void>(entry.param.buffers.grad),
                    .sum = list.at<float>(entry.param.buffers.grad_sum),
                    .gradient_type = entry.param.gradient_type});
  }
  put(transfer, list.at<void>(tensors_), tensors);
  put(transfer, list.at<void>(pieces_), cut(sizes));
  if (sums_ != kNoBuffer) put(transfer, list.at<void>(sums_), sums);
  std::vector<StatisticsBlock> statistics;
  for (const Entry& entry : with_statistics_) {
    statistics.push_back({.num_elements = entry.num_stored,
                          .running = list.at<float>(entry.param.buffers.master),
                          .before_step = list.at<float>(entry.param.buffers.before_step)});
  }
  put(transfer, list.at<void>(statistics_), statistics);
}

OptimizerUpdate UpdateTables::update(const BufferList& list, const Lowering& lowering) const {
  return {.config = lowering.optimizer,
          .tensors = list.at<UpdateTensorBlock>(tensors_),
          .num_tensors = static_cast<std::uint32_t>(learning_.size()),
          .pieces = list.at<TensorPiece>(pieces_),
          .num_pieces = num_pieces_,
          .statistics = list.at<StatisticsBlock>(statistics_),
          .num_statistics = num_statistics_,
          .step = list.at<StepBlock>(blocks_.step),
          .scaler = list.at<ScalerBlock>(blocks_.scaler),
          .scaler_rule = is_float16_ ? kFloat16Scaling : ScalerRule{},
          .piece_sums = list.at<double>(piece_sums_),
          .tensor_scalars = list.at<TensorScalars>(tensor_scalars_),
          .report = list.at<UpdateReportBlock>(blocks_.update_report)};
}

AddGradients UpdateTables::gradient_sums(const BufferList& list, bool adds) const {
  return {.tensors = list.at<GradientSumBlock>(sums_),
          .pieces = list.at<TensorPiece>(pieces_),
          .num_pieces = num_pieces_,
          .adds = adds};
}

StatisticsCopy UpdateTables::statistics(const BufferList& list, bool puts_back) const {
  return {.statistics = list.at<StatisticsBlock>(statistics_),
          .num_statistics = num_statistics_,
          .puts_back = puts_back,
          .scaler = list.at<ScalerBlock>(blocks_.scaler)};
}

RefreshCopies UpdateTables::refresh(const BufferList& list, bool reads_ema) const {
  return {.tensors = list.at<UpdateTensorBlock>(copies_),
          .pieces = list.at<TensorPiece>(copy_pieces_),
          .num_pieces = num_copy_pieces_,
          .reads_ema = reads_ema};
}

}  // namespace penstock::train::cuda
