#include "tools/bench/stage_workspace.h"

#include <algorithm>
#include <cstring>

#include "streamer/core/error.h"

namespace penstock::tools::bench {
namespace {

std::size_t pixels_bytes(const SampleWindow& window, const BatchSpec& spec) noexcept {
  return std::max(
      {window.max_price().decoded_bytes, window.max_picture_bytes(), spec.sample_bytes()});
}

std::size_t scratch_bytes(const SampleWindow& window) noexcept {
  return std::max(window.max_price().scratch_bytes, window.max_transform_scratch_bytes());
}

HostBuffer pages(std::size_t num_bytes) {
  return HostBuffer(page_aligned_memory(), num_bytes);
}

}  // namespace

StageWorkspace::StageWorkspace(const SampleWindow& window, const BatchSpec& spec)
    : encoded(pages(window.max_encoded_bytes())),
      pixels(pages(pixels_bytes(window, spec))),
      scratch(pages(scratch_bytes(window))),
      decoders(std::make_unique<DecoderSet>()) {
  // Pages that were never written are all one page of zeros: too fast to copy from.
  std::memset(pixels.data(), 1, spec.sample_bytes());
}

std::uint64_t StageWorkspace::price_bytes(const SampleWindow& window,
                                          const BatchSpec& spec) noexcept {
  return window.max_encoded_bytes() + pixels_bytes(window, spec) + scratch_bytes(window);
}

std::span<const std::byte> StageWorkspace::read(const SampleTask& sample) {
  const auto stored = encoded.bytes().first(sample.record.length_bytes);
  sample.shard->read_sample(sample.record, stored);
  return stored;
}

std::optional<DecodedView> StageWorkspace::decode(const SampleTask& sample,
                                                  std::span<const std::byte> stored,
                                                  std::span<std::byte> to) {
  const StoredInfo info = stored_info(sample.record);
  SampleDecoder* decoder = decoders->find(info.codec);
  if (decoder == nullptr) return std::nullopt;
  const auto result = decoder->decode(stored, info, sample.request, to, scratch.bytes(), {});
  if (!result.ok()) return std::nullopt;
  return result.value();
}

OutputRing::OutputRing(const BatchSpec& spec, std::uint32_t num_slots)
    : spec_(spec),
      num_places_(std::size_t{spec.batch} * num_slots),
      memory_(page_aligned_memory(), num_places_ * spec.sample_bytes()) {}

BenchBuffers::BenchBuffers(const SampleWindow& window, const BatchSpec& spec,
                           std::uint32_t num_threads, std::uint32_t num_slots)
    : ring(spec, num_slots) {
  for (std::uint32_t i = 0; i < num_threads; ++i) workspaces.emplace_back(window, spec);
}

std::uint64_t most_decoded_bytes(const SampleWindow& window, const DecodedBound& bound) noexcept {
  const std::uint64_t largest = window.max_price().decoded_bytes;
  return std::max(largest, std::min(bound.bytes, bound.num_samples * largest));
}

std::vector<DecodedSample> decoded_samples(const SampleWindow& window, StageWorkspace& space,
                                           const DecodedBound& bound) {
  std::vector<DecodedSample> decoded;
  std::uint64_t held_bytes = 0;
  for (std::size_t i = 0; i < window.size() && decoded.size() < bound.num_samples; ++i) {
    const SampleTask& task = window.tasks()[i];
    const std::uint64_t own_bytes = task.price.decoded_bytes;
    if (!decoded.empty() && held_bytes + own_bytes > bound.bytes) break;
    DecodedSample sample{pages(own_bytes), task};
    const auto view = space.decode(task, window.encoded(i), sample.pixels.bytes());
    if (!view) continue;
    sample.task.decoded = *view;
    decoded.push_back(std::move(sample));
    held_bytes += own_bytes;
  }
  if (decoded.empty()) {
    throw Error(ErrorCode::kCorruptData,
                "bench: decode: expected a sample that can be decoded, "
                "found none among " +
                    std::to_string(window.size()));
  }
  return decoded;
}

}  // namespace penstock::tools::bench
