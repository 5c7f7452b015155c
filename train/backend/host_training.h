// The side of a training program on the host that surrounds its passes: counts of steps, the step under way,
// the optimizer's step, running statistics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "train/backend/buffer_list.h"
#include "train/backend/grad_reducer.h"
#include "train/backend/host_update.h"
#include "train/backend/lowering_check.h"
#include "train/backend/param_buffers.h"
#include "train/backend/statistics_guard.h"

namespace penstock::train {

/// Does nothing in evaluation. `Parallel` is HostUpdate's.
template <class T, class Parallel>
class HostTraining {
 public:
  /// Asks for what belongs to no parameter alone.
  void add_buffers(BufferList& list, std::size_t num_params) {
    num_steps_buffer_ =
        list.add("optimizer:num_steps", Role::kState, num_params * sizeof(std::uint64_t));
    step_under_way_ = list.add("step:under_way", Role::kState, sizeof(StepUnderWay));
  }

  /// Once `list` is bound. Parameters are by index; those with a gradient learn.
  void bind(const BufferList& list, const std::vector<ParamSlot>& slots,
            std::span<const ParamBuffers> params, const Lowering& lowering, unsigned num_parts) {
    num_steps_ = {list.at<std::uint64_t>(num_steps_buffer_), slots.size()};
    std::vector<UpdateTensor<T>> tensors;
    std::vector<StatisticsTensor<T>> statistics;
    reducer_ = lowering.grad_reducer;
    gradients_.clear();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const ParamBuffers& buffers = params[i];
      if (buffers.before_step != kNoBuffer) {
        statistics.push_back({.num_elements = slots[i].num_stored_elements,
                              .running = list.at<T>(buffers.master),
                              .before_step = list.at<T>(buffers.before_step)});
      }
      if (buffers.whole_grad() == kNoBuffer) continue;
      tensors.push_back({.num_elements = slots[i].num_stored_elements,
                         .weight = list.at<T>(buffers.master),
                         .gradient = list.at<T>(buffers.whole_grad()),
                         .state = {list.at<T>(buffers.state), list.at<T>(buffers.second_state)},
                         .ema = list.at<T>(buffers.ema),
                         .num_steps = &num_steps_[i],
                         .rates = rates_of(slots, i, lowering)});
      gradients_.push_back({.values = tensors.back().gradient,
                            .num_elements = tensors.back().num_elements,
                            .element_bytes = sizeof(T)});
    }
    update_.emplace(lowering.optimizer, num_parts, std::move(tensors), Parallel{});
    statistics_.emplace(*list.at<StepUnderWay>(step_under_way_), std::move(statistics));
  }

  void begin_forward() {
    if (statistics_) statistics_->begin_run();
  }
  void end_forward(bool is_loss_finite) {
    if (statistics_) statistics_->end_run(is_loss_finite);
  }
  /// Phase::kUpdate.
  UpdateReport update(const StepScalars& scalars) {
    if (reducer_ != nullptr) reducer_->reduce(gradients_, nullptr);
    UpdateReport report = update_->run(scalars, *statistics_);
    report.step = scalars.step;
    return report;
  }
  /// Phase::kDrop.
  void drop() { statistics_->end_step(false); }

  /// Counts of steps by parameter: Program::import_num_steps() and its pair read and write them.
  std::span<std::uint64_t> num_steps() const {
    check_internal(update_.has_value(), "training program: counts of steps before bind");
    return num_steps_;
  }

 private:
  BufferId num_steps_buffer_ = kNoBuffer;
  BufferId step_under_way_ = kNoBuffer;
  std::span<std::uint64_t> num_steps_;
  GradReducer* reducer_ = nullptr;
  std::vector<GradientBlock> gradients_;  // of all that learn
  std::optional<HostUpdate<T, Parallel>> update_;
  std::optional<StatisticsGuard<T>> statistics_;
};

}  // namespace penstock::train
