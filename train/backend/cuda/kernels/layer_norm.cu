#include <algorithm>

#include "train/backend/cuda/kernels/row_sums.h"
#include "train/backend/cuda/kernels/row_teams.h"
#include "train/backend/cuda/kernels/sample_norm_kernels.h"

namespace penstock::train::cuda {
namespace {

/// x and y may be one: a lane reads again only what it writes itself.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kTeamThreads)
    layer_norm_forward_kernel(LayerNormForward args, RowTeams teams) {
  const TeamThread thread = team_thread(teams);
  const std::size_t row = std::size_t{blockIdx.x} * teams.teams() + thread.team;
  const bool has_row = row < args.num_rows;
  const T* const x = static_cast<const T*>(args.x) + row * args.channels;
  T* const y = static_cast<T*>(args.y) + row * args.channels;
  const RowMoments moments =
      row_moments<kValues>(teams, thread.lane, x, has_row, static_cast<float>(args.epsilon));
  for_each_channel_pack<kValues>(teams, thread.lane, has_row, [&](std::uint32_t channel) {
    float values[kValues];
    float scale[kValues];
    float shift[kValues];
    unpack(load_packed<kValues>(x + channel), values);
    load_floats(args.scale + channel, scale);
    load_floats(args.shift + channel, shift);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) {
      values[v] = (values[v] - moments.mean) * moments.inv_deviation * scale[v] + shift[v];
    }
    store_packed(y + channel, values);
  });
}

/// Rows that a block takes between two barriers: first by teams, for each row's sums, then by columns, for each
/// channel's; the second time they come from the cache.
constexpr std::uint32_t kLeastChunkRows = 16;
constexpr std::uint32_t kMostChunkRows = kTeamThreads;
constexpr std::uint32_t kMostColumns = kTeamThreads;  // packs side by side
constexpr std::uint32_t kMostParts = 528;             // four blocks on each of 132 multiprocessors

struct LayerNormWork {
  RowTeams teams;
  std::uint32_t chunk_rows;
  std::uint32_t columns;  // packs that threads take side by side
  std::uint32_t num_parts;

  __device__ std::uint32_t row_lanes() const { return kTeamThreads / columns; }
  LaunchShape launch_shape() const { return {.grid = {num_parts}, .block = {kTeamThreads}}; }
};

template <unsigned kValues>
LayerNormWork layer_norm_work(const LayerNormBackward& args) {
  const RowTeams teams = row_teams<kValues>(args.num_rows, args.channels);
  return {.teams = teams,
          .chunk_rows = std::max(kLeastChunkRows, teams.teams()),
          .columns = std::min(teams.packs, kMostColumns),
          .num_parts = num_layer_norm_parts(args.num_rows)};
}

/// What the gradients of a row need: dx = inv_deviation * (g - mean_g - v * mean_gv), with g = dy * scale and v the
/// normalized values.
struct RowFactors {
  float mean;
  float inv_deviation;
  float mean_g;
  float mean_gv;
};

template <unsigned kValues, class T>
__device__ RowFactors row_factors(const LayerNormBackward& args, const RowTeams& teams,
                                  std::uint32_t lane, std::size_t row) {
  const bool has_row = row < args.num_rows;
  const T* const x = static_cast<const T*>(args.x) + row * args.channels;
  const T* const dy = static_cast<const T*>(args.dy) + row * args.channels;
  const RowMoments moments =
      row_moments<kValues>(teams, lane, x, has_row, static_cast<float>(args.epsilon));
  float sum = 0;
  float sum_normalized = 0;
  for_each_channel_pack<kValues>(teams, lane, has_row, [&](std::uint32_t channel) {
    float values[kValues];
    float gradients[kValues];
    float scale[kValues];
    unpack(load_packed<kValues>(x + channel), values);
    unpack(load_packed<kValues>(dy + channel), gradients);
    load_floats(args.scale + channel, scale);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) {
      const float g = gradients[v] * scale[v];
      sum += g;
      sum_normalized += g * ((values[v] - moments.mean) * moments.inv_deviation);
    }
  });
  const float share = 1.0f / static_cast<float>(args.channels);
  return {moments.mean, moments.inv_deviation, team_sum(sum, teams.lanes) * share,
          team_sum(sum_normalized, teams.lanes) * share};
}

/// The thread's columns in the rows of a chunk: writes their gradients, and adds to the channels' sums.
template <class T, unsigned kValues>
__device__ void add_columns(const LayerNormBackward& args, const LayerNormWork& work,
                            const RowFactors* factors, std::size_t chunk, std::uint32_t channel,
                            float (&sums)[2 * kValues]) {
  const std::size_t left = args.num_rows - chunk;
  const std::uint32_t end =
      left < work.chunk_rows ? static_cast<std::uint32_t>(left) : work.chunk_rows;
  float scale[kValues];
  load_floats(args.scale + channel, scale);
  for (std::uint32_t i = threadIdx.x / work.columns; i < end; i += work.row_lanes()) {
    const RowFactors row = factors[i];
    const std::size_t at = (chunk + i) * args.channels + channel;
    float values[kValues];
    float gradients[kValues];
    unpack(load_packed<kValues>(static_cast<const T*>(args.x) + at), values);
    unpack(load_packed<kValues>(static_cast<const T*>(args.dy) + at), gradients);
    PENSTOCK_UNROLL
    for (unsigned v = 0; v < kValues; ++v) {
      const float normalized = (values[v] - row.mean) * row.inv_deviation;
      sums[v] += gradients[v] * normalized;
      sums[kValues + v] += gradients[v];
      const float g = gradients[v] * scale[v];
      values[v] = row.inv_deviation * (g - row.mean_g - normalized * row.mean_gv);
    }
    if (args.dx != nullptr) store_packed(static_cast<T*>(args.dx) + at, values);
  }
}

