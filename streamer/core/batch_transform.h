// What happens to a whole batch once all its places are filled and before it is delivered: mixing of
// samples, say. The counterpart of sample_transform.h, which knows one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "streamer/core/batch.h"
#include "streamer/core/draws.h"

namespace penstock {

/// One complete batch, to be changed in place. Borrowed for the call.
///
/// Shapes  pixels: as BatchView::pixels, spec->pixels_bytes() bytes; targets: [batch, num_targets], or
///         empty without LabelForm::kTargets; class_idx, weights: [batch]
/// Weights are changed where targets are, so that their product, a sample's part in the loss, stays right
struct BatchContent {
  const BatchSpec* spec = nullptr;
  std::byte* pixels = nullptr;
  std::span<float> targets;
  std::span<const std::uint32_t> class_idx;
  /// What each sample weighs in the loss: 1 without weights of the loader's. 0 for a place whose sample failed
  /// (its pixels are 0), for padding, and for a sample that is to count nowhere.
  std::span<float> weights;
  /// Places that hold samples, at least 1; those from here on are padding and must stay 0.
  std::uint32_t num_valid = 0;
  /// DrawPurpose::kBatch at the position of the batch's first sample; place() has epoch and seed.
  Draws draws{Draws::Place{}};
  /// Requested when nobody will look at the batch any more; null: somebody will.
  const std::stop_token* stop = nullptr;

  /// The pixels of one place.
  std::span<std::byte> sample(std::uint32_t place) const noexcept {
    return {pixels + place * spec->sample_bytes(), spec->sample_bytes()};
  }
  /// The targets of one place; empty without LabelForm::kTargets.
  std::span<float> targets_of(std::uint32_t place) const noexcept {
    if (targets.empty()) return {};
    return targets.subspan(std::size_t{place} * spec->num_targets, spec->num_targets);
  }
  /// Whether what is in a place counts nowhere: nothing of it may reach another.
  bool has_failed(std::uint32_t place) const noexcept { return !(weights[place] > 0); }
  /// Whether apply() may return early, whatever it has written. A look now and then lets a stop end
  /// a large batch.
  bool is_abandoned() const noexcept { return stop != nullptr && stop->stop_requested(); }
};

/// Changes whole batches: pixels, targets and with them weights, in place. Ids, labels and events of the
/// places are the stream's, and stay as they are. A weight of 0 stays 0, any other above it.
///
/// Threads  apply() is called from many threads at once, each with a batch of its own
/// Purity   it is a pure function of the content and of the settings: no clock, no state. Batches then
///          are the same for all threads and after a resume. With another number of ranks a batch has
///          other samples, and mixes them
/// Memory   what it takes beside the batch is not counted: best nothing
class BatchTransform {
 public:
  virtual ~BatchTransform() = default;

  /// Throws Unsupported or InvalidArgument when this transform cannot change such batches.
  virtual void accept(const BatchSpec& spec) const = 0;

  virtual void apply(const BatchContent& batch) const noexcept = 0;

  /// Whether it changes batches of crops too, BatchSpec::crop_bytes. A loader refuses it otherwise.
  virtual bool takes_crops() const noexcept { return false; }

  /// All settings that affect bytes, one `key=value` per line in fixed order: part of the run's
  /// identity.
  virtual std::string identity() const = 0;
};

}  // namespace penstock
