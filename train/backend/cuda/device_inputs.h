// Batches on their way to the device: copied on a stream of their own into a ring of two places, while what was
// copied before is computed from. Leases go back when their copy is done, which is asked for, never waited for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "train/backend/backend.h"
#include "train/backend/cuda/device_handles.h"
#include "train/backend/cuda/kernels/loss_kernels.h"

namespace penstock::train::cuda {

/// Where the parts of a batch lie in a place of the ring, in bytes.
struct PlaceLayout {
  explicit PlaceLayout(const BatchSpec& spec);

  std::size_t pixels = 0;
  std::size_t class_idx = 0;
  std::size_t weights = 0;
  std::size_t targets = 0;
  std::size_t bytes = 0;
};

/// Input slots of a backend.
///
///     upload   host: labels into page-locked memory; copy stream: waits until the place is free, copies
///     use      compute stream: waits for the copy
///     release  compute stream: says when the place is free
///
/// The host runs at most two batches ahead: a third one waits until the first was computed.
class DeviceInputs {
 public:
  static constexpr std::size_t kNumPlaces = 2;

  DeviceInputs(DeviceApi& api, Stream compute);
  ~DeviceInputs();

  /// Gives the ring its memory, one address for each place; it must hold `largest`. Each program that shares it
  /// says so.
  void bind(std::span<std::byte* const> places, const BatchSpec& largest);

  /// The ring's memory is gone, if it lay there.
  void forget(std::span<const std::byte> memory);

  void upload(BatchLease lease, std::uint32_t slot);
  void set_scalars(const StepScalars& scalars, std::uint32_t slot);
  void release(std::uint32_t slot);

  /// The batch of a slot: `pixels` on the device, labels on the host. Throws InvalidArgument for an empty slot.
  const BatchView& view(std::uint32_t slot) const;
  const StepScalars& scalars(std::uint32_t slot) const { return slots_.at(slot).scalars; }
  /// Its labels on the device, from a sample on.
  DeviceLabels labels(std::uint32_t slot, std::uint32_t first_sample) const;
  /// Work of the compute stream from now on finds the slot's batch.
  void use(std::uint32_t slot);

  /// Gives leases back whose copies are done.
  void poll();
  /// Leases that are still held.
  std::size_t num_held() const noexcept { return held_.size(); }

 private:
  struct Place {
    std::byte* device = nullptr;
    UniquePinnedBytes labels;
    UniqueEvent is_copied;
    UniqueEvent is_free;  // what was computed from it is done
  };
  struct Slot {
    StepScalars scalars;
    BatchSpec spec;
    BatchView view;
    std::size_t place = 0;
    bool is_filled = false;
  };
  struct Held {
    BatchLease lease;
    std::size_t place;
  };

  void wait_for(const UniqueEvent& event);
  void stage_labels(const BatchView& batch, const PlaceLayout& layout, Place& place);
  void copy(const BatchView& batch, const PlaceLayout& layout, Place& place);

  DeviceApi& api_;
  Stream compute_;
  UniqueStream copies_;
  std::array<Place, kNumPlaces> places_;
  std::array<Slot, kMaxInputSlots> slots_;
  std::deque<Held> held_;  // in the order of their copies
  std::size_t place_bytes_ = 0;
  std::size_t label_bytes_ = 0;
  std::size_t next_place_ = 0;
};

}  // namespace penstock::train::cuda
