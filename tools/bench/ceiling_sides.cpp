// Ceilings: what the libraries and the kernel do alone, written without the engine.
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "augment/augment_draws.h"
#include "streamer/core/file.h"
#include "tools/bench/bare_jpeg.h"
#include "tools/bench/bare_pad_crop.h"
#include "tools/bench/bench_sides.h"
#include "tools/bench/page_cache.h"
#include "tools/bench/threaded_side.h"

namespace penstock::tools::bench {
namespace {

using Window = std::shared_ptr<const SampleWindow>;

Side bare_pread(const BenchSetting& setting, const Window& window) {
  const auto paths = shard_paths(window->tasks());
  auto files = std::make_shared<std::map<std::filesystem::path, UniqueFd>>();
  for (const auto& path : paths) files->emplace(path, open_for_reading(path));
  auto fds = std::make_shared<std::vector<int>>();
  for (const SampleTask& task : window->tasks()) {
    fds->push_back(files->at(task.shard->path()).get());
  }
  // `files` is captured to stay open as long as `fds` names them.
  Side side = threaded_side(
      "bare pread", "", setting, window, [=, files = files](std::size_t i, StageWorkspace& space) {
        const IndexRecord& record = window->tasks()[i].record;
        const ssize_t got = pread((*fds)[i], space.encoded.data(), record.length_bytes,
                                  static_cast<off_t>(record.offset_bytes));
        return got == static_cast<ssize_t>(record.length_bytes);
      });
  if (setting.is_cold) side.prepare = [paths] { drop_from_page_cache(paths); };
  return side;
}

Side memcpy_of_encoded(const BenchSetting& setting, const Window& window) {
  return threaded_side("memcpy of stored bytes", "", setting, window,
                       [=](std::size_t i, StageWorkspace& space) {
                         const auto encoded = window->encoded(i);
                         std::memcpy(space.encoded.data(), encoded.data(), encoded.size());
                         return true;
                       });
}

// One decoded row of floats after the other, into as many batches as the loader has.
Side memcpy_of_batches(const BenchSetting& setting, const Window& window) {
  const std::size_t sample_bytes = setting.stream.spec.sample_bytes();
  return threaded_side(
      "memcpy of batches", "", setting, window,
      [sample_bytes, ring = &setting.buffers->ring](std::size_t i, StageWorkspace& space) {
        std::memcpy(ring->place(i), space.pixels.data(), sample_bytes);
        return true;
      });
}

JpegCut cut_of(const SampleTask& task) {
  return {.region = task.request.region, .scale = task.request.decode_scale};
}

Side bare_jpeg(const BenchSetting& setting, const Window& window, bool is_cut) {
  return threaded_side(is_cut ? kBareDecodeSide : "libjpeg-turbo, whole pictures", "", setting,
                       window, [=](std::size_t i, StageWorkspace& space) {
                         const JpegCut cut = cut_of(window->tasks()[i]);
                         const auto pixels = space.pixels.bytes();
                         return is_cut
                                    ? space.bare_jpeg.decode_cut(window->encoded(i), cut, pixels)
                                    : space.bare_jpeg.decode_whole(window->encoded(i), cut, pixels);
                       });
}

PadCropScale pad_crop_scale(const augment::AugmentConfig& config) {
  PadCropScale scale;
  for (std::size_t c = 0; c < 3; ++c) {
    scale.gain[c] = static_cast<float>(config.rescale / config.std[c]);
    scale.bias[c] = static_cast<float>(-config.mean[c] / config.std[c]);
  }
  return scale;
}

Side bare_pad_crops(const BenchSetting& setting, const Window& window) {
  const BatchSpec spec = setting.stream.spec;
  const OutputRing& ring = setting.buffers->ring;
  auto crops = std::make_shared<std::vector<PadCrop>>();
  for (std::size_t i = 0; i < window->size(); ++i) {
    const StreamPlace& place = window->places()[i];
    const auto drawn = augment::draw_augmentation(
        setting.augment, {.output = {spec.width_px, spec.height_px}},
        Draws({.seed = setting.stream.seed, .epoch = place.epoch, .position = place.position}));
    crops->push_back(
        {.pixels_hwc = reinterpret_cast<const std::uint8_t*>(window->encoded(i).data()),
         .out = reinterpret_cast<float*>(ring.place(i)),
         .side_px = static_cast<std::int32_t>(spec.width_px),
         .left_px = static_cast<std::int32_t>(drawn.shift_px.x),
         .top_px = static_cast<std::int32_t>(drawn.shift_px.y),
         .is_flipped = drawn.is_flipped});
  }
  return threaded_side(kBarePadCropSide, "", setting, window,
                       [crops, scale = pad_crop_scale(setting.augment), layout = spec.layout](
                           std::size_t i, StageWorkspace&) {
                         bare_pad_crop((*crops)[i], scale, layout);
                         return true;
                       });
}

// The plain loops know pictures of the batch's own sides only, and a padded crop only.
bool can_pad_crop(const BenchSetting& setting, const SampleWindow& window) {
  const BatchSpec& spec = setting.stream.spec;
  if (setting.augment.random_crop_padding == 0 || spec.width_px != spec.height_px) return false;
  for (const SampleTask& task : window.tasks()) {
    const IndexRecord& record = task.record;
    if (record.width_px != spec.width_px || record.height_px != spec.height_px ||
        record.components != 3 || record.orientation != 1) {
      return false;
    }
  }
  return window.are_all(Codec::kRaw);
}

}  // namespace

std::vector<Side> ceiling_sides(const BenchSetting& setting, const Window& window) {
  std::vector<Side> sides;
  sides.push_back(bare_pread(setting, window));
  sides.push_back(memcpy_of_encoded(setting, window));
  if (window->are_all(Codec::kJpeg)) {
    sides.push_back(bare_jpeg(setting, window, true));
    sides.push_back(bare_jpeg(setting, window, false));
  }
  if (can_pad_crop(setting, *window)) sides.push_back(bare_pad_crops(setting, window));
  sides.push_back(memcpy_of_batches(setting, window));
  return sides;
}

}  // namespace penstock::tools::bench
