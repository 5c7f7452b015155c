// Models by name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// Names that build_model() knows.
std::span<const std::string_view> model_names();

/// How a named model begins.
struct ModelOptions {
  /// The last batch norm of every block of resnet18, resnet34 and resnet50 starts at 0, so that blocks begin
  /// as nothing and the first steps are steadier (Goyal et al. 2017, 5.1). False: 1, as torchvision has it
  /// unasked. Of no effect on other models and on weights that are loaded.
  bool zero_gamma = true;
};

/// Builds a named model for an input shape and a number of classes.
///
/// Those that torchvision has hold its parameters under its names: "layer1.0.conv1.weight". A tensor is equal
/// to torchvision's once sides of 1 at the end of either shape are left out ([384, 96] and [384, 96, 1, 1]).
/// Errors  InvalidArgument for an unknown name (the hint holds the nearest known one), for an image
///         that is too small, or for another shape that does not fit
/// Source  torchvision 0.29.2, torchvision/models
ModelGraph build_model(std::string_view name, const TensorShape& input, std::uint32_t num_classes,
                       const ModelOptions& options = {});

/// Four times [conv 3x3 same without bias; batch norm; ReLU; max-pool 2] with 32, 64, 128 and 256
/// channels, global average pool, dropout 0.2, dense. Sides of at least 16 pixels.
ModelGraph small_cnn(const TensorShape& input, std::uint32_t num_classes);

}  // namespace penstock::train
