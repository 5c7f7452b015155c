#include "augment/planned_sample.h"

#include "augment/augment_draws.h"
#include "augment/sampling_plan.h"

namespace penstock::augment {

PlannedSample plan_sample(const AugmentConfig& config, const SampleInfo& info,
                          const BatchSpec& spec, const Draws& draws) noexcept {
  const SizePx output{spec.width_px, spec.height_px};
  const SizePx stored{info.width_px, info.height_px};
  const PictureSides sides{output, upright_size(stored, info.orientation)};
  const AugmentDraws drawn = draw_augmentation(config, sides, draws);
  return {sample_map(drawn, output, info), stored, colour_steps_of(drawn), drawn.erased};
}

SamplePlan decode_plan(const AugmentConfig& config, const PlannedSample& planned,
                       const SampleInfo& info, const BatchSpec& spec) noexcept {
  SamplePlan plan;
  plan.decode_scale = choose_decode_scale(singular_values(planned.map).smallest,
                                          config.decode_scaling, info.max_decode_scale);
  plan.source_region = source_region({.map = planned.map,
                                      .output = {spec.width_px, spec.height_px},
                                      .stored = planned.stored,
                                      .decode_scale = plan.decode_scale,
                                      .fill_mode = config.fill_mode,
                                      .interpolation = config.interpolation});
  return plan;
}

std::array<ChannelScale, 3> channel_scales(const AugmentConfig& config) noexcept {
  std::array<ChannelScale, 3> scales;
  for (std::size_t c = 0; c < scales.size(); ++c) {
    scales[c].gain = static_cast<float>(config.rescale / config.std[c]);
    scales[c].bias = static_cast<float>(-config.mean[c] / config.std[c]);
    scales[c].fill = static_cast<float>(config.cval) * scales[c].gain + scales[c].bias;
  }
  return scales;
}

}  // namespace penstock::augment
