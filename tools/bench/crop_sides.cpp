#include "tools/bench/crop_sides.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <random>
#include <utility>
#include <variant>

#include "streamer/core/file.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/read/jpeg_record.h"
#include "streamer/read/new_picture.h"
#include "tools/convert/image/jpeg_baseline.h"

namespace penstock::tools::bench {
namespace {

namespace fs = std::filesystem;

struct CropSpace {
  JpegDecoder decoder;
  std::vector<std::byte> pixels;
  std::vector<std::byte> scratch;
};

bool decode_one(std::span<const std::byte> jpeg, const StoredInfo& info, const RectPx& region,
                CropSpace& space) {
  const DecodeRequest request{.region = region, .decode_scale = 1, .channels = 3};
  const DecodePrice price = jpeg_decode_price(info, request);
  if (space.pixels.size() < price.decoded_bytes) space.pixels.resize(price.decoded_bytes);
  if (space.scratch.size() < price.scratch_bytes) space.scratch.resize(price.scratch_bytes);
  return space.decoder.decode(jpeg, info, request, space.pixels, space.scratch, {}).ok();
}

}  // namespace

RectPx draw_crop(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed) {
  constexpr int kMaxTries = 10;
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  for (int i = 0; i < kMaxTries; ++i) {
    const double area = (0.08 + 0.92 * uniform()) * width_px * height_px;
    const double ratio = std::exp(std::log(0.75) + uniform() * std::log(16.0 / 9.0));
    const auto width = static_cast<std::uint32_t>(std::lround(std::sqrt(area * ratio)));
    const auto height = static_cast<std::uint32_t>(std::lround(std::sqrt(area / ratio)));
    if (width == 0 || height == 0 || width > width_px || height > height_px) continue;
    return {static_cast<std::uint32_t>(random() % (width_px - width + 1)),
            static_cast<std::uint32_t>(random() % (height_px - height + 1)), width, height};
  }
  return {0, 0, width_px, height_px};
}

std::vector<CropPicture> read_crop_pictures(std::span<const fs::path> files) {
  constexpr std::size_t kMaxPictures = 1000;
  constexpr std::uint64_t kMaxBytes = 256u << 20;
  std::vector<CropPicture> pictures;
  JpegDecoder decoder;
  std::uint64_t num_bytes = 0;
  for (const fs::path& path : files) {
    if (pictures.size() == kMaxPictures || num_bytes >= kMaxBytes) break;
    const UniqueFd file = open_for_reading(path);
    CropPicture picture;
    picture.found.resize(file_size_bytes(file, path));
    read_at(file, 0, picture.found, path);
    const Result<JpegHeader> before = decoder.read_header(picture.found);
    if (!before.ok() || (before.value().components != 1 && before.value().components != 3))
      continue;
    convert::BaselineOutcome outcome = convert::rewrite_as_baseline(picture.found, {});
    auto* const optimized = std::get_if<std::vector<std::byte>>(&outcome);
    if (optimized == nullptr) continue;
    picture.optimized = std::move(*optimized);
    const Result<JpegHeader> after = decoder.read_header(picture.optimized);
    if (!after.ok()) continue;
    picture.found_info = stored_info(jpeg_record(before.value()));
    picture.optimized_info = stored_info(jpeg_record(after.value()));
    picture.crop = draw_crop(before.value().width_px, before.value().height_px, pictures.size());
    num_bytes += picture.found.size() + picture.optimized.size();
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

std::vector<Side> crop_sides(const std::vector<CropPicture>& pictures, std::uint32_t num_threads) {
  const auto spaces = std::make_shared<std::vector<CropSpace>>(num_threads);
  const auto side = [&](const char* name, const char* ceiling, bool is_optimized, bool is_whole) {
    return Side{
        .name = name,
        .ceiling = ceiling,
        .num_samples = pictures.size(),
        .run = [&pictures, num_threads, spaces, is_optimized, is_whole] {
          std::atomic<std::uint64_t> num_failed = 0;
          RunTime time = run_on_threads(num_threads, pictures.size(), [&](const Share& share) {
            for (std::size_t i = share.begin; i < share.end; ++i) {
              const CropPicture& one = pictures[i];
              const StoredInfo& info = is_optimized ? one.optimized_info : one.found_info;
              const RectPx whole{0, 0, info.width_px, info.height_px};
              const bool is_good =
                  decode_one(is_optimized ? one.optimized : one.found, info,
                             is_whole ? whole : one.crop, (*spaces)[share.thread_idx]);
              if (!is_good) ++num_failed;
            }
          });
          time.num_failed = num_failed;
          return time;
        }};
  };
  return {side(kFoundCropsName, "", false, false),
          side(kOptimizedCropsName, kFoundCropsName, true, false),
          side(kFoundWholeName, "", false, true),
          side(kOptimizedWholeName, kFoundWholeName, true, true)};
}

}  // namespace penstock::tools::bench
