// Which order the samples of an epoch come in, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock {

enum class SampleOrder : std::uint8_t {
  kShuffle,        // every sample once, over the whole split; no memory
  kSequential,     // every sample once, as stored; no memory
  kWindowed,       // every sample once, shuffled within windows of bytes
  kWeighted,       // drawn with replacement by a weight per sample
  kClassBalanced,  // drawn with replacement, every class equally often
};

/// The name as settings write it: "shuffle", "sequential", "windowed", "weighted",
/// "class-balanced".
std::string_view sample_order_name(SampleOrder order) noexcept;
/// Reads such a name; empty when it is none.
std::optional<SampleOrder> parse_sample_order(std::string_view name) noexcept;

/// True for the orders in which a sample may come twice in an epoch, or not at all.
bool draws_with_replacement(SampleOrder order) noexcept;

}  // namespace penstock
