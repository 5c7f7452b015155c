// The contract between whoever makes batches and whoever trains on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "streamer/core/result.h"

namespace penstock {

enum class ElementType : std::uint8_t { kUint8, kFloat16, kBfloat16, kFloat32 };
enum class PixelLayout : std::uint8_t { kNchw, kNhwc };

constexpr std::size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return 1;
    case ElementType::kFloat16:
    case ElementType::kBfloat16:
      return 2;
    case ElementType::kFloat32:
      return 4;
  }
  return 0;
}

/// The class index of a sample without a label.
inline constexpr std::uint32_t kUnlabelled = 0xFFFFFFFFu;

/// How labels come: as class indices alone, or beside them as one value for each class (one-hot, and
/// soft where samples are mixed; image_dataset_from_directory calls it label_mode="categorical").
enum class LabelForm : std::uint8_t { kClassIndex, kTargets };

/// What a consumer wants its batches to be. The transform accepts or refuses it before the start.
struct BatchSpec {
  /// Samples per batch, at least 1.
  std::uint32_t batch = 32;
  /// Height of the network's input in pixels, at least 1.
  std::uint32_t height_px = 224;
  /// Width of the network's input in pixels, at least 1.
  std::uint32_t width_px = 224;
  /// Colour channels: 3 (RGB) or 1 (gray).
  std::uint32_t channels = 3;
  ElementType element = ElementType::kFloat32;
  PixelLayout layout = PixelLayout::kNhwc;
  LabelForm label_form = LabelForm::kClassIndex;
  /// Values per sample in `targets` with LabelForm::kTargets, at least one for each class; else 0.
  std::uint32_t num_targets = 0;
  /// Bytes of a place that holds a crop and what is to be made of it (crop_record.h), for a consumer that
  /// makes the pixels itself: `element` and `layout` are then its own. A multiple of kCropAlignment; 0 for
  /// finished pixels.
  std::uint32_t crop_bytes = 0;
  static constexpr std::uint32_t kCropAlignment = 64;

  /// Of one place.
  std::size_t sample_bytes() const noexcept {
    if (crop_bytes > 0) return crop_bytes;
    return std::size_t{height_px} * width_px * channels * element_bytes(element);
  }
  std::size_t pixels_bytes() const noexcept { return sample_bytes() * batch; }

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;

  friend bool operator==(const BatchSpec&, const BatchSpec&) = default;
};

/// Something that happened to one sample of a batch; travels in order, with the batch.
struct SampleEvent {
  std::uint32_t slot_idx = 0;  // place in the batch
  std::uint64_t sample_id = 0;
  SampleFault fault;
};

/// Borrowed view of one batch; valid while its lease is held.
///
/// Shapes  pixels: [batch, channels, height, width] or [batch, height, width, channels] of
///         spec.element, contiguous, aligned to 4 KiB, or [batch] crops of spec.crop_bytes; class_idx, weights, sample_ids, positions:
///         [batch]; targets: [batch, num_targets], or empty without LabelForm::kTargets
/// Targets 1 at the sample's class and 0 elsewhere, unless a BatchTransform mixed them; all 0 for a
///         sample without a label, or failed. class_idx is the sample's own also where it was mixed
/// Places from `num_valid` on are padding: zero pixels and targets, weight 0, kUnlabelled. A place
/// whose sample failed is zero-filled too, keeps its ids and label, has weight 0 and an event.
struct BatchView {
  const BatchSpec* spec = nullptr;
  const std::byte* pixels = nullptr;
  std::span<const std::uint32_t> class_idx;
  std::span<const float> targets;
  std::span<const float> weights;
  std::span<const std::uint64_t> sample_ids;
  std::span<const std::uint64_t> positions;  // in the epoch, over all ranks
  std::span<const SampleEvent> events;
  std::uint64_t batch_idx = 0;      // counts the source's batches from 0, on over epochs
  std::uint64_t next_position = 0;  // of the epoch, over all ranks: the first after this batch
  std::uint32_t epoch = 0;
  std::uint32_t num_valid = 0;
  bool ends_epoch = false;  // the last batch of its epoch

  const float* pixels_f32() const noexcept { return reinterpret_cast<const float*>(pixels); }
};

/// Takes slots back. Implemented by the ring that lent them.
class LeaseOwner {
 public:
  virtual ~LeaseOwner() = default;
  virtual void give_back(std::uint32_t slot) noexcept = 0;
};

/// A batch lent to a consumer; given back on destruction, from any thread, without blocking.
///
/// Move-only. Shares ownership of the ring it came from, so the source may die first.
class BatchLease {
 public:
  BatchLease() = default;
  BatchLease(BatchView view, std::shared_ptr<LeaseOwner> owner, std::uint32_t slot) noexcept
      : view_(view), owner_(std::move(owner)), slot_(slot) {}
  BatchLease(BatchLease&& other) noexcept
      : view_(std::exchange(other.view_, {})),
        owner_(std::move(other.owner_)),
        slot_(other.slot_) {}
  BatchLease& operator=(BatchLease&& other) noexcept {
    if (this == &other) return *this;
    release();
    view_ = std::exchange(other.view_, {});
    owner_ = std::move(other.owner_);
    slot_ = other.slot_;
    return *this;
  }
  ~BatchLease() { release(); }

  /// False for the lease that ends a stream.
  explicit operator bool() const noexcept { return owner_ != nullptr; }
  const BatchView& view() const noexcept { return view_; }
  const BatchView* operator->() const noexcept { return &view_; }

  void release() noexcept {
    if (owner_ == nullptr) return;
    owner_->give_back(slot_);
    owner_.reset();
    view_ = {};
  }

 private:
  BatchView view_;
  std::shared_ptr<LeaseOwner> owner_;  // shared with the source and the other leases
  std::uint32_t slot_ = 0;
};

/// Counts since the source was made.
struct SourceStats {
  std::uint64_t num_batches = 0;       // handed out
  std::uint64_t num_samples = 0;       // handed out, failed ones included
  std::uint64_t num_skipped = 0;       // of these, failed
  std::uint64_t consumer_wait_us = 0;  // time the consumer spent inside next()
  std::uint64_t limit_bytes = 0;       // memory the source may hold
  std::uint64_t high_water_bytes = 0;  // the most that was drawn of it, by all who share the limit
  std::uint64_t in_flight_limit_bytes = 0;       // of these, for samples in flight
  std::uint64_t in_flight_high_water_bytes = 0;  // the most that samples in flight have held
};

/// Where a trainer gets its batches.
///
/// Threads  one consumer at a time
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual const BatchSpec& spec() const noexcept = 0;
  /// Returns the next batch, waiting for it; an empty lease ends the stream.
  /// Throws the first fatal error of the source, again at every later call.
  ///
  /// Precondition  fewer leases are held, in whatever thread, than the source has slots. It throws
  ///               InvalidArgument otherwise: a consumer that keeps them all would wait for ever,
  ///               and one that hands them to other threads has to bound their number anyway.
  virtual BatchLease next() = 0;
  virtual SourceStats stats() const = 0;
};

}  // namespace penstock
