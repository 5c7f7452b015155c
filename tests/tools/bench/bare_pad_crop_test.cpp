// The bare loop writes what the loader delivers.
#include "tools/bench/bare_pad_crop.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "augment/augment_draws.h"
#include "augment/augment_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tools/bench/loader_run.h"
#include "tools/bench/sample_window.h"
#include "tools/bench/workload.h"

namespace penstock::tools::bench {
namespace {

void check_gives_the_loaders_pixels(PixelLayout layout) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    samples.push_back(tests::raw_sample(32, 32, seed));
  const Dataset dataset = tests::write_small_dataset(folder.path() / "raw.ds", samples);
  const Workload workload = workload_named("pad-crop", {.batch_size = 20, .layout = layout});
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = workload.spec, .seed = 9, .num_epochs = 1},
                std::make_shared<augment::AugmentTransform>(workload.augment), budget);
  PadCropScale scale;
  for (std::size_t c = 0; c < 3; ++c) {
    scale.gain[c] = static_cast<float>(workload.augment.rescale / workload.augment.std[c]);
    scale.bias[c] = static_cast<float>(-workload.augment.mean[c] / workload.augment.std[c]);
  }
  std::vector<float> expected(3 * 32 * 32);
  for (BatchLease batch = loader.next(); batch; batch = loader.next()) {
    for (std::uint32_t i = 0; i < batch->num_valid; ++i) {
      const auto drawn = augment::draw_augmentation(
          workload.augment, {.output = {32, 32}},
          Draws({.seed = 9, .epoch = batch->epoch, .position = batch->positions[i]}));
      const auto& encoded = samples[batch->sample_ids[i]].encoded;
      bare_pad_crop({.pixels_hwc = reinterpret_cast<const std::uint8_t*>(encoded.data()),
                     .out = expected.data(),
                     .side_px = 32,
                     .left_px = static_cast<std::int32_t>(drawn.shift_px.x),
                     .top_px = static_cast<std::int32_t>(drawn.shift_px.y),
                     .is_flipped = drawn.is_flipped},
                    scale, layout);
      const auto* const found = reinterpret_cast<const float*>(batch->pixels) + i * expected.size();
      for (std::size_t k = 0; k < expected.size(); ++k) {
        BOOST_REQUIRE_SMALL(found[k] - expected[k], 1e-5f);  // the loop may fuse its operations
      }
    }
    batch.release();
  }
}

BOOST_AUTO_TEST_CASE(the_bare_pad_crop_gives_the_loaders_pixels) {
  check_gives_the_loaders_pixels(PixelLayout::kNchw);
}

BOOST_AUTO_TEST_CASE(the_bare_pad_crop_gives_them_channels_last) {
  check_gives_the_loaders_pixels(PixelLayout::kNhwc);
}

}  // namespace
}  // namespace penstock::tools::bench
