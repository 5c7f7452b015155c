#include "tools/preview_samples.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "augment/augment_transform.h"
#include "streamer/core/error.h"

namespace penstock::tools {
namespace {

using augment::SizePx;

constexpr std::uint32_t kChannels = 3;
// A picture to be shrunk is sampled up to this many times as fine, and averaged; but no finer than
// sides of so many pixels: what that holds is float32.
constexpr std::uint32_t kMostOversampling = 4;
constexpr std::uint32_t kMostFinePx = 1024;

/// One picture of float32 pixels, interleaved: the layout of a batch does not change its values.
BatchSpec single_spec(SizePx sides, std::uint32_t channels = kChannels) {
  return {.batch = 1,
          .height_px = sides.height,
          .width_px = sides.width,
          .channels = channels,
          .element = ElementType::kFloat32,
          .layout = PixelLayout::kNhwc};
}

/// Nothing but upright, in units of the stored pixels.
augment::AugmentConfig as_stored() {
  return {.rescale = 1};
}

SizePx upright_sides(const IndexRecord& record) {
  return augment::upright_size({record.width_px, record.height_px}, record.orientation);
}

/// The largest sides of the same ratio, up to rounding, that fit `room` and are not above `sides`.
SizePx fitting_sides(SizePx sides, SizePx room) {
  const double share =
      std::min({1.0, double{1} * room.width / sides.width, double{1} * room.height / sides.height});
  const auto part = [share](std::uint32_t side, std::uint32_t most) {
    return std::clamp(static_cast<std::uint32_t>(std::lround(share * side)), 1u, most);
  };
  return {part(sides.width, room.width), part(sides.height, room.height)};
}

std::uint32_t oversampling(SizePx upright, SizePx fit) {
  const std::uint32_t shrunk = std::min(upright.width / fit.width, upright.height / fit.height);
  const std::uint32_t affordable = kMostFinePx / std::max(fit.width, fit.height);
  return std::clamp(std::min(shrunk, affordable), 1u, kMostOversampling);
}

/// Averages squares of `factor` x `factor` pixels.
std::vector<float> averaged(const std::vector<float>& fine, SizePx sides, std::uint32_t factor) {
  if (factor == 1) return fine;
  std::vector<float> sums(std::size_t{sides.width} * sides.height * kChannels);
  const std::size_t fine_width = std::size_t{sides.width} * factor;
  for (std::size_t y = 0; y < std::size_t{sides.height} * factor; ++y) {
    for (std::size_t x = 0; x < fine_width; ++x) {
      const std::size_t to = (y / factor * sides.width + x / factor) * kChannels;
      const std::size_t from = (y * fine_width + x) * kChannels;
      for (std::size_t c = 0; c < kChannels; ++c) sums[to + c] += fine[from + c];
    }
  }
  for (float& sum : sums) sum /= static_cast<float>(factor * factor);
  return sums;
}

}  // namespace

ImageView ShownPicture::view() const noexcept {
  return {.pixels_hwc = pixels_hwc.data(),
          .width_px = width_px,
          .height_px = height_px,
          .channels = kChannels,
          .pixel_stride_bytes = kChannels,
          .row_stride_bytes = std::size_t{width_px} * kChannels};
}

std::vector<std::uint8_t> denormalised(std::span<const float> values_hwc,
                                       const augment::AugmentConfig& config,
                                       std::uint32_t channels) {
  const std::size_t num_copies = kChannels / channels;
  std::vector<std::uint8_t> pixels(values_hwc.size() * num_copies);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t c = i / num_copies % channels;
    const double value =
        (values_hwc[i / num_copies] * config.std[c] + config.mean[c]) / config.rescale;
    pixels[i] = static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
  }
  return pixels;
}

PreviewSamples::PreviewSamples(DatasetSplit split, const PreviewConfig& config,
                               MemoryBudget& budget)
    : split_(std::move(split)),
      budget_(budget),
      augment_(train::augment_for(config.pipeline.augment, config.use)),
      transform_(train::make_transform(config.pipeline.augment, config.use, config.pipeline.batch)),
      spec_(single_spec({config.pipeline.batch.width_px, config.pipeline.batch.height_px},
                        config.pipeline.batch.channels)),
      seed_(config.pipeline.seed) {
  transform_->accept(spec_);
  choose_samples(config);
}

