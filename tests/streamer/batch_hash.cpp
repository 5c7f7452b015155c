#include "tests/streamer/batch_hash.h"

#include <memory>
#include <span>

#include "streamer/core/checksum.h"
#include "streamer/pipeline/resize_transform.h"

namespace penstock::tests {

std::string hash_batch(const BatchView& batch) {
  StreamHasher hasher;
  hasher.update({batch.pixels, batch.spec->pixels_bytes()});
  hasher.update(std::as_bytes(batch.class_idx));
  hasher.update(std::as_bytes(batch.targets));
  hasher.update(std::as_bytes(batch.weights));
  hasher.update(std::as_bytes(batch.sample_ids));
  hasher.update(std::as_bytes(batch.positions));
  for (const SampleEvent& event : batch.events) {
    const std::uint64_t numbers[] = {event.slot_idx, event.sample_id,
                                     static_cast<std::uint64_t>(event.fault.status)};
    hasher.update(std::as_bytes(std::span(numbers)));
    hasher.update(std::as_bytes(std::span(event.fault.detail())));
  }
  const std::uint64_t numbers[] = {batch.epoch, batch.num_valid, batch.ends_epoch,
                                   batch.next_position, batch.events.size()};
  hasher.update(std::as_bytes(std::span(numbers)));
  return hex(hasher.digest_128());
}

std::vector<std::string> hash_all(const Dataset& dataset, const LoaderConfig& config) {
  MemoryBudget budget(256u << 20);
  Loader loader(dataset.split("train"), config, std::make_shared<ResizeTransform>(), budget);
  std::vector<std::string> hashes;
  while (const BatchLease lease = loader.next()) hashes.push_back(hash_batch(lease.view()));
  return hashes;
}

}  // namespace penstock::tests
