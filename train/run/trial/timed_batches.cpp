#include "train/run/trial/timed_batches.h"

#include <utility>

namespace penstock::train {

TimedBatches::TimedBatches(BatchSource& source, std::stop_source& end, const BatchTiming& timing,
                           std::function<void(std::uint64_t)> at_batch)
    : source_(source), end_(end), timing_(timing), at_batch_(std::move(at_batch)) {}

BatchLease TimedBatches::next() {
  const Clock::time_point asked_at = Clock::now();
  // The batch that is asked for is the last one: the pass looks for a stop after it.
  if (has_enough(asked_at)) end_.request_stop();
  BatchLease lease = source_.next();
  if (!lease) return lease;
  marks_.push_back({asked_at, Clock::now(), lease->num_valid});
  if (at_batch_) at_batch_(marks_.size());
  return lease;
}

bool TimedBatches::has_enough(Clock::time_point now) const {
  const std::size_t num_needed = std::size_t{timing_.num_warm_up} + timing_.min_timed;
  if (marks_.size() + 1 < num_needed) return false;
  const Clock::time_point begin =
      marks_.size() > timing_.num_warm_up ? marks_[timing_.num_warm_up].asked_at : now;
  return std::chrono::duration<double>(now - begin).count() >= timing_.enough_s;
}

TimedPass TimedBatches::finish() const {
  TimedPass pass;
  if (marks_.empty()) return pass;
  const std::size_t first = marks_.size() > timing_.num_warm_up ? timing_.num_warm_up : 0;
  for (std::size_t i = first; i < marks_.size(); ++i) {
    ++pass.num_batches;
    pass.num_samples += marks_[i].num_samples;
    pass.waiting_s +=
        std::chrono::duration<double>(marks_[i].given_at - marks_[i].asked_at).count();
  }
  pass.elapsed_s = std::chrono::duration<double>(Clock::now() - marks_[first].asked_at).count();
  return pass;
}

}  // namespace penstock::train
