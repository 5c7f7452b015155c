// The end of a pass on its backend: steps of the next one may have the same numbers, so no report is left.
#pragma once

#include <functional>
#include <utility>

#include "train/backend/backend.h"

namespace penstock::train {

/// Waits, when it is destroyed, for what a pass has run, and polls its reports away: the pass ends with an
/// exception, or has had them all.
class ReportDrain {
 public:
  /// `count` is given updates that the pass has not seen: they were made. It does not throw; may be empty.
  explicit ReportDrain(Backend& backend, std::function<void(const UpdateReport&)> count = {})
      : backend_(backend), count_(std::move(count)) {}
  ReportDrain(const ReportDrain&) = delete;
  ReportDrain& operator=(const ReportDrain&) = delete;
  ~ReportDrain() {
    try {
      backend_.finish();
      while (backend_.poll()) continue;
      while (const auto update = backend_.poll_update()) {
        if (count_) count_(*update);
      }
    } catch (...) {
      // A device that is lost: the error that brought us here says so, or the next call does.
    }
  }

 private:
  Backend& backend_;
  std::function<void(const UpdateReport&)> count_;
};

}  // namespace penstock::train
