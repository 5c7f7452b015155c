#include "streamer/pipeline/batch_admitter.h"

#include <optional>

#include "streamer/read/run_layout.h"

namespace penstock {

void BatchAdmitter::run(const std::stop_token& stop) {
  const auto& num_epochs = epochs_.num_epochs();
  for (std::uint32_t i = 0; !num_epochs || i < *num_epochs; ++i) {
    if (!admit_epoch(epochs_.first() + i, stop)) return;
  }
}

bool BatchAdmitter::admit_epoch(std::uint32_t epoch, const std::stop_token& stop) {
  const EpochShape shape = epochs_.shape(epoch);
  const std::optional<EpochOrder> order = order_.epoch(epoch, stop);
  if (!order) return false;
  const std::uint64_t count = num_batches(shape);
  for (std::uint64_t batch = 0; batch < count; ++batch) {
    const auto slot_idx = stages_.ring.acquire(stop);
    if (!slot_idx || stop.stop_requested()) return false;
    const PositionRange range = batch_range(shape, batch);
    BatchSlot& slot = stages_.ring.slot(*slot_idx);
    slot.stamp = {.seq = next_seq_++,
                  .next_position = position_after(shape, batch),
                  .epoch = epoch,
                  .num_valid = range.size(),
                  .ends_epoch = batch + 1 == count};
    slot.places_left = range.size();
    if (!plan(slot, range, *order, stop) || !admit_runs(slot, *slot_idx, stop)) return false;
  }
  return true;
}

bool BatchAdmitter::plan(BatchSlot& slot, const PositionRange& range, const EpochOrder& order,
                         const std::stop_token& stop) {
  for (std::uint32_t place = 0; place < range.size(); ++place) {
    if (stop.stop_requested()) return false;
    const std::uint64_t position = range.begin + place;
    admission_.plan(
        {.sample_id = order.sample_at(position), .position = position, .epoch = slot.stamp.epoch},
        slot.tasks[place]);
  }
  return true;
}

bool BatchAdmitter::admit_runs(BatchSlot& slot, std::uint32_t slot_idx,
                               const std::stop_token& stop) {
  const std::span tasks = std::span(slot.tasks).first(slot.stamp.num_valid);
  if (stages_.cache != nullptr) stages_.cache->attach(tasks);
  std::uint32_t place = 0;
  do {
    SampleRun run{.slot_idx = slot_idx, .first_place = place, .batch_seq = slot.stamp.seq};
    if (!tasks.empty()) {
      const auto rest = tasks.subspan(place);
      run.tasks = rest.first(admission_.next_run_size(rest));
      const auto block = stages_.arena.acquire(run_layout(run.tasks).total_bytes(), stop);
      if (!block) return false;
      run.block = *block;
    }
    place += static_cast<std::uint32_t>(run.tasks.size());
    stages_.readers.push(run);  // a batch without samples on this rank is a run without tasks
  } while (place < tasks.size());
  return true;
}

}  // namespace penstock