void PreviewSamples::choose_samples(const PreviewConfig& config) {
  const std::uint64_t num_samples = split_.num_samples();
  if (num_samples == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "preview: split " + split_.name() + ": expected samples, found none");
  }
  const OrderConfig order = train::pipeline_order(split_, config.pipeline, config.use);
  order_share_ = budget_.draw(OrderPlan::price_bytes(order), "the order of an epoch");
  const OrderPlan orders(order);
  const std::uint64_t num_rows = std::min(config.num_samples, num_samples);
  {
    const EpochOrder first = orders.epoch(config.first_epoch);
    for (std::uint64_t row = 0; row < num_rows; ++row) {
      // In two steps, so that no product overflows.
      const std::uint64_t position =
          num_samples / num_rows * row + num_samples % num_rows * row / num_rows;
      const std::uint64_t id = first.sample_at(position);
      samples_.push_back({.sample_id = id,
                          .record = split_.record(id),
                          .name = split_.read_name(id),
                          .versions = std::vector<PreviewVersion>(config.num_versions)});
      samples_.back().versions[0] = {
          .epoch = config.first_epoch, .position = position, .drawn = {}};
    }
  }
  for (std::uint32_t k = 1; k < config.num_versions; ++k) {
    find_positions(orders, k, config.first_epoch + k);
  }
  draw_values();
}

void PreviewSamples::find_positions(const OrderPlan& orders, std::size_t version_idx,
                                    std::uint32_t epoch) {
  std::unordered_map<std::uint64_t, PreviewVersion*> wanted;
  for (PreviewSample& sample : samples_) {
    wanted[sample.sample_id] = &sample.versions[version_idx];
  }
  const EpochOrder order = orders.epoch(epoch);
  for (std::uint64_t position = 0; !wanted.empty() && position < orders.num_positions();
       ++position) {
    const auto found = wanted.find(order.sample_at(position));
    if (found == wanted.end()) continue;
    *found->second = {.epoch = epoch, .position = position, .drawn = {}};
    wanted.erase(found);
  }
  check_internal(wanted.empty(), "an order that takes every sample once");
}

void PreviewSamples::draw_values() {
  const SizePx output{spec_.width_px, spec_.height_px};
  for (PreviewSample& sample : samples_) {
    for (PreviewVersion& version : sample.versions) {
      version.drawn = augment::draw_augmentation(
          augment_, {.output = output, .upright = upright_sides(sample.record)}, draws_of(version));
    }
  }
}

Draws PreviewSamples::draws_of(const PreviewVersion& version) const noexcept {
  return Draws({.seed = seed_, .epoch = version.epoch, .position = version.position});
}

PreviewSamples::Encoded PreviewSamples::read(std::size_t sample_idx) {
  const PreviewSample& sample = samples_[sample_idx];
  BudgetShare share = budget_.draw(sample.record.length_bytes, "reading a sample");
  return {{.encoded = split_.sample(sample.sample_id).read_bytes(),
           .record = sample.record,
           .sample_id = sample.sample_id},
          std::move(share)};
}

ShownPicture PreviewSamples::original(const Encoded& encoded, SizePx room) {
  const SizePx upright = upright_sides(encoded.picture.record);
  const SizePx fit = fitting_sides(upright, room);
  const std::uint32_t factor = oversampling(upright, fit);
  const BatchSpec spec = single_spec({fit.width * factor, fit.height * factor});
  const BudgetShare share = budget_.draw(2 * spec.sample_bytes(), "an original");
  std::vector<float> values(spec.sample_bytes() / sizeof(float));
  const augment::AugmentTransform transform(as_stored());
  ShownPicture shown{.width_px = fit.width, .height_px = fit.height};
  shown.fault = train::fill_place(
      encoded.picture, transform,
      {.spec = spec, .pixels = reinterpret_cast<std::byte*>(values.data())}, budget_);
  if (shown.fault.status != SampleStatus::kOk) return shown;
  shown.pixels_hwc = denormalised(averaged(values, fit, factor), as_stored());
  return shown;
}

ShownPicture PreviewSamples::version(const Encoded& encoded, const PreviewVersion& version) {
  const BudgetShare share = budget_.draw(2 * spec_.sample_bytes(), "a version");
  std::vector<float> values(spec_.sample_bytes() / sizeof(float));
  ShownPicture shown{.width_px = spec_.width_px, .height_px = spec_.height_px};
  shown.fault = train::fill_place(encoded.picture, *transform_,
                                  {.spec = spec_,
                                   .pixels = reinterpret_cast<std::byte*>(values.data()),
                                   .draws = draws_of(version)},
                                  budget_);
  if (shown.fault.status == SampleStatus::kOk) {
    shown.pixels_hwc = denormalised(values, augment_, spec_.channels);
  }
  return shown;
}

}  // namespace penstock::tools
