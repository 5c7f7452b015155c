#include "train/backend/cuda/device_params.h"

#include <algorithm>
#include <variant>

namespace penstock::train::cuda {
namespace {

constexpr std::uint32_t kPaddedInputChannels = 4;

const Conv2dOp* convolution_of(const ModelGraph& graph, NodeId id) {
  return std::get_if<Conv2dOp>(&graph.node(id).op);
}

}  // namespace

std::uint32_t stored_input_channels(const ModelGraph& graph) {
  const std::uint32_t channels = graph.input_shape().channels;
  const auto readers = graph.readers_of(graph.input());
  const bool is_padded = channels < kPaddedInputChannels && !readers.empty() &&
                         std::ranges::all_of(readers, [&](NodeId id) {
                           const Conv2dOp* convolution = convolution_of(graph, id);
                           return convolution != nullptr && convolution->groups == 1;
                         });
  return is_padded ? kPaddedInputChannels : channels;
}

StoredShape stored_shape(const ModelGraph& graph, std::size_t param_idx) {
  const Parameter& parameter = graph.parameters()[param_idx];
  if (parameter.kind != ParamKind::kConvWeight) {
    return {.outer = parameter.num_elements()};
  }
  const auto& shape = parameter.shape;
  StoredShape stored{.outer = shape[0],
                     .inner = shape[1],
                     .places = std::size_t{shape[2]} * shape[3],
                     .stored_inner = shape[1]};
  if (graph.node(parameter.node).inputs.front() == graph.input()) {
    const std::uint32_t padded = stored_input_channels(graph);
    if (padded != graph.input_shape().channels) stored.stored_inner = padded;
  }
  return stored;
}

void to_stored(const StoredShape& shape, std::span<const float> canonical,
               std::span<float> stored) {
  std::ranges::fill(stored, 0.0f);
  for (std::size_t o = 0; o < shape.outer; ++o) {
    for (std::size_t i = 0; i < shape.inner; ++i) {
      for (std::size_t p = 0; p < shape.places; ++p) {
        stored[(o * shape.places + p) * shape.stored_inner + i] =
            canonical[(o * shape.inner + i) * shape.places + p];
      }
    }
  }
}

void from_stored(const StoredShape& shape, std::span<const float> stored,
                 std::span<float> canonical) {
  for (std::size_t o = 0; o < shape.outer; ++o) {
    for (std::size_t i = 0; i < shape.inner; ++i) {
      for (std::size_t p = 0; p < shape.places; ++p) {
        canonical[(o * shape.inner + i) * shape.places + p] =
            stored[(o * shape.places + p) * shape.stored_inner + i];
      }
    }
  }
}

DeviceParamStore::DeviceParamStore(const ModelGraph& graph) : identity(graph.identity()) {
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    shapes.push_back(stored_shape(graph, i));
  }
}

}  // namespace penstock::train::cuda
