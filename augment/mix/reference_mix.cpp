#include "augment/mix/reference_mix.h"

namespace penstock::augment {
namespace {

// Where value `i` of a sample lies.
PointPx pixel_of(const BatchSpec& spec, std::size_t i) {
  const std::size_t pixel = spec.layout == PixelLayout::kNchw
                                ? i % (std::size_t{spec.height_px} * spec.width_px)
                                : i / spec.channels;
  return {static_cast<double>(pixel % spec.width_px), static_cast<double>(pixel / spec.width_px)};
}

bool lies_in(const RectPx& box, PointPx at) {
  return at.x >= box.x && at.x < static_cast<double>(box.x) + box.width && at.y >= box.y &&
         at.y < static_cast<double>(box.y) + box.height;
}

}  // namespace

ReferenceBatch reference_mix(const ReferenceBatch& batch, const MixDraws& drawn) {
  const BatchSpec& spec = batch.spec;
  const std::size_t num_values = std::size_t{spec.height_px} * spec.width_px * spec.channels;
  ReferenceBatch mixed = batch;
  for (std::size_t place = 0; place < batch.num_valid; ++place) {
    const std::size_t partner = batch.num_valid - 1 - place;
    if (partner == place || !batch.takes_part[place] || !batch.takes_part[partner]) continue;
    const auto both = [&](const std::vector<double>& values, std::size_t size, std::size_t i) {
      return drawn.share * values[place * size + i] +
             (1 - drawn.share) * values[partner * size + i];
    };
    for (std::size_t i = 0; i < num_values; ++i) {
      double& value = mixed.pixels[place * num_values + i];
      if (drawn.kind == MixKind::kMixup) {
        value = both(batch.pixels, num_values, i);
      } else if (lies_in(drawn.box, pixel_of(spec, i))) {
        value = batch.pixels[partner * num_values + i];
      }
    }
    const auto weight = [&](std::size_t at) {
      return batch.weights.empty() ? 1 : batch.weights[at];
    };
    const double own = drawn.share * weight(place);
    const double others = (1 - drawn.share) * weight(partner);
    if (!mixed.weights.empty()) mixed.weights[place] = own + others;
    for (std::size_t k = 0; k < spec.num_targets; ++k) {
      mixed.targets[place * spec.num_targets + k] =
          (own * batch.targets[place * spec.num_targets + k] +
           others * batch.targets[partner * spec.num_targets + k]) /
          (own + others);
    }
  }
  return mixed;
}

}  // namespace penstock::augment
