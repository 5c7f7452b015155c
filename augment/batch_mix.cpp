#include "augment/batch_mix.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "augment/mix/mix_draws.h"
#include "augment/mix/mix_pair.h"
#include "streamer/core/crop_record.h"
#include "streamer/core/error.h"
#include "streamer/core/number_text.h"

namespace penstock::augment {
namespace {

MixShares shares_of(double share) noexcept {
  const auto own = static_cast<float>(share);
  return {.own = own, .other = 1 - own};
}

void swap_bytes(std::byte* a, std::byte* b, std::size_t count) noexcept {
  constexpr std::size_t kBlockBytes = 1024;
  std::byte block[kBlockBytes];
  for (std::size_t i = 0; i < count; i += kBlockBytes) {
    const std::size_t length = std::min(kBlockBytes, count - i);
    std::memcpy(block, a + i, length);
    std::memcpy(a + i, b + i, length);
    std::memcpy(b + i, block, length);
  }
}

struct Partners {
  std::uint32_t place;
  std::uint32_t partner;
};

/// Swaps `box` between two samples, row by row; channels are planes, or lie side by side in a row.
void swap_box(const BatchContent& batch, const Partners& pair, const RectPx& box) noexcept {
  const BatchSpec& spec = *batch.spec;
  std::byte* const a = batch.sample(pair.place).data();
  std::byte* const b = batch.sample(pair.partner).data();
  const bool is_nchw = spec.layout == PixelLayout::kNchw;
  const std::size_t num_planes = is_nchw ? spec.channels : 1;
  const std::size_t pixel_bytes = element_bytes(spec.element) * (is_nchw ? 1 : spec.channels);
  const std::size_t row_bytes = spec.width_px * pixel_bytes;
  for (std::size_t plane = 0; plane < num_planes; ++plane) {
    for (std::size_t y = box.y; y < std::size_t{box.y} + box.height; ++y) {
      const std::size_t at = (plane * spec.height_px + y) * row_bytes + box.x * pixel_bytes;
      if (batch.is_abandoned()) return;
      swap_bytes(a + at, b + at, box.width * pixel_bytes);
    }
  }
}

/// Blends two samples, block by block, so that a stop need not wait for large ones.
void blend_pixels(const BatchContent& batch, const Partners& pair,
                  const MixShares& shares) noexcept {
  constexpr std::size_t kBlockValues = 1u << 16;
  const ElementType element = batch.spec->element;
  const std::size_t value_bytes = element_bytes(element);
  std::byte* const a = batch.sample(pair.place).data();
  std::byte* const b = batch.sample(pair.partner).data();
  const std::size_t num_values = batch.spec->sample_bytes() / value_bytes;
  for (std::size_t i = 0; i < num_values && !batch.is_abandoned(); i += kBlockValues) {
    mix_pair({.first = a + i * value_bytes,
              .second = b + i * value_bytes,
              .num_values = std::min(kBlockValues, num_values - i),
              .element = element},
             shares);
  }
}

/// Tells a place of crops whom it is mixed with.
void record_partner(const BatchContent& batch, const Partners& pair,
                    const MixDraws& drawn) noexcept {
  std::byte* const place = batch.sample(pair.place).data();
  CropRecord record;
  std::memcpy(&record, place, sizeof(record));
  const MixShares shares = shares_of(drawn.share);
  record.partner = static_cast<std::int32_t>(pair.partner) - static_cast<std::int32_t>(pair.place);
  record.is_boxed = drawn.kind == MixKind::kCutmix ? 1 : 0;
  record.box = drawn.box;
  record.own_share = shares.own;
  record.other_share = shares.other;
  std::memcpy(place, &record, sizeof(record));
}

void mix_pictures(const BatchContent& batch, const Partners& pair, const MixDraws& drawn) noexcept {
  if (batch.spec->crop_bytes > 0) {
    record_partner(batch, pair, drawn);
    record_partner(batch, {.place = pair.partner, .partner = pair.place}, drawn);
  } else if (drawn.kind == MixKind::kMixup) {
    blend_pixels(batch, pair, shares_of(drawn.share));
  } else {
    swap_box(batch, pair, drawn.box);
  }
}

void blend_targets(const BatchContent& batch, const Partners& pair,
                   const MixShares& shares) noexcept {
  const auto bytes = [&](std::uint32_t place) {
    return std::as_writable_bytes(batch.targets_of(place)).data();
  };
  mix_pair({.first = bytes(pair.place),
            .second = bytes(pair.partner),
            .num_values = batch.spec->num_targets,
            .element = ElementType::kFloat32},
           shares);
}

/// Each part of a target keeps what its own sample weighs: of a mixture, own share times its weight and the
/// other's times the other's. Their sum is the mixture's weight, and the targets are divided by it.
void blend_weighted_targets(const BatchContent& batch, const Partners& pair,
                            const MixShares& shares) noexcept {
  float& a_weight = batch.weights[pair.place];
  float& b_weight = batch.weights[pair.partner];
  const float a_mixed = shares.own * a_weight + shares.other * b_weight;
  const float b_mixed = shares.own * b_weight + shares.other * a_weight;
  const std::span<float> a = batch.targets_of(pair.place);
  const std::span<float> b = batch.targets_of(pair.partner);
  for (std::size_t k = 0; k < a.size(); ++k) {
    const float a_part = a_weight * a[k];
    const float b_part = b_weight * b[k];
    a[k] = (shares.own * a_part + shares.other * b_part) / a_mixed;
    b[k] = (shares.own * b_part + shares.other * a_part) / b_mixed;
  }
  a_weight = a_mixed;
  b_weight = b_mixed;
}

bool takes_part(const BatchContent& batch, std::uint32_t place) noexcept {
  return !batch.has_failed(place) && batch.class_idx[place] != kUnlabelled;
}

}  // namespace

BatchMix::BatchMix(const AugmentConfig& config) : config_(config) {
  config_.validate();
  if (config_.mixup > 0 || config_.cutmix > 0) return;
  throw Error(ErrorCode::kInvalidArgument,
              "batch mix: mixup, cutmix: expected one above 0, found both 0",
              "mixup = 0.2, or leave the batch transform out");
}

void BatchMix::accept(const BatchSpec& spec) const {
  spec.validate();
  if (spec.label_form == LabelForm::kTargets) return;
  throw Error(ErrorCode::kInvalidArgument,
              "batch mix: label_form: expected targets, which samples share when they are mixed, "
              "found class indices",
              "set BatchSpec::label_form to LabelForm::kTargets and num_targets to the number of "
              "classes");
}

void BatchMix::apply(const BatchContent& batch) const noexcept {
  const BatchSpec& spec = *batch.spec;
  const MixDraws drawn = draw_mix(config_, {spec.width_px, spec.height_px}, batch.draws);
  const MixShares shares = shares_of(drawn.share);
  for (std::uint32_t place = 0; place < batch.num_valid / 2; ++place) {
    if (batch.is_abandoned()) return;
    const Partners pair{place, batch.num_valid - 1 - place};
    if (!takes_part(batch, pair.place) || !takes_part(batch, pair.partner)) continue;
    mix_pictures(batch, pair, drawn);
    if (batch.weights[pair.place] == batch.weights[pair.partner]) {
      blend_targets(batch, pair, shares);
    } else {
      blend_weighted_targets(batch, pair, shares);
    }
  }
}

std::string BatchMix::identity() const {
  std::string text = "batch_transform=mix\n";
  // Counts changes of the draw table, of the formulas and of the pairs.
  text += "batch_mix.revision=1\n";
  if (config_.mixup > 0) text += "augment.mixup=" + number_text(config_.mixup) + "\n";
  if (config_.cutmix > 0) text += "augment.cutmix=" + number_text(config_.cutmix) + "\n";
  return text;
}

std::shared_ptr<const BatchTransform> make_batch_mix(const AugmentConfig& config) {
  if (!(config.mixup > 0) && !(config.cutmix > 0)) return nullptr;
  return std::make_shared<BatchMix>(config);
}

}  // namespace penstock::augment
