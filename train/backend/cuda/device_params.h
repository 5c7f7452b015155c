// Parameters as they are stored on the device: convolution weights with the channels last, padded where the input
// is; everything else as in files. A permutation: files and other backends get every bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train::cuda {

/// Channels that the input's values are stored with: 4 for up to 3 where convolutions alone read it, since tensor
/// cores take vectors of channels; else its own.
std::uint32_t stored_input_channels(const ModelGraph& graph);

/// A tensor [outer, inner, places] in files, [outer, places, stored_inner] on the device.
struct StoredShape {
  std::size_t outer = 1;
  std::size_t inner = 1;
  std::size_t places = 1;
  std::size_t stored_inner = 1;

  std::size_t num_elements() const noexcept { return outer * inner * places; }
  std::size_t num_stored() const noexcept { return outer * places * stored_inner; }
  bool is_plain() const noexcept { return places == 1 && stored_inner == inner; }
};

StoredShape stored_shape(const ModelGraph& graph, std::size_t param_idx);

/// Shapes  canonical: num_elements(); stored: num_stored(), padding becomes 0
void to_stored(const StoredShape& shape, std::span<const float> canonical, std::span<float> stored);
void from_stored(const StoredShape& shape, std::span<const float> stored,
                 std::span<float> canonical);

/// What the programs of one set of parameters know together. The device has the rest (ScalerBlock).
struct DeviceParamStore {
  explicit DeviceParamStore(const ModelGraph& graph);

  std::string identity;  // of the graph
  std::vector<StoredShape> shapes;
  /// Masters or means were set from outside: copies that products read are older.
  bool are_copies_stale = true;
  /// The means have moved since the copies of them were made.
  bool are_mean_copies_stale = true;
  /// A training step has begun: running statistics are kept from before it.
  bool has_step_begun = false;
  /// Names apart what belongs to one program alone.
  std::uint32_t num_programs = 0;
};

}  // namespace penstock::train::cuda
