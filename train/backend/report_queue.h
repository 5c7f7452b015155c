// Reports of forward runs on their way to poll(): a ring of fixed size, for backends on the host.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "streamer/core/error.h"
#include "train/backend/backend.h"

namespace penstock::train {

class ReportQueue {
 public:
  /// Throws Internal when kMaxPendingReports wait already: nobody polls.
  void push(const StepReport& report) {
    if (num_waiting_ == kMaxPendingReports) {
      throw Error(ErrorCode::kInternal, "backend: reports: expected poll() at least every " +
                                            std::to_string(kMaxPendingReports) +
                                            " forward runs, found one more without");
    }
    reports_[(first_ + num_waiting_++) % kMaxPendingReports] = report;
  }

  /// Takes the oldest one.
  std::optional<StepReport> pop() noexcept {
    if (num_waiting_ == 0) return std::nullopt;
    const StepReport report = reports_[first_];
    first_ = (first_ + 1) % kMaxPendingReports;
    --num_waiting_;
    return report;
  }

 private:
  std::array<StepReport, kMaxPendingReports> reports_{};
  std::size_t first_ = 0;
  std::size_t num_waiting_ = 0;
};

}  // namespace penstock::train
