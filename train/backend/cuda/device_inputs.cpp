#include "train/backend/cuda/device_inputs.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::train::cuda {
namespace {

/// What an event is asked again after, while there is nothing else to do.
constexpr std::chrono::microseconds kPollInterval(20);

constexpr std::size_t kPartAlignment = 256;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kPartAlignment - 1) / kPartAlignment * kPartAlignment;
}

[[noreturn]] void refuse(const std::string& what, const std::string& expected,
                         const std::string& found) {
  throw Error(ErrorCode::kInvalidArgument,
              "program: " + what + ": expected " + expected + ", found " + found);
}

void check_labels(const BatchView& batch) {
  const std::size_t count = batch.spec->batch;
  const std::size_t num_targets = count * batch.spec->num_targets;
  if (batch.class_idx.size() >= count && batch.weights.size() >= count &&
      batch.targets.size() >= num_targets) {
    return;
  }
  refuse("batch",
         std::to_string(count) + " labels and weights, " + std::to_string(num_targets) + " targets",
         std::to_string(batch.class_idx.size()) + ", " + std::to_string(batch.weights.size()) +
             " and " + std::to_string(batch.targets.size()));
}

}  // namespace

PlaceLayout::PlaceLayout(const BatchSpec& spec) {
  class_idx = aligned(spec.pixels_bytes());
  weights = class_idx + aligned(spec.batch * sizeof(std::uint32_t));
  targets = weights + aligned(spec.batch * sizeof(float));
  bytes = targets + aligned(std::size_t{spec.batch} * spec.num_targets * sizeof(float));
}

DeviceInputs::DeviceInputs(DeviceApi& api, Stream compute)
    : api_(api), compute_(compute), copies_(make_stream(api)) {
  for (Place& place : places_) {
    place.is_copied = make_event(api);
    place.is_free = make_event(api);
  }
}

DeviceInputs::~DeviceInputs() {
  // Batches must not go back while the device reads them; of a lost device nobody reads.
  static_cast<void>(api_.synchronize(copies_.get()));
}

void DeviceInputs::bind(std::span<std::byte* const> places, const BatchSpec& largest) {
  check_internal(places.size() == kNumPlaces, "input ring: another number of places");
  const PlaceLayout layout(largest);
  const std::size_t label_bytes = layout.bytes - layout.class_idx;
  place_bytes_ = std::max(place_bytes_, layout.bytes);
  for (std::size_t i = 0; i < kNumPlaces; ++i) places_[i].device = places[i];
  if (label_bytes <= label_bytes_) return;
  label_bytes_ = label_bytes;
  for (Place& place : places_) place.labels = allocate_pinned(api_, label_bytes);
}

void DeviceInputs::forget(std::span<const std::byte> memory) {
  for (Place& place : places_) {
    const std::less<> is_before;
    const bool lies_within = !is_before(place.device, memory.data()) &&
                             is_before(place.device, memory.data() + memory.size());
    if (!lies_within) continue;
    place.device = nullptr;
    place_bytes_ = 0;
  }
}

void DeviceInputs::upload(BatchLease lease, std::uint32_t slot) {
  if (slot >= slots_.size()) {
    refuse("input slot", "below " + std::to_string(slots_.size()), std::to_string(slot));
  }
  const BatchView& batch = lease.view();
  if (batch.spec == nullptr || batch.pixels == nullptr)
    refuse("upload", "a batch", "an empty lease");
  check_labels(batch);
  const PlaceLayout layout(*batch.spec);
  if (layout.bytes > place_bytes_ || layout.bytes - layout.class_idx > label_bytes_) {
    refuse("batch",
           "at most " + std::to_string(place_bytes_) + " bytes, as the programs were lowered",
           std::to_string(layout.bytes));
  }
  if (slots_[slot].is_filled) release(slot);
  const bool is_taken = std::ranges::any_of(
      slots_, [&](const Slot& other) { return other.is_filled && other.place == next_place_; });
  if (is_taken) refuse("upload", "a slot released before: two are filled", "none");
  Place& place = places_[next_place_];
  wait_for(place.is_free);
  wait_for(place.is_copied);
  stage_labels(batch, layout, place);
  copy(batch, layout, place);

  Slot& filled = slots_[slot];
  filled.spec = *batch.spec;
  filled.view = batch;
  filled.view.spec = &filled.spec;
  filled.view.pixels = place.device + layout.pixels;
  const auto* labels = static_cast<const std::byte*>(place.labels.get());
  filled.view.class_idx = {reinterpret_cast<const std::uint32_t*>(labels), filled.spec.batch};
  filled.view.weights = {
      reinterpret_cast<const float*>(labels + (layout.weights - layout.class_idx)),
      filled.spec.batch};
  filled.view.targets = {
      reinterpret_cast<const float*>(labels + (layout.targets - layout.class_idx)),
      std::size_t{filled.spec.batch} * filled.spec.num_targets};
  filled.view.sample_ids = {};  // of the lease, which may go back
  filled.view.positions = {};
  filled.view.events = {};
  filled.place = next_place_;
  filled.is_filled = true;
  held_.push_back({.lease = std::move(lease), .place = next_place_});
  next_place_ = (next_place_ + 1) % kNumPlaces;
}

