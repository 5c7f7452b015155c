#include <cmath>
#include <limits>

#include "train/backend/cuda/kernels/row_teams.h"
#include "train/backend/cuda/kernels/sample_norm_kernels.h"

namespace penstock::train::cuda {
namespace {

/// x and y may be one: a lane reads again only what it writes itself.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kTeamThreads)
    softmax_forward_kernel(Softmax args, RowTeams teams) {
  const TeamThread thread = team_thread(teams);
  const std::size_t row = std::size_t{blockIdx.x} * teams.teams() + thread.team;
  const bool has_row = row < args.num_rows;
  const T* const x = static_cast<const T*>(args.x) + row * args.channels;
  T* const y = static_cast<T*>(args.y) + row * args.channels;
  const auto each_pack = [&](const auto& visit) {
    for_each_channel_pack<kValues>(teams, thread.lane, has_row, [&](std::uint32_t channel) {
      float values[kValues];
      unpack(load_packed<kValues>(x + channel), values);
      visit(channel, values);
    });
  };
  float largest = -std::numeric_limits<float>::infinity();
  each_pack([&](std::uint32_t, const float(&values)[kValues]) {
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) largest = values[v] > largest ? values[v] : largest;
  });
  largest = team_max(largest, teams.lanes);
  float sum = 0;
  each_pack([&](std::uint32_t, const float(&values)[kValues]) {
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) sum += std::exp(values[v] - largest);
  });
  const float share = 1.0f / team_sum(sum, teams.lanes);
  each_pack([&](std::uint32_t channel, float(&values)[kValues]) {
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) values[v] = std::exp(values[v] - largest) * share;
    store_packed(y + channel, values);
  });
}

/// dx = y * (dy - sum of y dy).
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kTeamThreads)
    softmax_backward_kernel(SoftmaxBackward args, RowTeams teams) {
  const TeamThread thread = team_thread(teams);
  const std::size_t row = std::size_t{blockIdx.x} * teams.teams() + thread.team;
  const bool has_row = row < args.num_rows;
  const T* const y = static_cast<const T*>(args.y) + row * args.channels;
  const T* const dy = static_cast<const T*>(args.dy) + row * args.channels;
  T* const dx = static_cast<T*>(args.dx) + row * args.channels;
  float sum = 0;
  for_each_channel_pack<kValues>(teams, thread.lane, has_row, [&](std::uint32_t channel) {
    float outputs[kValues];
    float gradients[kValues];
    unpack(load_packed<kValues>(y + channel), outputs);
    unpack(load_packed<kValues>(dy + channel), gradients);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) sum += outputs[v] * gradients[v];
  });
  sum = team_sum(sum, teams.lanes);
  for_each_channel_pack<kValues>(teams, thread.lane, has_row, [&](std::uint32_t channel) {
    float outputs[kValues];
    float gradients[kValues];
    unpack(load_packed<kValues>(y + channel), outputs);
    unpack(load_packed<kValues>(dy + channel), gradients);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) gradients[v] = outputs[v] * (gradients[v] - sum);
    store_packed(dx + channel, gradients);
  });
}

}  // namespace

DeviceStatus softmax_forward(const Softmax& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(args.channels, {args.x, args.y}, [&]<unsigned kValues>() {
      const RowTeams teams = row_teams<kValues>(args.num_rows, args.channels);
      return launch("softmax_forward", softmax_forward_kernel<T, kValues>, teams.launch_shape(),
                    stream, args, teams);
    });
  });
}

DeviceStatus softmax_backward(const SoftmaxBackward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(args.channels, {args.y, args.dy, args.dx}, [&]<unsigned kValues>() {
      const RowTeams teams = row_teams<kValues>(args.num_rows, args.channels);
      return launch("softmax_backward", softmax_backward_kernel<T, kValues>, teams.launch_shape(),
                    stream, args, teams);
    });
  });
}

}  // namespace penstock::train::cuda
