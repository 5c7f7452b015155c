#include "tools/bench/sample_window.h"

#include <algorithm>

#include "streamer/read/admission.h"

namespace penstock::tools::bench {

SampleWindow::SampleWindow(const Stream& stream, std::span<const StreamPlace> places)
    : places_(places.begin(), places.end()), tasks_(places.size()) {
  const Admission admission(stream.split, {.spec = stream.spec, .seed = stream.seed},
                            stream.transform);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const StreamPlace& place = places[i];
    admission.plan({.sample_id = place.sample_id, .position = place.position, .epoch = place.epoch},
                   tasks_[i]);
    offsets_.push_back(encoded_bytes_);
    encoded_bytes_ += tasks_[i].record.length_bytes;
  }
}

void SampleWindow::read_samples() {
  bytes_.resize(encoded_bytes_);
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const SampleTask& task = tasks_[i];
    task.shard->read_sample(task.record,
                            std::span(bytes_).subspan(offsets_[i], task.record.length_bytes));
  }
}

std::uint64_t SampleWindow::held_bytes() const noexcept {
  return encoded_bytes_ + size() * kHeldBytesPerSample;
}

bool SampleWindow::are_all(Codec codec) const noexcept {
  return std::ranges::all_of(tasks_, [codec](const SampleTask& task) {
    return static_cast<Codec>(task.record.codec) == codec;
  });
}

std::size_t SampleWindow::max_encoded_bytes() const noexcept {
  std::size_t largest = 0;
  for (const SampleTask& task : tasks_) {
    largest = std::max<std::size_t>(largest, task.record.length_bytes);
  }
  return largest;
}

DecodePrice SampleWindow::max_price() const noexcept {
  DecodePrice largest;
  for (const SampleTask& task : tasks_) {
    largest.decoded_bytes = std::max(largest.decoded_bytes, task.price.decoded_bytes);
    largest.scratch_bytes = std::max(largest.scratch_bytes, task.price.scratch_bytes);
  }
  return largest;
}

std::size_t SampleWindow::max_transform_scratch_bytes() const noexcept {
  std::size_t largest = 0;
  for (const SampleTask& task : tasks_) {
    largest = std::max<std::size_t>(largest, task.plan.scratch_bytes);
  }
  return largest;
}

std::size_t SampleWindow::max_picture_bytes() const noexcept {
  std::size_t largest = 0;
  for (const SampleTask& task : tasks_) {
    const std::size_t scale = task.request.decode_scale;
    const std::size_t width_px = (task.record.width_px + scale - 1) / scale;
    const std::size_t height_px = (task.record.height_px + scale - 1) / scale;
    largest = std::max(largest, width_px * height_px * 3);
  }
  return largest;
}

}  // namespace penstock::tools::bench
