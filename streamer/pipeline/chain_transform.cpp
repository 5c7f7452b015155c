#include "streamer/pipeline/chain_transform.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"

namespace penstock {
namespace {

constexpr std::uint32_t kMaxSidePx = 16384;  // of a batch's pictures

/// What a chain keeps of a plan: enough to make both again.
struct PlannedChain {
  SampleInfo info;
  Draws::Place place;
};

// Whole cache lines, so that what follows the middle picture is aligned as the scratch is.
std::size_t middle_bytes(const BatchSpec& middle) noexcept {
  constexpr std::size_t kLineBytes = 64;
  return (middle.sample_bytes() + kLineBytes - 1) / kLineBytes * kLineBytes;
}

void check_side(std::string_view field, std::uint32_t value_px) {
  check_range({.owner = "chain", .field = field, .value = value_px, .low = 1, .high = kMaxSidePx});
}

void check_is_there(const SampleTransform* transform, std::string_view field) {
  if (transform != nullptr) return;
  refuse_setting({"chain", field, "a transform", "none",
                  "first = std::make_shared<penstock::ResizeTransform>()"});
}

void accept_as(std::string_view field, const SampleTransform& transform, const BatchSpec& spec) {
  try {
    transform.accept(spec);
  } catch (const Error& error) {
    throw Error(error.code(), "chain: " + std::string(field) + ": " + error.what(), error.hint());
  }
}

void append_lines(std::string& text, std::string_view prefix, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t length = std::min(lines.find('\n'), lines.size());
    text.append(prefix).append(lines.substr(0, length)).append("\n");
    lines.remove_prefix(std::min(length + 1, lines.size()));
  }
}

}  // namespace

void ChainConfig::validate() const {
  check_is_there(first.get(), "first");
  check_is_there(second.get(), "second");
  if (middle_height_px == 0 && middle_width_px == 0) return;
  check_side("middle_height_px", middle_height_px);
  check_side("middle_width_px", middle_width_px);
}

ChainTransform::ChainTransform(ChainConfig config) : config_(std::move(config)) {
  config_.validate();
}

BatchSpec ChainTransform::middle_spec(const BatchSpec& spec) const noexcept {
  const bool has_sides = config_.middle_height_px > 0;
  return {.batch = 1,
          .height_px = has_sides ? config_.middle_height_px : spec.height_px,
          .width_px = has_sides ? config_.middle_width_px : spec.width_px,
          .channels = spec.channels,
          .element = ElementType::kUint8,
          .layout = PixelLayout::kNhwc};
}

void ChainTransform::accept(const BatchSpec& spec) const {
  accept_as("first", *config_.first, middle_spec(spec));
  accept_as("second", *config_.second, spec);
  if (config_.first->takes_sample_draws() && config_.second->takes_sample_draws()) {
    refuse_setting({"chain", "second", "no draws of DrawPurpose::kSample, which first takes",
                    "a transform that takes them too",
                    "one AugmentTransform of a chain draws, others take "
                    "config.without_randomness()"});
  }
}

SamplePlan ChainTransform::plan_second(const SampleInfo& info, const BatchSpec& spec,
                                       const Draws& draws) const noexcept {
  const BatchSpec middle = middle_spec(spec);
  SampleInfo seen = info;
  seen.width_px = middle.width_px;
  seen.height_px = middle.height_px;
  seen.orientation = 1;
  seen.max_decode_scale = 1;
  return config_.second->plan(seen, spec, draws);
}

SamplePlan ChainTransform::plan(const SampleInfo& info, const BatchSpec& spec,
                                const Draws& draws) const noexcept {
  const BatchSpec middle = middle_spec(spec);
  SamplePlan plan = config_.first->plan(info, middle, draws);
  plan.scratch_bytes = middle_bytes(middle) +
                       std::max(plan.scratch_bytes, plan_second(info, spec, draws).scratch_bytes);
  plan.opaque = {};
  plan.store(PlannedChain{info, draws.place()});
  return plan;
}

void ChainTransform::apply(const DecodedView& decoded, const SamplePlan& plan,
                           std::span<std::byte> scratch, const SampleSlot& slot) const noexcept {
  const auto planned = plan.load<PlannedChain>();
  const Draws draws(planned.place);
  const BatchSpec middle = middle_spec(*slot.spec);
  const std::span<std::byte> pixels = scratch.first(middle_bytes(middle));
  const std::span<std::byte> rest = scratch.subspan(pixels.size());

  config_.first->apply(decoded, config_.first->plan(planned.info, middle, draws), rest,
                       {.spec = &middle, .pixels = pixels.data(), .stop = slot.stop});
  if (slot.is_abandoned()) return;

  const DecodedView seen{
      .image = {.pixels_hwc = reinterpret_cast<const std::uint8_t*>(pixels.data()),
                .width_px = middle.width_px,
                .height_px = middle.height_px,
                .channels = middle.channels,
                .pixel_stride_bytes = middle.channels,
                .row_stride_bytes = std::size_t{middle.width_px} * middle.channels},
      .region = {0, 0, middle.width_px, middle.height_px},
      .decode_scale = 1};
  config_.second->apply(seen, plan_second(planned.info, *slot.spec, draws), rest, slot);
}

std::uint32_t ChainTransform::finest_decode_scale(const SampleInfo& info,
                                                  const BatchSpec& spec) const noexcept {
  return config_.first->finest_decode_scale(info, middle_spec(spec));
}

std::size_t ChainTransform::worst_case_scratch_bytes(const BatchSpec& spec) const noexcept {
  const BatchSpec middle = middle_spec(spec);
  return middle_bytes(middle) + std::max(config_.first->worst_case_scratch_bytes(middle),
                                         config_.second->worst_case_scratch_bytes(spec));
}

bool ChainTransform::takes_sample_draws() const noexcept {
  return config_.first->takes_sample_draws() || config_.second->takes_sample_draws();
}

bool ChainTransform::writes_crops() const noexcept {
  return config_.second->writes_crops();
}

std::string ChainTransform::identity() const {
  std::string text = "transform=chain\nchain.middle_height_px=";
  text += std::to_string(config_.middle_height_px) + "\nchain.middle_width_px=";
  text += std::to_string(config_.middle_width_px) + "\n";
  append_lines(text, "chain.first.", config_.first->identity());
  append_lines(text, "chain.second.", config_.second->identity());
  return text;
}

}  // namespace penstock
