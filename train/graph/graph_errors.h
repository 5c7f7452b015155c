// The words in which a graph refuses a layer.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::train {

/// What names are made of; those of layers may hold dots as well.
inline constexpr std::string_view kPlainNameChars =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/// Throws InvalidArgument: `model: LAYER: expected ..., found ...`.
[[noreturn]] inline void refuse_layer(const std::string& layer, const std::string& expected,
                                      const std::string& found, std::string hint = {}) {
  throw Error(ErrorCode::kInvalidArgument,
              "model: " + layer + ": expected " + expected + ", found " + found, std::move(hint));
}

}  // namespace penstock::train