/// Labels come from memory that may be swapped out; they are few.
void DeviceInputs::stage_labels(const BatchView& batch, const PlaceLayout& layout, Place& place) {
  auto* to = static_cast<std::byte*>(place.labels.get());
  const std::size_t count = batch.spec->batch;
  std::memcpy(to, batch.class_idx.data(), count * sizeof(std::uint32_t));
  std::memcpy(to + (layout.weights - layout.class_idx), batch.weights.data(),
              count * sizeof(float));
  if (batch.spec->num_targets > 0) {
    std::memcpy(to + (layout.targets - layout.class_idx), batch.targets.data(),
                count * batch.spec->num_targets * sizeof(float));
  }
}

void DeviceInputs::copy(const BatchView& batch, const PlaceLayout& layout, Place& place) {
  check_device(api_.wait(copies_.get(), place.is_free.get()));
  check_device(api_.copy_to_device(place.device + layout.pixels, batch.pixels,
                                   batch.spec->pixels_bytes(), copies_.get()));
  check_device(api_.copy_to_device(place.device + layout.class_idx, place.labels.get(),
                                   layout.bytes - layout.class_idx, copies_.get()));
  check_device(api_.record(place.is_copied.get(), copies_.get()));
}

void DeviceInputs::set_scalars(const StepScalars& scalars, std::uint32_t slot) {
  slots_.at(slot).scalars = scalars;
}

void DeviceInputs::use(std::uint32_t slot) {
  check_device(api_.wait(compute_, places_[slots_.at(slot).place].is_copied.get()));
}

void DeviceInputs::release(std::uint32_t slot) {
  Slot& filled = slots_.at(slot);
  if (!std::exchange(filled.is_filled, false)) return;
  use(slot);  // also of a batch that nothing was computed from
  check_device(api_.record(places_[filled.place].is_free.get(), compute_));
}

const BatchView& DeviceInputs::view(std::uint32_t slot) const {
  if (!slots_.at(slot).is_filled) refuse("run", "a slot with a batch", "an empty one");
  return slots_[slot].view;
}

DeviceLabels DeviceInputs::labels(std::uint32_t slot, std::uint32_t first_sample) const {
  const Slot& filled = slots_.at(slot);
  const PlaceLayout layout(filled.spec);
  const std::byte* place = places_[filled.place].device;
  const auto* class_idx = reinterpret_cast<const std::uint32_t*>(place + layout.class_idx);
  const auto* weights = reinterpret_cast<const float*>(place + layout.weights);
  const auto* targets = reinterpret_cast<const float*>(place + layout.targets);
  return {.class_idx = class_idx + first_sample,
          .weights = weights + first_sample,
          .targets = filled.spec.num_targets == 0
                         ? nullptr
                         : targets + std::size_t{first_sample} * filled.spec.num_targets};
}

void DeviceInputs::poll() {
  while (!held_.empty()) {
    bool is_done = false;
    check_device(api_.query(places_[held_.front().place].is_copied.get(), &is_done));
    if (!is_done) return;
    held_.pop_front();
  }
}

/// Asks again and again: leases go back meanwhile, which a source may be waiting for.
void DeviceInputs::wait_for(const UniqueEvent& event) {
  while (true) {
    poll();
    bool is_done = false;
    check_device(api_.query(event.get(), &is_done));
    if (is_done) return;
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace penstock::train::cuda
