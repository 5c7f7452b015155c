#include "tests/augment/fuzz/mix_trial.h"

#include <cmath>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "augment/batch_mix.h"
#include "augment/mix/mix_draws.h"
#include "augment/mix/reference_mix.h"
#include "augment/simd_target.h"
#include "tests/augment/element_values.h"
#include "tests/augment/fuzz/sample_trial.h"

namespace penstock::augment {
namespace {

struct MixTrial {
  AugmentConfig config;
  BatchSpec spec;
  std::uint32_t num_valid = 1;
  std::vector<std::byte> pixels;
  std::vector<float> targets;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
  Draws::Place place;
};

/// A finite element of any size that a sum of two may have.
void put_element(ElementType element, std::byte* at, std::mt19937_64& random) {
  const auto bits = static_cast<std::uint32_t>(random());
  const std::uint32_t masks[] = {0xFF, 0xBBFF, 0xBF7F,
                                 0xBF7FFFFF};  // the largest exponents are out
  const std::uint32_t kept = bits & masks[static_cast<std::size_t>(element)];
  std::memcpy(at, &kept, element_bytes(element));
}

MixTrial draw_mix_trial(std::mt19937_64& random) {
  const auto upto = [&](std::uint32_t most) {
    return 1 + static_cast<std::uint32_t>(random() % most);
  };
  MixTrial trial;
  const bool is_large = random() % 16 == 0;  // pixels are blended in blocks
  trial.spec = {.batch = upto(7),
                .height_px = is_large ? 160 : upto(20),
                .width_px = is_large ? 150 : upto(20),
                .channels = random() % 3 == 0 ? 1u : 3u,
                .element = static_cast<ElementType>(random() % 4),
                .layout = random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc,
                .label_form = LabelForm::kTargets,
                .num_targets = upto(30)};
  const auto alpha = [&] { return std::exp(std::uniform_real_distribution(-7.0, 6.9)(random)); };
  const std::uint64_t which = random() % 3;
  trial.config.mixup = which != 0 ? alpha() : 0;
  trial.config.cutmix = which != 1 ? alpha() : 0;
  trial.num_valid = upto(trial.spec.batch);
  trial.place = {.seed = random(),
                 .epoch = upto(5),
                 .position = random() % 100'000,
                 .purpose = DrawPurpose::kBatch};
  const std::size_t num_targets = trial.spec.num_targets;
  trial.pixels.assign(trial.spec.pixels_bytes(), std::byte{0});
  trial.targets.assign(trial.spec.batch * num_targets, 0);
  trial.class_idx.assign(trial.spec.batch, kUnlabelled);
  trial.weights.assign(trial.spec.batch, 0);
  const std::size_t value_bytes = element_bytes(trial.spec.element);
  for (std::uint32_t place = 0; place < trial.num_valid; ++place) {
    if (random() % 6 != 0) trial.class_idx[place] = upto(trial.spec.num_targets) - 1;
    if (random() % 6 == 0) continue;  // failed
    trial.weights[place] = 1;
    for (std::size_t i = 0; i < trial.spec.sample_bytes(); i += value_bytes) {
      put_element(trial.spec.element, &trial.pixels[place * trial.spec.sample_bytes() + i], random);
    }
    if (trial.class_idx[place] == kUnlabelled) continue;
    trial.targets[place * num_targets + trial.class_idx[place]] = 1;
  }
  return trial;
}

MixTrial mixed_on(std::string_view target, MixTrial trial) {
  force_simd_target(target);
  BatchMix(trial.config)
      .apply({.spec = &trial.spec,
              .pixels = trial.pixels.data(),
              .targets = trial.targets,
              .class_idx = trial.class_idx,
              .weights = trial.weights,
              .num_valid = trial.num_valid,
              .draws = Draws(trial.place),
              .stop = nullptr});
  force_simd_target("auto");
  return trial;
}

ReferenceBatch mixed_by_twin(const MixTrial& trial, const MixDraws& drawn) {
  ReferenceBatch batch{.spec = trial.spec,
                       .pixels = element_values(trial.pixels, trial.spec.element),
                       .targets = {trial.targets.begin(), trial.targets.end()},
                       .num_valid = trial.num_valid};
  for (std::uint32_t place = 0; place < trial.spec.batch; ++place) {
    batch.takes_part.push_back(trial.weights[place] > 0 && trial.class_idx[place] != kUnlabelled);
  }
  return reference_mix(batch, drawn);
}

void require(bool holds, const MixTrial& trial, const std::string& what) {
  if (holds) return;
  std::ostringstream text;
  text << "mixed batch of " << trial.num_valid << " x " << trial.spec.height_px << " x "
       << trial.spec.width_px << " x " << trial.spec.channels << ", element "
       << int(trial.spec.element) << ", mixup " << trial.config.mixup << ", cutmix "
       << trial.config.cutmix << ": " << what;
  throw TrialFailure(text.str());
}

}  // namespace

void run_mix_trial(std::mt19937_64& random) {
  const MixTrial trial = draw_mix_trial(random);
  BatchMix(trial.config).accept(trial.spec);
  const MixTrial one_by_one = mixed_on("scalar", trial);
  for (const SimdTarget& target : simd_targets()) {
    if (!target.is_supported) continue;
    const MixTrial found = mixed_on(target.name, trial);
    require(found.pixels == one_by_one.pixels && found.targets == one_by_one.targets, trial,
            target.name + " differs from scalar");
  }
  const SizePx output{trial.spec.width_px, trial.spec.height_px};
  const MixDraws drawn = draw_mix(trial.config, output, Draws(trial.place));
  const ReferenceBatch expected = mixed_by_twin(trial, drawn);
  const std::vector<double> found = element_values(one_by_one.pixels, trial.spec.element);
  const std::vector<double> before = element_values(trial.pixels, trial.spec.element);
  double largest = 0;
  for (const double value : before) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < found.size(); ++i) {
    // A share and a product are rounded to float32, of either sample.
    const double error = std::abs(found[i] - expected.pixels[i]);
    const double tolerance = drawn.kind == MixKind::kCutmix
                                 ? 0
                                 : 4 * 0x1p-24 * largest + 0x1p-149 +
                                       element_rounding(trial.spec.element, expected.pixels[i]);
    require(error <= tolerance, trial,
            "value " + std::to_string(i) + " is " + std::to_string(found[i]) + ", in the twin " +
                std::to_string(expected.pixels[i]));
  }
  for (std::size_t i = 0; i < expected.targets.size(); ++i) {
    require(std::abs(double(one_by_one.targets[i]) - expected.targets[i]) < 1e-6, trial, "targets");
  }
}

}  // namespace penstock::augment
