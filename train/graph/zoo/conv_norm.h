// Blocks that MobileNets and EfficientNets share, with the names that torchvision gives their parts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// A convolution without bias, its batch norm and an activation, or none.
struct ConvNorm {
  std::uint32_t filters = 0;
  std::uint32_t kernel = 3;
  std::uint32_t stride = 1;
  std::uint32_t groups = 1;
  BatchNormOptions norm{};
  std::optional<ActivationKind> activation{};
};

/// Names the parts NAME.0, NAME.1 and NAME.2. Source: torchvision/ops/misc.py, Conv2dNormActivation.
NodeId conv_norm(ModelGraph& graph, const std::string& name, NodeId from, const ConvNorm& options);

/// The same with names of their own for convolution and norm, where nothing groups them.
struct ConvNormNames {
  std::string conv;
  std::string norm;
};
NodeId conv_norm(ModelGraph& graph, const ConvNormNames& names, NodeId from,
                 const ConvNorm& options);

/// One factor for each channel, from the means of all channels (Hu et al. 2018, 3).
struct SqueezeExcite {
  std::uint32_t squeezed = 0;  // channels between the two convolutions
  ActivationKind inner = ActivationKind::kRelu;
  ActivationKind gate = ActivationKind::kSigmoid;
};

/// Names the parts NAME.fc1 and so on. Source: torchvision/ops/misc.py, SqueezeExcitation.
NodeId squeeze_excite(ModelGraph& graph, const std::string& name, NodeId from,
                      const SqueezeExcite& options);

/// Returns the multiple of 8 that is nearest to `channels`, and not below nine tenths of it.
/// Source  torchvision/models/_utils.py, _make_divisible
std::uint32_t multiple_of_8(std::uint32_t channels);

}  // namespace penstock::train
