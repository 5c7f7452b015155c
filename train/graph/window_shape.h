// How far a window with its step and padding takes an image.
#pragma once

#include <string>

#include "train/graph/tensor_shape.h"

namespace penstock::train {

/// Largest window side, step, padding and dilation.
inline constexpr std::uint32_t kMaxWindow = 1u << 12;

/// What a layer with a window asks for.
struct WindowWish {
  const char* key = "kernel";  // of the window in a model file
  Extent sides{};
  Extent stride{};
  PaddingRule rule = PaddingRule::kValid;
  Extent pad{};
  Extent dilation{};
};

/// A window, and the rows and columns of the places at which it stands.
struct PlacedWindow {
  Window window{};
  Extent output{};
};

/// Throws InvalidArgument naming `layer` for what is out of range, or an input that is too small.
PlacedWindow place_window(const std::string& layer, const TensorShape& input,
                          const WindowWish& wish);

}  // namespace penstock::train
