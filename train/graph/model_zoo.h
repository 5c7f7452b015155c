// Models by name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// Names that build_model() knows.
std::span<const std::string_view> model_names();

/// Builds a named model for an input shape and a number of classes.
/// Errors  InvalidArgument for an unknown name (the hint holds the nearest known one) or for a
///         shape that does not fit
ModelGraph build_model(std::string_view name, const TensorShape& input, std::uint32_t num_classes);

/// Four times [conv 3x3 same without bias; batch norm; ReLU; max-pool 2] with 32, 64, 128 and 256
/// channels, global average pool, dropout 0.2, dense. Sides of at least 16 pixels.
ModelGraph small_cnn(const TensorShape& input, std::uint32_t num_classes);

}  // namespace penstock::train