/// Moves sums to the block's part, behind what stands there already.
template <unsigned kValues>
__device__ void move_to_part(const LayerNormBackward& args, std::uint32_t channel, bool adds,
                             float (&sums)[2 * kValues]) {
  float* const part = args.partials + std::size_t{blockIdx.x} * 2 * args.channels + channel;
  PENSTOCK_UNROLL
  for (unsigned v = 0; v < 2 * kValues; ++v) {
    float& to = part[(v < kValues ? 0 : args.channels) + v % kValues];
    to = adds ? to + sums[v] : sums[v];
    sums[v] = 0;
  }
}

/// dx may be x or dy: all of a chunk has been read for its sums before any of it is written, and then each value is
/// written by the thread that has just read it. So one block takes whole rows.
template <class T, unsigned kValues>
__global__ void __launch_bounds__(kTeamThreads, 3)
    layer_norm_backward_kernel(LayerNormBackward args, LayerNormWork work) {
  PENSTOCK_SHARED(RowFactors, factors, kMostChunkRows);
  const TeamThread team = team_thread(work.teams);
  const std::uint32_t column = threadIdx.x % work.columns;
  const std::uint32_t row_lane = threadIdx.x / work.columns;
  const bool has_sums = args.dscale != nullptr || args.dshift != nullptr;
  const bool is_wide = work.teams.packs > work.columns;  // then there is one row lane
  const std::size_t first_chunk = std::size_t{blockIdx.x} * work.chunk_rows;
  float sums[2 * kValues] = {};
  for (std::size_t chunk = first_chunk; chunk < args.num_rows;
       chunk += std::size_t{gridDim.x} * work.chunk_rows) {
    for (std::uint32_t i = team.team; i < work.chunk_rows; i += work.teams.teams()) {
      const RowFactors row = row_factors<kValues, T>(args, work.teams, team.lane, chunk + i);
      if (team.lane == 0) factors[i] = row;
    }
    __syncthreads();
    const std::uint32_t end = row_lane < work.row_lanes() ? work.teams.packs : 0;
    for (std::uint32_t pack = column; pack < end; pack += work.columns) {
      add_columns<T, kValues>(args, work, factors, chunk, pack * kValues, sums);
      if (is_wide && has_sums)
        move_to_part<kValues>(args, pack * kValues, chunk != first_chunk, sums);
    }
    __syncthreads();  // the next chunk's factors take their place
  }
  if (is_wide || !has_sums) return;
  sum_over_lanes<kTeamThreads>(sums, row_lane, work.row_lanes(), work.columns);
  if (row_lane == 0) move_to_part<kValues>(args, column * kValues, false, sums);
}

__global__ void __launch_bounds__(kPartThreads)
    layer_norm_gradients_kernel(LayerNormBackward args, std::uint32_t num_parts) {
  double sums[2];
  if (!sum_parts(args.partials, num_parts, args.channels, sums)) return;
  const std::uint32_t channel = part_channel();
  if (args.dscale != nullptr) args.dscale[channel] = static_cast<float>(sums[0]);
  if (args.dshift != nullptr) args.dshift[channel] = static_cast<float>(sums[1]);
}

}  // namespace

DeviceStatus layer_norm_forward(const LayerNormForward& args, Stream stream) {
  return with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(
        args.channels, {args.x, args.y, args.scale, args.shift}, [&]<unsigned kValues>() {
          const RowTeams teams = row_teams<kValues>(args.num_rows, args.channels);
          return launch("layer_norm_forward", layer_norm_forward_kernel<T, kValues>,
                        teams.launch_shape(), stream, args, teams);
        });
  });
}

std::uint32_t num_layer_norm_parts(std::size_t num_rows) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(num_blocks_for(num_rows, 2 * kLeastChunkRows), kMostParts));
}

DeviceStatus layer_norm_backward(const LayerNormBackward& args, Stream stream) {
  const DeviceStatus status = with_value_type(args.type, [&]<class T>(T) {
    return with_row_packs<T>(
        args.channels, {args.x, args.dy, args.dx, args.scale}, [&]<unsigned kValues>() {
          const LayerNormWork work = layer_norm_work<kValues>(args);
          return launch("layer_norm_backward", layer_norm_backward_kernel<T, kValues>,
                        work.launch_shape(), stream, args, work);
        });
  });
  if (!status.is_ok() || (args.dscale == nullptr && args.dshift == nullptr)) return status;
  return launch("layer_norm_gradients", layer_norm_gradients_kernel,
                part_launch_shape(args.channels), stream, args,
                num_layer_norm_parts(args.num_rows));
}

}  // namespace penstock::train::cuda
