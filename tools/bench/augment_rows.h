// The table of what `penstock bench augment` measures. A new operation is a row more.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "streamer/core/batch.h"
#include "tools/bench/opencv_chains.h"

namespace penstock::tools::bench {

/// What a row has to reach with the widest vector unit, where somebody asked for it.
struct AugmentBar {
  std::optional<double> most_us = {};       // a sample
  std::optional<double> times_opencv = {};  // the chain's time over the row's, at least
  std::optional<double> most_us_more = {};  // than the row that it stands on
};

/// One operation: a picture decoded before, sampled into a place of a batch of three channels.
struct AugmentRow {
  std::string_view name;
  std::string_view steps;  // in words
  augment::SizePx picture{};
  augment::SizePx output{};
  std::uint32_t num_samples = 0;  // that a round takes, each with draws of its own
  augment::AugmentConfig config{};
  ElementType element = ElementType::kFloat32;
  OpencvChain chain = nullptr;  // none where OpenCV has nothing like it
  /// The row that this one does something more than, measured beside it.
  std::string_view on_top_of = {};
  AugmentBar bar{};
};

std::span<const AugmentRow> augment_rows();

/// Returns one of them. Throws InvalidArgument naming the known ones.
const AugmentRow& augment_row_named(std::string_view name);

}  // namespace penstock::tools::bench
