// What Penstock's mixup and cutmix make of a batch, and what they draw, for the scripts beside this.
//
//     mix_probe RUN.toml PICTURES BATCH SEED COUNT OUT
//
// PICTURES is an .npy file of uint8 [BATCH * height, width, channels]: the pictures of a batch, one
// under the other. Place p has class p of BATCH classes. COUNT batches begin with the same pictures, at
// the positions 0, BATCH, 2 BATCH and so on. OUT.pixels.npy gets float32 [COUNT, BATCH, height,
// width, channels] in units of the stored pixels, OUT.targets.npy float32 [COUNT, BATCH, BATCH]; "-" for
// none. The draws are printed as a JSON list.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "augment/batch_mix.h"
#include "augment/mix/mix_draws.h"
#include "streamer/core/error.h"
#include "tests/interop/npy_file.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/settings/run_file.h"

namespace {

using namespace penstock;

/// A batch in the probe's memory, before it is mixed.
struct PictureBatch {
  PictureBatch(const tests::NpyPicture& pictures, const BatchSpec& shape)
      : spec(shape),
        pixels(pictures.pixels_hwc.begin(), pictures.pixels_hwc.end()),
        targets(std::size_t{shape.batch} * shape.num_targets, 0.0f),
        class_idx(shape.batch),
        weights(shape.batch, 1.0f) {
    std::iota(class_idx.begin(), class_idx.end(), 0u);
    for (std::size_t i = 0; i < targets.size(); i += spec.num_targets + 1) targets[i] = 1;
  }

  BatchContent content(const Draws& draws) {
    return {.spec = &spec,
            .pixels = reinterpret_cast<std::byte*>(pixels.data()),
            .targets = targets,
            .class_idx = class_idx,
            .weights = weights,
            .num_valid = spec.batch,
            .draws = draws};
  }

  BatchSpec spec;
  std::vector<float> pixels;
  std::vector<float> targets;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
};

nlohmann::ordered_json draws_json(const augment::MixDraws& drawn) {
  return {{"is_mixup", drawn.kind == augment::MixKind::kMixup},
          {"share", drawn.share},
          {"box_x_px", drawn.box.x},
          {"box_y_px", drawn.box.y},
          {"box_width_px", drawn.box.width},
          {"box_height_px", drawn.box.height}};
}

struct MixJob {
  augment::AugmentConfig config;
  tests::NpyPicture pictures;
  BatchSpec spec;
  std::uint64_t seed = 0;
  std::uint64_t count = 0;
  std::string out;
};

void run_job(const MixJob& job) {
  const augment::BatchMix mix(job.config);
  mix.accept(job.spec);
  const bool has_pixels = job.out != "-";
  std::vector<float> pixels;
  std::vector<float> targets;
  nlohmann::ordered_json drawn = nlohmann::ordered_json::array();
  for (std::uint64_t i = 0; i < job.count; ++i) {
    const Draws draws(
        {.seed = job.seed, .position = i * job.spec.batch, .purpose = DrawPurpose::kBatch});
    const augment::SizePx sides{job.spec.width_px, job.spec.height_px};
    drawn.push_back(draws_json(augment::draw_mix(job.config, sides, draws)));
    if (!has_pixels) continue;
    PictureBatch batch(job.pictures, job.spec);
    mix.apply(batch.content(draws));
    pixels.insert(pixels.end(), batch.pixels.begin(), batch.pixels.end());
    targets.insert(targets.end(), batch.targets.begin(), batch.targets.end());
  }
  if (has_pixels) {
    const BatchSpec& spec = job.spec;
    tests::write_npy(job.out + ".pixels.npy", pixels,
                     std::vector<std::size_t>{job.count, spec.batch, spec.height_px, spec.width_px,
                                              spec.channels});
    tests::write_npy(job.out + ".targets.npy", targets,
                     std::vector<std::size_t>{job.count, spec.batch, spec.batch});
  }
  std::cout << drawn.dump() << "\n";
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 7) return std::puts("usage: mix_probe RUN.toml PICTURES BATCH SEED COUNT OUT"), 2;
  MixJob job{.config = train::augment_of(train::read_run_file(argv[1])),
             .pictures = tests::read_npy_picture(argv[2]),
             .spec = {},
             .seed = std::strtoull(argv[4], nullptr, 10),
             .count = std::strtoull(argv[5], nullptr, 10),
             .out = argv[6]};
  const auto batch = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  if (batch == 0 || job.pictures.height_px % batch != 0) {
    throw Error(ErrorCode::kInvalidArgument, "mix_probe: BATCH: expected a divisor of the rows");
  }
  job.spec = {.batch = batch,
              .height_px = job.pictures.height_px / batch,
              .width_px = job.pictures.width_px,
              .channels = job.pictures.channels,
              .label_form = LabelForm::kTargets,
              .num_targets = batch};
  run_job(job);
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
