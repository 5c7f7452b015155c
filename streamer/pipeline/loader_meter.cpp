#include "streamer/pipeline/loader_meter.h"

#include <algorithm>

namespace penstock {
namespace {

// Counters are read one after the other while they move, so a difference may dip below 0.
std::uint64_t us(std::int64_t ns) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)) / 1000;
}

}  // namespace

void LoaderMeter::end() noexcept {
  std::int64_t goes_on = 0;
  end_ns.compare_exchange_strong(goes_on, steady_ns());
}

std::int64_t LoaderMeter::now_ns() const noexcept {
  const std::int64_t ended = end_ns;
  return ended != 0 ? ended : steady_ns();
}

LoaderStats LoaderMeter::stats(const SourceStats& source, const LoaderDepth& depth,
                               const Stages& stages) const {
  const std::int64_t now = now_ns();
  const std::int64_t elapsed = now - start_ns;
  const ReaderStats readers = stages.readers.stats(now);
  const RingStats ring = stages.ring.stats(now);
  const ArenaStats arena = stages.arena.stats(now);
  const auto busy = [&](ReadPart part) {
    return us(readers.busy_ns[static_cast<std::size_t>(part)]);
  };
  return {.source = source,
          .depth = depth,
          .cache = {},
          .elapsed_us = us(elapsed),
          .admission_busy_us = us(admission.ns(now) - ring.slot_wait_ns - arena.wait_ns),
          .read_busy_us = busy(ReadPart::kRead),
          .checksum_busy_us = busy(ReadPart::kChecksum),
          .decode_busy_us = busy(ReadPart::kDecode),
          .augment_busy_us = us(augment_busy_ns.sum()),
          .deliver_busy_us = us(deliver_busy_ns.sum()),
          .consumer_busy_us = us(elapsed - consumer_wait.ns(now)),
          .first_batch_wait_us = us(first_batch_wait_ns),
          .admission_slot_wait_us = us(ring.slot_wait_ns),
          .admission_memory_wait_us = us(arena.wait_ns),
          .reader_wait_us = us(readers.wait_ns),
          .augmenter_wait_us = us(elapsed * depth.num_augmenters - augment_busy_ns.sum()),
          .in_flight = arena.in_flight,
          .to_read = readers.queued,
          .to_augment = to_augment.stats(),
          .ready = ring.ready,
          .lent = ring.lent};
}

}  // namespace penstock
