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
  const auto read = [&](RunPart part) { return readers.busy_ns[static_cast<std::size_t>(part)]; };
  const auto filled = [&](RunPart part) {
    return fill_busy_ns[static_cast<std::size_t>(part)].sum();
  };
  const std::int64_t decode_ns = filled(RunPart::kDecode);
  const std::int64_t augment_ns = filled(RunPart::kAugment);
  return {.source = source,
          .depth = depth,
          .cache = {},
          .elapsed_us = us(elapsed),
          .admission_busy_us = us(admission.ns(now) - ring.slot_wait_ns - arena.wait_ns),
          .read_busy_us = us(read(RunPart::kRead)),
          .checksum_busy_us = us(read(RunPart::kChecksum)),
          .decode_busy_us = us(decode_ns),
          .augment_busy_us = us(augment_ns),
          .deliver_busy_us = us(deliver_busy_ns.sum()),
          .consumer_busy_us = us(elapsed - consumer_wait.ns(now)),
          .first_batch_wait_us = us(first_batch_wait_ns),
          .admission_slot_wait_us = us(ring.slot_wait_ns),
          .admission_memory_wait_us = us(arena.wait_ns),
          .reader_wait_us = us(readers.wait_ns),
          .worker_wait_us = us(elapsed * depth.num_workers - decode_ns - augment_ns),
          .in_flight = arena.in_flight,
          .to_read = readers.queued,
          .to_fill = to_fill.stats(),
          .ready = ring.ready,
          .lent = ring.lent};
}

}  // namespace penstock
