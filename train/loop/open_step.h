// A step on a backend, from its first batch to its end. One that is given up, by a stop or by an exception,
// leaves nothing behind.
#pragma once

#include <cstdint>
#include <utility>

#include "train/backend/backend.h"

namespace penstock::train {

/// The step under way of a pass, in input slot 0. Unless update() or end() was reached, its destructor drops
/// it: running statistics are what they were before it, and its batch goes back to the source.
class OpenStep {
 public:
  explicit OpenStep(Backend& backend) : backend_(backend) {}
  OpenStep(const OpenStep&) = delete;
  OpenStep& operator=(const OpenStep&) = delete;
  ~OpenStep() {
    try {
      if (has_run() && newest_->lowering().mode == Mode::kTrain) newest_->run(Phase::kDrop, kSlot);
      end();
    } catch (...) {
      // A device that is lost: the error that brought us here says so, or the next call does.
    }
  }

  /// Takes a batch, in the place of the step's last one.
  void upload(BatchLease lease) {
    has_batch_ = true;  // one that is refused has to go back, too
    backend_.upload(std::move(lease), kSlot);
  }
  void set_scalars(const StepScalars& scalars) { backend_.set_scalars(scalars, kSlot); }

  void forward(Program& program) {
    newest_ = &program;  // a run that fails may have moved running statistics
    program.run(Phase::kForward, kSlot);
  }
  /// Adds the gradients of the newest forward run to the step's.
  void backward() {
    newest_->run(std::exchange(has_gradients_, true) ? Phase::kBackwardAdd : Phase::kBackward,
                 kSlot);
  }
  /// Ends a training step.
  void update() {
    newest_->run(Phase::kUpdate, kSlot);
    end();
  }
  /// Ends it as it is: the batch goes back.
  void end() {
    newest_ = nullptr;
    if (std::exchange(has_batch_, false)) backend_.release(kSlot);
  }

  bool has_run() const noexcept { return newest_ != nullptr; }

 private:
  static constexpr std::uint32_t kSlot = 0;

  Backend& backend_;
  Program* newest_ = nullptr;
  bool has_batch_ = false;
  bool has_gradients_ = false;
};

}  // namespace penstock::train
