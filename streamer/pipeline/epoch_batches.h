// The batches of one epoch as a range, for the loop that a training program is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "streamer/core/batch.h"

namespace penstock {

class Loader;

/// What Loader::epoch() returns: an input range that is walked once.
///
/// A loop left early (break, an exception) loses nothing: the rest of the epoch stays next, for the
/// same epoch() again or for next().
///
/// Errors    begin() and ++ throw what Loader::next() throws
/// Lifetime  must not outlive the loader; the leases may
/// Threads   the loader's one consumer
class EpochBatches {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = BatchLease;
    using difference_type = std::ptrdiff_t;

    /// Hands the lease over: a second call at the same place gives an empty one.
    BatchLease operator*() const noexcept { return std::move(lease_); }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept {
      return it.has_ended_;
    }

   private:
    friend class EpochBatches;
    Iterator(Loader& loader, std::uint32_t epoch) : loader_(&loader), epoch_(epoch) { ++*this; }

    Loader* loader_;
    std::uint32_t epoch_;
    mutable BatchLease lease_;
    bool has_ended_ = false;
  };

  Iterator begin() const { return {*loader_, epoch_}; }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class Loader;
  EpochBatches(Loader& loader, std::uint32_t epoch) noexcept : loader_(&loader), epoch_(epoch) {}

  Loader* loader_;
  std::uint32_t epoch_;
};

}  // namespace penstock
