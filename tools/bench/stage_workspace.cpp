#include "tools/bench/stage_workspace.h"

namespace penstock::tools::bench {

StageWorkspace::StageWorkspace(const SampleWindow& window)
    : encoded(window.max_encoded_bytes()),
      pixels(window.max_price().decoded_bytes),
      scratch(window.max_price().scratch_bytes),
      transform_scratch(window.max_transform_scratch_bytes()),
      decoders(std::make_unique<DecoderSet>()) {}

std::span<const std::byte> StageWorkspace::read(const SampleTask& sample) {
  const auto bytes = std::span(encoded).first(sample.record.length_bytes);
  sample.shard->read_sample(sample.record, bytes);
  return bytes;
}

std::optional<DecodedView> StageWorkspace::decode(const SampleTask& sample,
                                                  std::span<const std::byte> bytes) {
  const StoredInfo stored = stored_info(sample.record);
  SampleDecoder* decoder = decoders->find(stored.codec);
  if (decoder == nullptr) return std::nullopt;
  const auto result = decoder->decode(bytes, stored, sample.request, pixels, scratch, {});
  if (!result.ok()) return std::nullopt;
  return result.value();
}

OutputRing::OutputRing(const BatchSpec& spec, std::uint32_t num_slots)
    : spec_(spec),
      num_places_(std::size_t{spec.batch} * num_slots),
      memory_(page_aligned_memory(), num_places_ * spec.sample_bytes()) {}

}  // namespace penstock::tools::bench
