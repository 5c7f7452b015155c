// Parameters that train at another rate, with other decay, later, or not at all: chosen by patterns
// on their names. Knows names only, no graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/optim/optimizer_config.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train {

struct ParamGroup {
  /// Names that belong to the group: "head.*", "layer?.0.*" (name_glob.h).
  std::string pattern = "*";
  /// Factor of the schedule's value, above 0.
  double learning_rate_scale = 1;
  /// Replaces OptimizerConfig::weight_decay, 0 or more. As with that one, biases and
  /// normalisation's scale and shift take it only with decays_norm_and_bias.
  std::optional<double> weight_decay = {};
  /// False keeps the weights as they are.
  bool is_trainable = true;
  /// Epochs, from 0, before this one keep the weights as they are (staged unfreezing).
  std::uint32_t first_trainable_epoch = 0;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// What decay and LAMB's adaptation tell apart.
enum class ParamRole : std::uint8_t {
  kWeight,      // of a convolution or a dense layer
  kNormOrBias,  // a bias, normalisation's scale or shift
};

/// Returns the index of each name's group, the first whose pattern matches; nothing for a name that
/// none matches: it trains as ParamGroup{} does.
///
/// Errors  InvalidArgument when a group takes no name at all: with the nearest name, or with the
///         earlier group that took what it matches; when a group is not valid
std::vector<std::optional<std::size_t>> assign_param_groups(
    std::span<const ParamGroup> groups, std::span<const std::string_view> names);

/// Returns the text of a hint for a pattern that matches none of `names`: the nearest name, or beginning of
/// names with a star. Empty without names.
std::string nearest_pattern_hint(std::string_view pattern, std::span<const std::string_view> names);

/// Returns what optimizer_scalars() must know of a parameter in `group`.
ParamRates param_rates(const OptimizerConfig& config, const ParamGroup& group,
                       ParamRole role) noexcept;

/// Whether the group's weights move in an epoch, counted from 0.
bool is_trainable_in_epoch(const ParamGroup& group, std::uint32_t epoch_idx) noexcept;

/// Returns the epochs, ascending and each once, at whose start a group begins to train: there a
/// backend lowers anew. Epoch 0 is not among them.
std::vector<std::uint32_t> unfreezing_epochs(std::span<const ParamGroup> groups);

}  // namespace penstock::train
