// Reads one layer of a model file: TOML's types, and those that only layers have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "train/graph/initializer.h"
#include "train/graph/tensor_shape.h"
#include "train/graph/toml_reader.h"

namespace penstock::train {

/// A line of a model file that is right, or nothing.
std::string layer_example(const std::string& key);

/// Window, step and padding, as a layer's keys give them.
struct LayerPadding {
  PaddingRule rule = PaddingRule::kValid;
  Extent pad{};
};

class LayerReader : public TomlReader {
 public:
  LayerReader(const TomlTable& table, const std::string& where)
      : TomlReader(table, {.where = where, .example = layer_example}) {}

  std::optional<std::uint32_t> count(std::string_view key);
  /// A whole number, or "num_classes".
  std::uint32_t outputs(std::string_view key, std::uint32_t num_classes);
  double required_number(std::string_view key);
  std::string required_text(std::string_view key);
  /// Index of the name that stands there.
  std::optional<std::size_t> choice(std::string_view key, std::span<const std::string_view> names,
                                    std::string_view hint = {});
  /// An integer for both sides, or [rows, columns].
  std::optional<Extent> extent(std::string_view key);
  std::optional<LayerPadding> padding();
  /// Keys `init` and `init_deviation`.
  WeightInit weight_init(WeightInit otherwise);

 private:
  Extent extent_of(std::string_view key, const TomlValue& value, const std::string& expected);
};

}  // namespace penstock::train
