#include "train/backend/cuda/kernel_table.h"

namespace penstock::train::cuda {

const KernelTable& kernel_table() {
  static constexpr KernelTable kTable = {.input_pixels = input_pixels,
                                         .crop_values = crop_values,
                                         .num_row_parts = num_row_parts,
                                         .channel_moments = channel_moments,
                                         .batch_statistics = batch_statistics,
                                         .running_statistics = running_statistics,
                                         .affine_forward = affine_forward,
                                         .affine_backward_sums = affine_backward_sums,
                                         .norm_gradients = norm_gradients,
                                         .affine_backward = affine_backward,
                                         .channel_sums = channel_sums,
                                         .activation_forward = activation_forward,
                                         .activation_backward = activation_backward,
                                         .add_values = add_values,
                                         .multiply_values = multiply_values,
                                         .gate_forward = gate_forward,
                                         .gate_backward = gate_backward,
                                         .channel_scale_forward = channel_scale_forward,
                                         .channel_scale_backward = channel_scale_backward,
                                         .copy_channels = copy_channels,
                                         .flatten_values = flatten_values,
                                         .convert_values = convert_values,
                                         .max_pool_forward = max_pool_forward,
                                         .max_pool_backward = max_pool_backward,
                                         .average_pool_forward = average_pool_forward,
                                         .average_pool_backward = average_pool_backward,
                                         .adaptive_pool_forward = adaptive_pool_forward,
                                         .adaptive_pool_backward = adaptive_pool_backward,
                                         .num_layer_norm_parts = num_layer_norm_parts,
                                         .layer_norm_forward = layer_norm_forward,
                                         .layer_norm_backward = layer_norm_backward,
                                         .group_norm_forward = group_norm_forward,
                                         .group_norm_backward = group_norm_backward,
                                         .softmax_forward = softmax_forward,
                                         .softmax_backward = softmax_backward,
                                         .random_drop = random_drop,
                                         .loss_forward = loss_forward,
                                         .loss_backward = loss_backward,
                                         .optimizer_update = optimizer_update,
                                         .copy_statistics = copy_statistics,
                                         .add_gradients = add_gradients,
                                         .refresh_copies = refresh_copies};
  return kTable;
}

}  // namespace penstock::train::cuda
