#include <utility>

#include "train/backend/cuda/kernels/block_sum.h"
#include "train/backend/cuda/kernels/tensor_pieces.h"
#include "train/backend/cuda/kernels/update_decision.h"
#include "train/backend/cuda/kernels/update_kernels.h"
#include "train/optim/adam_rule.h"
#include "train/optim/adamw_rule.h"
#include "train/optim/ema_rule.h"
#include "train/optim/gradient_rule.h"
#include "train/optim/lamb_rule.h"
#include "train/optim/rmsprop_rule.h"
#include "train/optim/sgd_rule.h"

namespace penstock::train::cuda {
namespace {

__device__ void put_back_statistics(const OptimizerUpdate& args) {
  for (std::uint32_t k = blockIdx.x; k < args.num_statistics; k += gridDim.x) {
    const StatisticsBlock statistics = args.statistics[k];
    for (std::uint64_t i = threadIdx.x; i < statistics.num_elements; i += kPieceThreads) {
      statistics.running[i] = statistics.before_step[i];
    }
  }
}

/// What a block works on; only where the step is finite.
struct PieceWork {
  TensorPiece piece;
  UpdateTensorBlock tensor;
  OptimizerScalars scalars;
  float lamb_rate;
  bool is_aligned;
};

__device__ PieceWork piece_work(const OptimizerUpdate& args) {
  const TensorPiece piece = args.pieces[blockIdx.x];
  const UpdateTensorBlock t = args.tensors[piece.tensor_idx];
  const TensorScalars& scalars = args.tensor_scalars[piece.tensor_idx];
  return {piece, t, scalars.scalars, static_cast<float>(scalars.lamb_rate),
          are_aligned(t.weight, t.gradient, t.state[0], t.state[1], t.ema, t.copy, t.direction)};
}

template <OptimizerKind kKind>
__device__ auto optimizer_step(const OptimizerConfig& config, const OptimizerScalars& scalars) {
  if constexpr (kKind == OptimizerKind::kSgd) return sgd_step<float>(config, scalars);
  if constexpr (kKind == OptimizerKind::kAdam) return adam_step<float>(config, scalars);
  if constexpr (kKind == OptimizerKind::kAdamw) return adamw_step<float>(config, scalars);
  if constexpr (kKind == OptimizerKind::kRmsprop) return rmsprop_step<float>(config, scalars);
}

/// One element and what the optimizer keeps for it.
struct Element {
  float& weight;
  float& first_state;
  float& second_state;
};

template <OptimizerKind kKind, class Step>
__device__ void move_element(const UpdateTensorBlock& tensor, const Element& element,
                             float gradient, const Step& step) {
  if constexpr (kKind == OptimizerKind::kSgd) {
    if (tensor.state[0] == nullptr) return sgd_rule(element.weight, gradient, step);
    sgd_rule(element.weight, element.first_state, gradient, step);
  } else if constexpr (kKind == OptimizerKind::kAdam) {
    adam_rule(element.weight, element.first_state, element.second_state, gradient, step);
  } else if constexpr (kKind == OptimizerKind::kAdamw) {
    adamw_rule(element.weight, element.first_state, element.second_state, gradient, step);
  } else {
    if (tensor.state[1] == nullptr) {
      return rmsprop_rule(element.weight, element.first_state, gradient, step);
    }
    rmsprop_rule(element.weight, element.first_state, element.second_state, gradient, step);
  }
}

template <unsigned kWidth>
__device__ ElementGroup<kWidth> load_if_there(const float* values, std::size_t first) {
  if (values == nullptr) return {};
  return load_group<kWidth>(values + first);
}

template <unsigned kWidth>
__device__ void store_if_there(float* values, std::size_t first,
                               const ElementGroup<kWidth>& group) {
  if (values != nullptr) store_group(values + first, group);
}

/// What follows from new weights: the means, and the copies that products read.
template <unsigned kWidth>
__device__ void store_weights(const UpdateTensorBlock& tensor, std::size_t first,
                              const ElementGroup<kWidth>& weight, ElementGroup<kWidth> ema,
                              float share) {
  store_group(tensor.weight + first, weight);
  for (unsigned v = 0; v < kWidth; ++v) ema_rule(ema.values[v], weight.values[v], share);
  store_if_there(tensor.ema, first, ema);
  if (tensor.copy != nullptr) store_group_of(tensor.copy_type, tensor.copy, first, weight);
}

/// All loads stand before the arithmetic, so that they are under way together.
template <OptimizerKind kKind>
__global__ void __launch_bounds__(kPieceThreads) move_weights(OptimizerUpdate args) {
  if (args.report->is_finite == 0) return put_back_statistics(args);
  if (blockIdx.x >= args.num_pieces) return;
  const PieceWork work = piece_work(args);
  const UpdateTensorBlock& t = work.tensor;
  const auto step = optimizer_step<kKind>(args.config, work.scalars);
  const GradientStep<float> shaping = gradient_step<float>(work.scalars);
  const float share = ema_share<float>(work.scalars);
  for_each_group<4>(work.piece, work.is_aligned, [&](auto width, std::size_t first) {
    auto weight = load_group<width>(t.weight + first);
    auto first_state = load_if_there<width>(t.state[0], first);
    auto second_state = load_if_there<width>(t.state[1], first);
    const auto ema = load_if_there<width>(t.ema, first);
    const auto gradient = load_group_of<width>(t.gradient_type, t.gradient, first);
    for (unsigned v = 0; v < width; ++v) {
      const float shaped = shaped_gradient(gradient.values[v], weight.values[v], shaping);
      move_element<kKind>(t, {weight.values[v], first_state.values[v], second_state.values[v]},
                          shaped, step);
    }
    store_if_there(t.state[0], first, first_state);
    store_if_there(t.state[1], first, second_state);
    store_weights(t, first, weight, ema, share);
  });
}

__device__ double square(float value) {
  return static_cast<double>(value) * static_cast<double>(value);
}

/// Directions, and both sums of squares of each piece.
__global__ void __launch_bounds__(kPieceThreads) lamb_directions(OptimizerUpdate args) {
  if (args.report->is_finite == 0) return put_back_statistics(args);
  if (blockIdx.x >= args.num_pieces) return;
  const PieceWork work = piece_work(args);
  const UpdateTensorBlock& t = work.tensor;
  const LambStep<float> step = lamb_step<float>(args.config, work.scalars);
  const GradientStep<float> shaping = gradient_step<float>(work.scalars);
  LambSums sums;
  for_each_group<4>(work.piece, work.is_aligned, [&](auto width, std::size_t first) {
    const auto weight = load_group<width>(t.weight + first);
    auto first_state = load_group<width>(t.state[0] + first);
    auto second_state = load_group<width>(t.state[1] + first);
    auto gradient = load_group_of<width>(t.gradient_type, t.gradient, first);
    for (unsigned v = 0; v < width; ++v) {
      const float shaped = shaped_gradient(gradient.values[v], weight.values[v], shaping);
      gradient.values[v] = lamb_direction(weight.values[v], first_state.values[v],
                                          second_state.values[v], shaped, step);
      sums.weights += square(weight.values[v]);
      sums.directions += square(gradient.values[v]);
    }
    store_group(t.state[0] + first, first_state);
    store_group(t.state[1] + first, second_state);
    store_group(t.direction + first, gradient);
  });
  const double weights = block_sum<kPieceThreads>(sums.weights);
  const double directions = block_sum<kPieceThreads>(sums.directions);
  if (threadIdx.x != 0) return;
  args.piece_sums[std::size_t{2} * blockIdx.x] = weights;
  args.piece_sums[std::size_t{2} * blockIdx.x + 1] = directions;
}

/// The first piece of tensor `k` or of one behind it.
__device__ std::uint32_t first_piece(const OptimizerUpdate& args, std::uint32_t k) {
  std::uint32_t begin = 0;
  std::uint32_t end = args.num_pieces;
  while (begin < end) {
    const std::uint32_t middle = begin + (end - begin) / 2;
    if (args.pieces[middle].tensor_idx < k) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

/// A warp for each tensor.
__global__ void __launch_bounds__(kPieceThreads) lamb_rates(OptimizerUpdate args) {
  if (args.report->is_finite == 0) return;
  constexpr unsigned kWarps = kPieceThreads / kWarpThreads;
  const std::uint32_t k = blockIdx.x * kWarps + threadIdx.x / kWarpThreads;
  if (k >= args.num_tensors) return;
  const std::uint32_t end = first_piece(args, k + 1);
  LambSums sums;
  for (std::size_t piece = first_piece(args, k) + threadIdx.x % kWarpThreads; piece < end;
       piece += kWarpThreads) {
    sums.weights += args.piece_sums[2 * piece];
    sums.directions += args.piece_sums[2 * piece + 1];
  }
  sums = {warp_sum(sums.weights), warp_sum(sums.directions)};
  TensorScalars& scalars = args.tensor_scalars[k];
  const double rate = lamb_rate<double>(scalars.scalars, args.tensors[k].rates, sums);
  if (threadIdx.x % kWarpThreads == 0) scalars.lamb_rate = rate;
}

__global__ void __launch_bounds__(kPieceThreads) move_lamb(OptimizerUpdate args) {
  if (args.report->is_finite == 0 || blockIdx.x >= args.num_pieces) return;
  const PieceWork work = piece_work(args);
  const UpdateTensorBlock& t = work.tensor;
  const float share = ema_share<float>(work.scalars);
  for_each_group<4>(work.piece, work.is_aligned, [&](auto width, std::size_t first) {
    auto weight = load_group<width>(t.weight + first);
    const auto direction = load_group<width>(t.direction + first);
    const auto ema = load_if_there<width>(t.ema, first);
    for (unsigned v = 0; v < width; ++v) {
      lamb_rule(weight.values[v], direction.values[v], work.lamb_rate);
    }
    store_weights(t, first, weight, ema, share);
  });
}

DeviceStatus update_by_lamb(const OptimizerUpdate& args, Stream stream) {
  const LaunchShape pieces = piece_shape(args.num_pieces);
  DeviceStatus status = launch("lamb_directions", lamb_directions, pieces, stream, args);
  if (!status.is_ok() || args.num_tensors == 0) return status;
  const auto num_blocks =
      static_cast<unsigned>(num_blocks_for(args.num_tensors, kPieceThreads / kWarpThreads));
  status = launch("lamb_rates", lamb_rates, {.grid = {num_blocks}, .block = {kPieceThreads}},
                  stream, args);
  if (!status.is_ok()) return status;
  return launch("move_lamb", move_lamb, pieces, stream, args);
}

template <OptimizerKind kKind>
DeviceStatus update_by(const char* name, const OptimizerUpdate& args, Stream stream) {
  return launch(name, move_weights<kKind>, piece_shape(args.num_pieces), stream, args);
}

}  // namespace

DeviceStatus optimizer_update(const OptimizerUpdate& args, Stream stream) {
  const DeviceStatus status = decide_update(args, stream);
  if (!status.is_ok()) return status;
  switch (args.config.kind) {
    case OptimizerKind::kAdam:
      return update_by<OptimizerKind::kAdam>("move_adam", args, stream);
    case OptimizerKind::kAdamw:
      return update_by<OptimizerKind::kAdamw>("move_adamw", args, stream);
    case OptimizerKind::kRmsprop:
      return update_by<OptimizerKind::kRmsprop>("move_rmsprop", args, stream);
    case OptimizerKind::kLamb:
      return update_by_lamb(args, stream);
    case OptimizerKind::kSgd:
      break;
  }
  return update_by<OptimizerKind::kSgd>("move_sgd", args, stream);
}

}  // namespace penstock::train::cuda
