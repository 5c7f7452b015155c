#include "augment/sample_pass.h"

#include <algorithm>

#include "augment/colour/colour_canvas.h"
#include "augment/colour/colour_pass.h"
#include "augment/colour/erase_window.h"
#include "augment/colour/finish_kernel.h"
#include "augment/colour/fixed_canvas.h"
#include "augment/colour/tone_steps.h"

namespace penstock::augment {
namespace {

bool goes_straight(const BatchSpec& spec, Interpolation interpolation,
                   const ColourSteps& colours) noexcept {
  return colours.empty() && warps_into(spec.element, interpolation);
}

// A canvas is the pixels of a batch of one.
BatchSpec canvas_spec(const BatchSpec& spec) noexcept {
  BatchSpec alone = spec;
  alone.batch = 1;
  alone.element = ElementType::kFloat32;
  alone.layout = PixelLayout::kNchw;
  return alone;
}

void fill_over_canvas(const SampleJob& job, std::span<std::byte> scratch) noexcept {
  const SampleSlot& slot = job.warp.slot;
  auto [canvas, rest] = place_canvas(*slot.spec, scratch);
  canvas.stop = slot.stop;
  const BatchSpec alone = canvas_spec(*slot.spec);
  WarpJob warp_job = job.warp;
  warp_job.slot = {&alone, reinterpret_cast<std::byte*>(canvas.values), slot.stop};
  const std::span<const ColourStep> steps = job.colours.steps();
  if (keep_fixed(steps, canvas.channels)) {
    warp_job.channels.fill(fixed_scale(job.cval));
    warp_low_halves(warp_job, rest);
    if (slot.is_abandoned()) return;
    const FixedCanvas fixed{.values = reinterpret_cast<const std::int16_t*>(canvas.values),
                            .plane_px = canvas.plane_px(),
                            .stop = slot.stop};
    return finish({.canvas = canvas,
                   .fixed = fixed,
                   .tail = fixed_canvas_tail(steps, fixed),
                   .channels = job.warp.channels,
                   .slot = slot});
  }
  warp_job.channels.fill({.gain = 1, .bias = 0, .fill = job.cval});
  warp(warp_job, rest);
  if (slot.is_abandoned()) return;
  const ColourTail tail = apply_colour_steps(steps, canvas, rest);
  if (slot.is_abandoned()) return;
  finish({.canvas = canvas, .tail = tail, .channels = job.warp.channels, .slot = slot});
}

}  // namespace

std::size_t sample_scratch_bytes(const BatchSpec& spec, Interpolation interpolation,
                                 const ColourSteps& colours) noexcept {
  return goes_straight(spec, interpolation, colours)
             ? warp_scratch_bytes(spec, interpolation)
             : most_sample_scratch_bytes(spec, interpolation);
}

std::size_t most_sample_scratch_bytes(const BatchSpec& spec, Interpolation interpolation) noexcept {
  return canvas_bytes(spec) + std::max(warp_scratch_bytes(canvas_spec(spec), interpolation),
                                       tone_scratch_bytes(spec.width_px));
}

void fill_slot(const SampleJob& job, std::span<std::byte> scratch) noexcept {
  if (goes_straight(*job.warp.slot.spec, job.warp.interpolation, job.colours)) {
    warp(job.warp, scratch);
  } else {
    fill_over_canvas(job, scratch);
  }
  if (job.erased.width > 0) erase_window(job.erased, job.erased_value, job.warp.slot);
}

}  // namespace penstock::augment
