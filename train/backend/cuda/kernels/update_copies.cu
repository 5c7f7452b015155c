#include "train/backend/cuda/kernels/tensor_pieces.h"
#include "train/backend/cuda/kernels/update_kernels.h"

namespace penstock::train::cuda {
namespace {

__global__ void __launch_bounds__(kPieceThreads) copy_statistics_kernel(StatisticsCopy args) {
  if (blockIdx.x == 0 && threadIdx.x == 0) args.scaler->has_bad_loss = 0;
  if (blockIdx.x >= args.num_statistics) return;
  const StatisticsBlock statistics = args.statistics[blockIdx.x];
  const float* const from = args.puts_back ? statistics.before_step : statistics.running;
  float* const to = args.puts_back ? statistics.running : statistics.before_step;
  for (std::uint64_t i = threadIdx.x; i < statistics.num_elements; i += kPieceThreads) {
    to[i] = from[i];
  }
}

__global__ void __launch_bounds__(kPieceThreads) add_gradients_kernel(AddGradients args) {
  const TensorPiece piece = args.pieces[blockIdx.x];
  const GradientSumBlock t = args.tensors[piece.tensor_idx];
  const bool is_aligned = are_aligned(t.gradient, t.sum);
  for_each_group<8>(piece, is_aligned, [&](auto width, std::size_t first) {
    auto gradient = load_group_of<width>(t.gradient_type, t.gradient, first);
    if (args.adds) {
      const auto sum = load_group<width>(t.sum + first);
      for (unsigned v = 0; v < width; ++v) gradient.values[v] += sum.values[v];
    }
    store_group(t.sum + first, gradient);
  });
}

/// Parameters without a mean, frozen ones, are read as they are.
__global__ void __launch_bounds__(kPieceThreads) refresh_copies_kernel(RefreshCopies args) {
  const TensorPiece piece = args.pieces[blockIdx.x];
  const UpdateTensorBlock t = args.tensors[piece.tensor_idx];
  if (t.copy == nullptr) return;
  const float* const from = args.reads_ema && t.ema != nullptr ? t.ema : t.weight;
  for_each_group<8>(piece, are_aligned(from, t.copy), [&](auto width, std::size_t first) {
    store_group_of(t.copy_type, t.copy, first, load_group<width>(from + first));
  });
}

}  // namespace

DeviceStatus copy_statistics(const StatisticsCopy& args, Stream stream) {
  return launch("copy_statistics", copy_statistics_kernel, piece_shape(args.num_statistics), stream,
                args);
}

DeviceStatus add_gradients(const AddGradients& args, Stream stream) {
  if (args.num_pieces == 0) return {};
  return launch("add_gradients", add_gradients_kernel, piece_shape(args.num_pieces), stream, args);
}

DeviceStatus refresh_copies(const RefreshCopies& args, Stream stream) {
  if (args.num_pieces == 0) return {};
  return launch("refresh_copies", refresh_copies_kernel, piece_shape(args.num_pieces), stream,
                args);
}

}  // namespace penstock::train::cuda
