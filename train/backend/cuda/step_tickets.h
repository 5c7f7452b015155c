// What a run takes along and what it leaves: its numbers on their way to the device, and its report on the way
// back, in page-locked memory that nobody waits for.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "streamer/core/error.h"
#include "train/backend/backend.h"
#include "train/backend/cuda/device_handles.h"
#include "train/backend/cuda/kernels/step_block.h"

namespace penstock::train::cuda {

/// A ring of kMaxPendingReports runs. Block is what the device writes of each.
template <class Block>
class StepTickets {
 public:
  StepTickets(DeviceApi& api, Stream stream)
      : api_(api),
        stream_(stream),
        memory_(allocate_pinned(api, kMaxPendingReports * sizeof(Ticket))) {
    for (UniqueEvent& event : is_back_) event = make_event(api);
  }

  /// Enqueues the copy of a run's numbers. Throws Internal when kMaxPendingReports runs wait: nobody polls.
  void begin(const StepBlock& step, StepBlock* on_device) {
    if (num_waiting_ == kMaxPendingReports) {
      throw Error(ErrorCode::kInternal, "backend: reports: expected poll() at least every " +
                                            std::to_string(kMaxPendingReports) +
                                            " runs, found one more without");
    }
    Ticket& ticket = at(first_ + num_waiting_);
    ticket.step = step;
    check_device(api_.copy_to_device(on_device, &ticket.step, sizeof(StepBlock), stream_));
  }

  /// Enqueues the copy of its report.
  void end(const Block* on_device) {
    const std::size_t idx = (first_ + num_waiting_) % kMaxPendingReports;
    check_device(api_.copy_to_host(&at(idx).report, on_device, sizeof(Block), stream_));
    check_device(api_.record(is_back_[idx].get(), stream_));
    ++num_waiting_;
  }

  /// Takes the oldest report, if it is back.
  std::optional<Block> pop() {
    if (num_waiting_ == 0) return std::nullopt;
    bool is_done = false;
    check_device(api_.query(is_back_[first_].get(), &is_done));
    if (!is_done) return std::nullopt;
    const Block report = at(first_).report;
    first_ = (first_ + 1) % kMaxPendingReports;
    --num_waiting_;
    return report;
  }

 private:
  struct Ticket {
    StepBlock step;
    Block report;
  };

  Ticket& at(std::size_t idx) const {
    return static_cast<Ticket*>(memory_.get())[idx % kMaxPendingReports];
  }

  DeviceApi& api_;
  Stream stream_;
  UniquePinnedBytes memory_;
  std::array<UniqueEvent, kMaxPendingReports> is_back_;
  std::size_t first_ = 0;
  std::size_t num_waiting_ = 0;
};

}  // namespace penstock::train::cuda
