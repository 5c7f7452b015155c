// What Penstock's augmentation makes of a picture, and what it draws, for the scripts beside this.
//
//     augment_probe RUN.toml PICTURE HEIGHTxWIDTH SEED FIRST_POSITION COUNT OUT
//
// PICTURE is an .npy file of uint8 [height, width, channels] or, for draws alone, sides: 400x600.
// OUT gets float32 [COUNT, height, width, channels], one picture for each position; "-" for none.
// The draws are printed as a JSON list. Values are (pixel * rescale - mean) / std of the run file.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "augment/augment_draws.h"
#include "augment/augment_transform.h"
#include "streamer/core/error.h"
#include "tests/interop/npy_file.h"
#include "tools/drawn_values.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/settings/run_file.h"
#include "train/run/settings/run_values.h"

namespace {

using namespace penstock;

struct ProbeJob {
  augment::AugmentConfig config;
  tests::NpyPicture picture;
  BatchSpec spec;
  std::uint64_t seed = 0;
  std::uint64_t first_position = 0;
  std::uint64_t count = 0;
  std::string out;

  SampleInfo info() const {
    return {.width_px = picture.width_px, .height_px = picture.height_px, .max_decode_scale = 1};
  }
  DecodedView decoded() const {
    return {.image = {.pixels_hwc = picture.pixels_hwc.data(),
                      .width_px = picture.width_px,
                      .height_px = picture.height_px,
                      .channels = picture.channels,
                      .pixel_stride_bytes = picture.channels,
                      .row_stride_bytes = std::size_t{picture.width_px} * picture.channels},
            .region = {0, 0, picture.width_px, picture.height_px}};
  }
};

train::SidesPx sides_of(const std::string& text) {
  const auto sides = train::parse_sides_px(text);
  if (sides) return *sides;
  throw Error(ErrorCode::kInvalidArgument, "probe: expected HEIGHTxWIDTH, found " + text);
}

tests::NpyPicture picture_of(const std::string& text) {
  if (text.ends_with(".npy")) return tests::read_npy_picture(text);
  const train::SidesPx sides = sides_of(text);
  return {.pixels_hwc = {}, .height_px = sides.height, .width_px = sides.width, .channels = 3};
}

nlohmann::ordered_json draws_json(const ProbeJob& job, const Draws& draws) {
  const augment::PictureSides sides{
      .output = {.width = job.spec.width_px, .height = job.spec.height_px},
      .upright = {.width = job.picture.width_px, .height = job.picture.height_px}};
  return nlohmann::ordered_json::parse(
      tools::drawn_json(augment::draw_augmentation(job.config, sides, draws)));
}

void run_job(const ProbeJob& job) {
  const augment::AugmentTransform transform(job.config);
  transform.accept(job.spec);
  const std::size_t num_values = job.spec.sample_bytes() / sizeof(float);
  const bool has_pixels = job.out != "-";
  std::vector<float> values(has_pixels ? num_values * job.count : 0);
  nlohmann::ordered_json drawn = nlohmann::json::array();
  for (std::uint64_t i = 0; i < job.count; ++i) {
    const Draws draws({.seed = job.seed, .position = job.first_position + i});
    drawn.push_back(draws_json(job, draws));
    if (!has_pixels) continue;
    const SamplePlan plan = transform.plan(job.info(), job.spec, draws);
    std::vector<std::byte> scratch(plan.scratch_bytes);
    transform.apply(job.decoded(), plan, scratch,
                    {.spec = &job.spec,
                     .pixels = reinterpret_cast<std::byte*>(values.data() + i * num_values)});
  }
  if (has_pixels) {
    tests::write_npy(job.out, values,
                     std::vector<std::size_t>{job.count, job.spec.height_px, job.spec.width_px,
                                              job.spec.channels});
  }
  std::cout << drawn.dump() << "\n";
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 8) {
    return std::puts("usage: augment_probe RUN.toml PICTURE HEIGHTxWIDTH SEED FIRST COUNT OUT"), 2;
  }
  train::RunConfig run = train::read_run_file(argv[1]);
  ProbeJob job{.config = train::augment_of(run),
               .picture = picture_of(argv[2]),
               .spec = {},
               .seed = std::strtoull(argv[4], nullptr, 10),
               .first_position = std::strtoull(argv[5], nullptr, 10),
               .count = std::strtoull(argv[6], nullptr, 10),
               .out = argv[7]};
  const train::SidesPx sides = sides_of(argv[3]);
  job.spec = {.batch = 1,
              .height_px = sides.height,
              .width_px = sides.width,
              .channels = job.picture.channels};
  run_job(job);
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
