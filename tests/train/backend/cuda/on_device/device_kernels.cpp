// The kernels by the names that tests call them by, on the device under test: each waits until it is done.
#include "tests/train/backend/cuda/host_gpu/host_gpu.h"
#include "tests/train/backend/cuda/on_device/device_under_test.h"

namespace penstock::tests {

// A device has an order of its own.
void seed_host_gpu(std::uint64_t) {}

std::uint64_t num_host_launches() {
  return 0;
}

namespace {

/// `kernel` is a member of the table.
template <class Args>
train::cuda::DeviceStatus run(train::cuda::Kernel<Args> train::cuda::KernelTable::*kernel,
                              const Args& args) {
  const DeviceUnderTest& device = DeviceUnderTest::get();
  const train::cuda::DeviceStatus status = (device.kernels().*kernel)(args, device.stream());
  return status.is_ok() ? device.api().synchronize(device.stream()) : status;
}

}  // namespace
}  // namespace penstock::tests

namespace penstock::train::cuda {

std::uint32_t num_row_parts(std::size_t num_rows, std::uint32_t channels) {
  return tests::DeviceUnderTest::get().kernels().num_row_parts(num_rows, channels);
}
std::uint32_t num_layer_norm_parts(std::size_t num_rows) {
  return tests::DeviceUnderTest::get().kernels().num_layer_norm_parts(num_rows);
}

DeviceStatus input_pixels(const InputPixels& args, Stream) {
  return tests::run(&KernelTable::input_pixels, args);
}
DeviceStatus crop_values(const CropValues& args, Stream) {
  return tests::run(&KernelTable::crop_values, args);
}
DeviceStatus channel_moments(const ChannelMoments& args, Stream) {
  return tests::run(&KernelTable::channel_moments, args);
}
DeviceStatus batch_statistics(const BatchStatistics& args, Stream) {
  return tests::run(&KernelTable::batch_statistics, args);
}
DeviceStatus running_statistics(const RunningStatistics& args, Stream) {
  return tests::run(&KernelTable::running_statistics, args);
}
DeviceStatus affine_forward(const AffineForward& args, Stream) {
  return tests::run(&KernelTable::affine_forward, args);
}
DeviceStatus affine_backward_sums(const AffineBackwardSums& args, Stream) {
  return tests::run(&KernelTable::affine_backward_sums, args);
}
DeviceStatus norm_gradients(const NormGradients& args, Stream) {
  return tests::run(&KernelTable::norm_gradients, args);
}
DeviceStatus affine_backward(const AffineBackward& args, Stream) {
  return tests::run(&KernelTable::affine_backward, args);
}
DeviceStatus channel_sums(const ChannelSums& args, Stream) {
  return tests::run(&KernelTable::channel_sums, args);
}
DeviceStatus activation_forward(const ActivationForward& args, Stream) {
  return tests::run(&KernelTable::activation_forward, args);
}
DeviceStatus activation_backward(const ActivationBackward& args, Stream) {
  return tests::run(&KernelTable::activation_backward, args);
}
DeviceStatus add_values(const AddValues& args, Stream) {
  return tests::run(&KernelTable::add_values, args);
}
DeviceStatus multiply_values(const MultiplyValues& args, Stream) {
  return tests::run(&KernelTable::multiply_values, args);
}
DeviceStatus gate_forward(const GateForward& args, Stream) {
  return tests::run(&KernelTable::gate_forward, args);
}
DeviceStatus gate_backward(const GateBackward& args, Stream) {
  return tests::run(&KernelTable::gate_backward, args);
}
DeviceStatus channel_scale_forward(const ChannelScaleForward& args, Stream) {
  return tests::run(&KernelTable::channel_scale_forward, args);
}
DeviceStatus channel_scale_backward(const ChannelScaleBackward& args, Stream) {
  return tests::run(&KernelTable::channel_scale_backward, args);
}
DeviceStatus copy_channels(const CopyChannels& args, Stream) {
  return tests::run(&KernelTable::copy_channels, args);
}
DeviceStatus flatten_values(const FlattenValues& args, Stream) {
  return tests::run(&KernelTable::flatten_values, args);
}
DeviceStatus convert_values(const ConvertValues& args, Stream) {
  return tests::run(&KernelTable::convert_values, args);
}
DeviceStatus max_pool_forward(const MaxPoolForward& args, Stream) {
  return tests::run(&KernelTable::max_pool_forward, args);
}
DeviceStatus max_pool_backward(const MaxPoolBackward& args, Stream) {
  return tests::run(&KernelTable::max_pool_backward, args);
}
DeviceStatus average_pool_forward(const AveragePool& args, Stream) {
  return tests::run(&KernelTable::average_pool_forward, args);
}
DeviceStatus average_pool_backward(const AveragePool& args, Stream) {
  return tests::run(&KernelTable::average_pool_backward, args);
}
DeviceStatus adaptive_pool_forward(const AdaptivePool& args, Stream) {
  return tests::run(&KernelTable::adaptive_pool_forward, args);
}
DeviceStatus adaptive_pool_backward(const AdaptivePoolBackward& args, Stream) {
  return tests::run(&KernelTable::adaptive_pool_backward, args);
}
DeviceStatus layer_norm_forward(const LayerNormForward& args, Stream) {
  return tests::run(&KernelTable::layer_norm_forward, args);
}
DeviceStatus layer_norm_backward(const LayerNormBackward& args, Stream) {
  return tests::run(&KernelTable::layer_norm_backward, args);
}
DeviceStatus group_norm_forward(const GroupNormForward& args, Stream) {
  return tests::run(&KernelTable::group_norm_forward, args);
}
DeviceStatus group_norm_backward(const GroupNormBackward& args, Stream) {
  return tests::run(&KernelTable::group_norm_backward, args);
}
DeviceStatus softmax_forward(const Softmax& args, Stream) {
  return tests::run(&KernelTable::softmax_forward, args);
}
DeviceStatus softmax_backward(const SoftmaxBackward& args, Stream) {
  return tests::run(&KernelTable::softmax_backward, args);
}
DeviceStatus random_drop(const RandomDrop& args, Stream) {
  return tests::run(&KernelTable::random_drop, args);
}
DeviceStatus loss_forward(const LossForward& args, Stream) {
  return tests::run(&KernelTable::loss_forward, args);
}
DeviceStatus loss_backward(const LossBackward& args, Stream) {
  return tests::run(&KernelTable::loss_backward, args);
}
DeviceStatus optimizer_update(const OptimizerUpdate& args, Stream) {
  return tests::run(&KernelTable::optimizer_update, args);
}
DeviceStatus copy_statistics(const StatisticsCopy& args, Stream) {
  return tests::run(&KernelTable::copy_statistics, args);
}
DeviceStatus add_gradients(const AddGradients& args, Stream) {
  return tests::run(&KernelTable::add_gradients, args);
}
DeviceStatus refresh_copies(const RefreshCopies& args, Stream) {
  return tests::run(&KernelTable::refresh_copies, args);
}

}  // namespace penstock::train::cuda
