// The kernels as the program calls them: a table of plain functions, filled where they are compiled, by the module
// for a GPU and by the tests for the CPU.
#pragma once

#include "train/backend/cuda/kernels/activation_kernels.h"
#include "train/backend/cuda/kernels/channel_norm_kernels.h"
#include "train/backend/cuda/kernels/crop_kernels.h"
#include "train/backend/cuda/kernels/input_kernels.h"
#include "train/backend/cuda/kernels/join_kernels.h"
#include "train/backend/cuda/kernels/loss_kernels.h"
#include "train/backend/cuda/kernels/pool_kernels.h"
#include "train/backend/cuda/kernels/random_drop_kernels.h"
#include "train/backend/cuda/kernels/sample_norm_kernels.h"
#include "train/backend/cuda/kernels/update_kernels.h"

namespace penstock::train::cuda {

template <class Args>
using Kernel = DeviceStatus (*)(const Args&, Stream);

/// The functions of kernels/ by the same names.
struct KernelTable {
  Kernel<InputPixels> input_pixels;
  Kernel<CropValues> crop_values;

  std::uint32_t (*num_row_parts)(std::size_t num_rows, std::uint32_t channels);
  Kernel<ChannelMoments> channel_moments;
  Kernel<BatchStatistics> batch_statistics;
  Kernel<RunningStatistics> running_statistics;
  Kernel<AffineForward> affine_forward;
  Kernel<AffineBackwardSums> affine_backward_sums;
  Kernel<NormGradients> norm_gradients;
  Kernel<AffineBackward> affine_backward;
  Kernel<ChannelSums> channel_sums;

  Kernel<ActivationForward> activation_forward;
  Kernel<ActivationBackward> activation_backward;

  Kernel<AddValues> add_values;
  Kernel<MultiplyValues> multiply_values;
  Kernel<GateForward> gate_forward;
  Kernel<GateBackward> gate_backward;
  Kernel<ChannelScaleForward> channel_scale_forward;
  Kernel<ChannelScaleBackward> channel_scale_backward;
  Kernel<CopyChannels> copy_channels;
  Kernel<FlattenValues> flatten_values;
  Kernel<ConvertValues> convert_values;

  Kernel<MaxPoolForward> max_pool_forward;
  Kernel<MaxPoolBackward> max_pool_backward;
  Kernel<AveragePool> average_pool_forward;
  Kernel<AveragePool> average_pool_backward;
  Kernel<AdaptivePool> adaptive_pool_forward;
  Kernel<AdaptivePoolBackward> adaptive_pool_backward;

  std::uint32_t (*num_layer_norm_parts)(std::size_t num_rows);
  Kernel<LayerNormForward> layer_norm_forward;
  Kernel<LayerNormBackward> layer_norm_backward;
  Kernel<GroupNormForward> group_norm_forward;
  Kernel<GroupNormBackward> group_norm_backward;
  Kernel<Softmax> softmax_forward;
  Kernel<SoftmaxBackward> softmax_backward;

  Kernel<RandomDrop> random_drop;

  Kernel<LossForward> loss_forward;
  Kernel<LossBackward> loss_backward;

  Kernel<OptimizerUpdate> optimizer_update;
  Kernel<StatisticsCopy> copy_statistics;
  Kernel<AddGradients> add_gradients;
  Kernel<RefreshCopies> refresh_copies;
};

/// Of the machine that it was compiled for.
const KernelTable& kernel_table();

}  // namespace penstock::train::cuda
