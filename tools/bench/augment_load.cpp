#include "tools/bench/augment_load.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "augment/sampling_plan.h"

namespace penstock::tools::bench {
namespace {

constexpr std::size_t kLineBytes = 64;  // of the caches

/// Smooth shapes with a little noise, as a decoder gives of a photograph.
std::vector<std::uint8_t> photograph(augment::SizePx size) {
  std::vector<std::uint8_t> pixels;
  std::uint32_t noise = 1;
  for (std::uint32_t y = 0; y < size.height; ++y) {
    for (std::uint32_t x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        noise = noise * 1664525u + 1013904223u;
        const double value = 125 + 55 * std::sin(0.04 * x + c) + 55 * std::cos(0.05 * y - c);
        pixels.push_back(static_cast<std::uint8_t>(value + (noise >> 28)));
      }
    }
  }
  return pixels;
}

}  // namespace

AugmentLoad::AugmentLoad(const AugmentRow& row, PixelLayout layout, std::uint32_t batch)
    : row_(row),
      transform_(row.config),
      spec_{.batch = batch,
            .height_px = row.output.height,
            .width_px = row.output.width,
            .channels = 3,
            .element = row.element,
            .layout = layout},
      info_{.width_px = row.picture.width,
            .height_px = row.picture.height,
            .max_decode_scale = 1},  // it is there in full
      pixels_(photograph(row.picture)),
      decoded_{{pixels_.data(), row.picture.width, row.picture.height, 3, 3,
                std::size_t{3} * row.picture.width},
               {0, 0, row.picture.width, row.picture.height},
               1},
      plans_(row.num_samples),
      buffers_(make_opencv_buffers()) {
  transform_.accept(spec_);
  const std::size_t sample_bytes = spec_.sample_bytes();
  batch_.resize(sample_bytes * batch + kLineBytes);
  void* first = batch_.data();
  std::size_t room_bytes = batch_.size();
  first_place_ = static_cast<std::byte*>(std::align(kLineBytes, sample_bytes, first, room_bytes));
  image_.resize(sample_bytes, std::byte{1});
  scratch_.resize(transform_.worst_case_scratch_bytes(spec_));
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    plan(i);
    const augment::AugmentDraws drawn = augment::draw_augmentation(
        row_.config, {.output = row.output, .upright = row.picture}, draws_of(i));
    chain_inputs_.push_back({.source = decoded_.image,
                             .drawn = drawn,
                             .map = augment::sample_map(drawn, row.output, info_),
                             .config = &row_.config,
                             .spec = &spec_});
  }
}

Draws AugmentLoad::draws_of(std::size_t idx) const {
  return Draws({.seed = 1, .position = idx});
}

void AugmentLoad::plan(std::size_t idx) {
  plans_[idx] = transform_.plan(info_, spec_, draws_of(idx));
}

std::span<std::byte> AugmentLoad::next_place() {
  std::byte* const place = first_place_ + place_idx_ * image_.size();
  place_idx_ = (place_idx_ + 1) % spec_.batch;
  return {place, image_.size()};
}

std::span<const std::byte> AugmentLoad::transform(std::size_t idx) {
  const std::span<std::byte> place = next_place();
  transform_.apply(decoded_, plans_[idx], scratch_, {&spec_, place.data()});
  return place;
}

std::span<const std::byte> AugmentLoad::opencv(std::size_t idx) {
  const std::span<std::byte> place = next_place();
  chain_inputs_[idx].out = place.data();
  row_.chain(chain_inputs_[idx], *buffers_);
  return place;
}

std::span<const std::byte> AugmentLoad::copy(std::size_t) {
  const std::span<std::byte> place = next_place();
  std::memcpy(place.data(), image_.data(), image_.size());
  return place;
}

}  // namespace penstock::tools::bench
