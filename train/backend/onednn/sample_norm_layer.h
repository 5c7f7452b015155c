// Norms whose statistics belong to a sample or to a place of one, never to the batch: nothing is kept but the
// input, whose statistics are computed again going back.
#pragma once

#include <cstddef>
#include <string>

#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {

/// What the tasks of such a norm need, by value: tasks outlive the layer.
struct SampleNormBuffers {
  const BufferList* list = nullptr;
  unsigned num_threads = 1;
  ParamBuffers scale;
  ParamBuffers shift;
  BufferId x = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;    // kNoBuffer: not needed
  BufferId sums = kNoBuffer;  // of the plan's own form

  /// Sets a parameter's gradient, where it is asked for, from the sums of every thread, which
  /// `sums_of(part)` points to.
  template <class SumsOf>
  void take_total(const ParamBuffers& param, std::size_t channels, const SumsOf& sums_of) const {
    if (param.grad == kNoBuffer) return;
    for (std::size_t c = 0; c < channels; ++c) {
      double total = 0;
      for (unsigned part = 0; part < num_threads; ++part) total += sums_of(part)[c];
      list->at<float>(param.grad)[c] = static_cast<float>(total);
    }
  }
};

/// A layer of the plan's passes. Plan<T> is a SampleNormBuffers that has
///   set_sizes(context, id)                          once, at the beginning
///   forward_sum_bytes(), backward_sum_bytes()       of `sums`; may be 0
///   forward(const T* x), backward(const T* x)       with all threads; dx may be x or dy
template <template <class> class Plan, class T>
class SampleNormLayer final : public Layer {
 public:
  SampleNormLayer(const ModelGraph& graph, NodeId id)
      : id_(id), from_(graph.node(id).inputs.front()), name_(graph.node(id).name) {}

  void forward(LoweringContext& context) override {
    const auto params = context.graph.parameters_of(id_);
    plan_.list = &context.buffers;
    plan_.num_threads = context.num_threads;
    plan_.set_sizes(context, id_);
    plan_.scale = context.add_param(params[0]);
    plan_.shift = context.add_param(params[1]);
    emit_forward(context);
    if (context.needs_gradient(id_)) context.will_read_back(from_);
  }

  void forward_again(LoweringContext& context) override { emit_forward(context); }

  void backward(LoweringContext& context) override {
    plan_.dy = context.gradient(id_);
    plan_.x = context.value(from_);
    context.has_read_back(from_);  // by whole statistics: dx may take its place
    const bool needs_dx = context.needs_gradient(from_);
    if (needs_dx) {
      plan_.dx = context.can_overwrite_gradient(id_)
                     ? plan_.dy
                     : context.place_for_gradient(from_, name_ + ".input");
    }
    plan_.sums = context.add_transient(name_ + ".backward_sums", plan_.backward_sum_bytes());
    context.emit({plan_.x, plan_.dy, plan_.dx, plan_.sums, plan_.scale.grad, plan_.shift.grad},
                 [plan = plan_](const RunContext& run) {
                   plan.backward(values_at<T>(*plan.list, plan.x, run));
                 });
    if (needs_dx) context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void emit_forward(LoweringContext& context) {
    plan_.x = context.value(from_);
    plan_.y = context.add_output(id_, name_);
    const std::size_t sum_bytes = plan_.forward_sum_bytes();
    plan_.sums = sum_bytes > 0 ? context.add_transient(name_ + ".sums", sum_bytes) : kNoBuffer;
    context.emit({plan_.x, plan_.y, plan_.sums}, [plan = plan_](const RunContext& run) {
      plan.forward(values_at<T>(*plan.list, plan.x, run));
    });
    context.set_value(id_, plan_.y);
  }

  NodeId id_;
  NodeId from_;
  std::string name_;
  Plan<T> plan_;
};

}  // namespace penstock::train::onednn
