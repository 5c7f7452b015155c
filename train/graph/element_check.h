// Bounds within which every later product with a batch and an element size stays within 64 bits.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace penstock::train {

/// Largest number of channels or outputs of a layer.
inline constexpr std::uint32_t kMaxChannels = 1u << 20;
/// Most elements of one tensor, weights or one sample's values.
inline constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 40;

/// `tensor` completes the layer's name: ".weight", or nothing for its output. Throws InvalidArgument for
/// more elements, and for none.
void check_elements(const std::string& layer, std::string_view tensor,
                    std::span<const std::uint32_t> sides);
inline void check_elements(const std::string& layer, std::string_view tensor,
                           std::initializer_list<std::uint32_t> sides) {
  check_elements(layer, tensor, std::span(sides.begin(), sides.size()));
}

}  // namespace penstock::train
