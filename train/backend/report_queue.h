// Reports on their way to poll(): a ring of fixed size, for backends on the host.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "streamer/core/error.h"
#include "train/backend/backend.h"

namespace penstock::train {

template <class Report>
class ReportRing {
 public:
  /// Throws Internal when kMaxPendingReports wait already: nobody polls.
  void push(const Report& report) {
    if (num_waiting_ == kMaxPendingReports) {
      throw Error(ErrorCode::kInternal, "backend: reports: expected poll() at least every " +
                                            std::to_string(kMaxPendingReports) +
                                            " runs, found one more without");
    }
    reports_[(first_ + num_waiting_++) % kMaxPendingReports] = report;
  }

  /// Takes the oldest one.
  std::optional<Report> pop() noexcept {
    if (num_waiting_ == 0) return std::nullopt;
    const Report report = reports_[first_];
    first_ = (first_ + 1) % kMaxPendingReports;
    --num_waiting_;
    return report;
  }

 private:
  std::array<Report, kMaxPendingReports> reports_{};
  std::size_t first_ = 0;
  std::size_t num_waiting_ = 0;
};

/// Those of a backend.
struct ReportQueue {
  ReportRing<StepReport> steps;
  ReportRing<UpdateReport> updates;
};

}  // namespace penstock::train
