// The random values of one batch: a pure function of settings, output size and Philox draws.
// Knows no pixels and no targets.
#pragma once

#include <cstdint>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "streamer/core/draws.h"
#include "streamer/core/image_view.h"

namespace penstock::augment {

/// The block of DrawPurpose::kBatch that each value comes from. Append only: a number once given
/// decides the bytes of old runs.
enum class MixBlock : std::uint16_t {
  kMixupShare = 0,   // slots 0 and 1
  kCutmixShare = 1,  // slots 0 and 1
  kChoice = 2,       // slot 0: below 0.5 is mixup, where both are on
  kBoxCentre = 3,    // slot 0: column, slot 1: row
};

enum class MixKind : std::uint8_t { kMixup, kCutmix };

/// What was drawn for one batch.
struct MixDraws {
  MixKind kind = MixKind::kMixup;
  /// What each sample keeps of itself, 0 to 1, and of its target: the lambda of both papers. Of
  /// cutmix, the share of the area outside `box`.
  double share = 1;
  /// Cutmix: the pixels that partners swap; may be empty.
  RectPx box{};
};

/// Draws the values of one batch. `config` must be valid, with mixup or cutmix on.
MixDraws draw_mix(const AugmentConfig& config, SizePx output, const Draws& draws) noexcept;

/// Beta(alpha, alpha), 0 to 1, for alpha above 0, from the two values of one block: no loop.
///
/// Source  R. W. Bailey, Polar generation of random variates with the t-distribution, Math. Comp. 62
///         (1994) 779: t of 2 alpha degrees of freedom is sqrt(2 alpha (u^(-1/alpha) - 1)) cos(2 pi v);
///         (1 + t / sqrt(2 alpha + t^2)) / 2 is Beta(alpha, alpha) (L. Devroye, Random variate generation
///         in one line of code, WSC 1996)
double symmetric_beta(double alpha, const Draws& draws, MixBlock block) noexcept;

}  // namespace penstock::augment
