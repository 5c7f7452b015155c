#include "train/backend/cuda/kernels/update_decision.h"

#include <cfloat>
#include <cmath>

#include "train/backend/cuda/kernels/block_sum.h"
#include "train/backend/cuda/kernels/tensor_pieces.h"
#include "train/optim/gradient_norm.h"

namespace penstock::train::cuda {
namespace {

constexpr unsigned kDecisionThreads = 512;

/// In double: squares of finite float32 values neither overflow nor vanish.
__device__ double sum_of_squares(const UpdateTensorBlock& tensor, const TensorPiece& piece) {
  double sums[8] = {};  // side by side, since each addition waits for the one before it
  for_each_group<8>(piece, are_aligned(tensor.gradient), [&](auto width, std::size_t first) {
    const auto gradient = load_group_of<width>(tensor.gradient_type, tensor.gradient, first);
    for (unsigned v = 0; v < width; ++v) {
      const double value = static_cast<double>(gradient.values[v]);
      sums[v] += value * value;
    }
  });
  double sum = 0;
  PENSTOCK_UNROLL
  for (const double part : sums) sum += part;
  return sum;
}

/// Whether this thread sees a running statistic that is no number; blocks take turns at the tensors.
__device__ bool sees_bad_statistic(const OptimizerUpdate& args) {
  bool is_bad = false;
  for (std::uint32_t k = blockIdx.x; k < args.num_statistics; k += gridDim.x) {
    const StatisticsBlock statistics = args.statistics[k];
    for (std::uint64_t i = threadIdx.x; i < statistics.num_elements; i += kPieceThreads) {
      is_bad = is_bad || !std::isfinite(statistics.running[i]);
    }
  }
  return is_bad;
}

__global__ void __launch_bounds__(kPieceThreads) sum_gradient_squares(OptimizerUpdate args) {
  if (blockIdx.x < args.num_pieces) {
    const TensorPiece piece = args.pieces[blockIdx.x];
    const UpdateTensorBlock tensor = args.tensors[piece.tensor_idx];
    const double sum = block_sum<kPieceThreads>(sum_of_squares(tensor, piece));
    if (threadIdx.x == 0) args.piece_sums[std::size_t{2} * blockIdx.x] = sum;
  }
  if (sees_bad_statistic(args)) atomicOr(&args.scaler->has_bad_loss, 1u);
}

/// Source  PyTorch 2, torch.amp.GradScaler.update: a bad step takes the scale back, growth_interval good ones in
///         a row let it grow
__device__ void move_loss_scale(ScalerBlock& scaler, const ScalerRule& rule, bool is_finite) {
  if (rule.growth_interval == 0) return;
  if (!is_finite) {
    const float smaller = scaler.loss_scale * rule.backoff_factor;
    scaler.loss_scale = smaller < FLT_MIN ? FLT_MIN : smaller;  // gradients are divided by it
    scaler.num_good_steps = 0;
    return;
  }
  if (++scaler.num_good_steps < rule.growth_interval) return;
  const float larger = scaler.loss_scale * rule.growth_factor;
  scaler.loss_scale = larger > rule.max_scale ? rule.max_scale : larger;
  scaler.num_good_steps = 0;
}

__device__ double sum_of_pieces(const OptimizerUpdate& args) {
  double sum = 0;
  for (std::size_t piece = threadIdx.x; piece < args.num_pieces; piece += kDecisionThreads) {
    sum += args.piece_sums[2 * piece];
  }
  return block_sum<kDecisionThreads>(sum);
}

/// One block.
__global__ void __launch_bounds__(kDecisionThreads) decide_step(OptimizerUpdate args) {
  const double sum = sum_of_pieces(args);
  const StepBlock step = *args.step;
  const ScalerBlock scaler = *args.scaler;
  const double unscale = step.gradient_scale / static_cast<double>(scaler.loss_scale);
  const double norm = global_norm(&sum, 1) * unscale;
  const bool is_finite = std::isfinite(norm) && scaler.has_bad_loss == 0;
  __syncthreads();  // all have read the scaler
  if (threadIdx.x == 0) {
    *args.report = {.step = step.step,
                    .gradient_norm = norm,
                    .loss_scale = scaler.loss_scale,
                    .is_finite = is_finite ? 1u : 0u};
    move_loss_scale(*args.scaler, args.scaler_rule, is_finite);
    args.scaler->has_bad_loss = 0;
  }
  if (!is_finite) return;
  const double scale = clip_scale(args.config, norm) * unscale;
  for (std::uint32_t k = threadIdx.x; k < args.num_tensors; k += kDecisionThreads) {
    const UpdateTensorBlock& tensor = args.tensors[k];
    args.tensor_scalars[k].scalars = optimizer_scalars(args.config, tensor.rates,
                                                       {.learning_rate = step.learning_rate,
                                                        .num_finite_steps = *tensor.num_steps,
                                                        .gradient_scale = scale});
    ++*tensor.num_steps;
  }
}

}  // namespace

DeviceStatus decide_update(const OptimizerUpdate& args, Stream stream) {
  const DeviceStatus status = launch("sum_gradient_squares", sum_gradient_squares,
                                     piece_shape(args.num_pieces), stream, args);
  if (!status.is_ok()) return status;
  return launch("decide_step", decide_step, {.block = {kDecisionThreads}}, stream, args);
}

}  // namespace penstock::train::cuda
