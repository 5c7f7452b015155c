// The samples that a round works through, planned as the loader plans them: what the stages and the
// ceilings are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "streamer/read/sample_run.h"
#include "tools/bench/loader_run.h"

namespace penstock::tools::bench {

/// Holds plans and stored bytes of the samples on a stream's clock, outside of the loaders' limit.
class SampleWindow {
 public:
  /// Beside a sample's encoded bytes.
  static constexpr std::uint64_t kHeldBytesPerSample =
      sizeof(StreamPlace) + sizeof(SampleTask) + sizeof(std::size_t);

  /// Plans only: what follows is known before any byte is held. Errors  Io, CorruptData
  SampleWindow(const Stream& stream, std::span<const StreamPlace> places);

  /// Reads every sample once; encoded() is there from then on. Errors  Io, CorruptData
  void read_samples();

  std::size_t size() const noexcept { return tasks_.size(); }
  const std::vector<SampleTask>& tasks() const noexcept { return tasks_; }
  const std::vector<StreamPlace>& places() const noexcept { return places_; }
  std::span<const std::byte> encoded(std::size_t idx) const noexcept {
    return std::span(bytes_).subspan(offsets_[idx], tasks_[idx].record.length_bytes);
  }
  std::uint64_t encoded_bytes() const noexcept { return encoded_bytes_; }
  /// What it holds once the samples are read.
  std::uint64_t held_bytes() const noexcept;
  bool are_all(Codec codec) const noexcept;

  /// The largest of what its samples take.
  std::size_t max_encoded_bytes() const noexcept;
  DecodePrice max_price() const noexcept;
  std::size_t max_transform_scratch_bytes() const noexcept;
  /// Bytes of the largest whole picture, decoded at the scale that is asked for.
  std::size_t max_picture_bytes() const noexcept;

 private:
  std::vector<StreamPlace> places_;
  std::vector<SampleTask> tasks_;
  std::uint64_t encoded_bytes_ = 0;
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> offsets_;  // into bytes_
};

}  // namespace penstock::tools::bench
