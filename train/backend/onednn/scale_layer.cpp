// One factor for each channel: learned (channel_scale), or a second tensor's, other ones for each sample
// (squeeze-and-excite). The kernels are batch norm's, with an offset and a mean of 0.
#include <algorithm>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

/// What one thread needs beside the tensors: sums of g and of g * x, the factors as floats, and zeros.
class ScaleScratch {
 public:
  void lower(LoweringContext& context, const std::string& name, std::size_t channels) {
    list_ = &context.buffers;
    channels_ = channels;
    buffer = context.add_transient(name, context.num_threads * channels * kBytesPerChannel);
  }

  double* sum_g(unsigned part) const {
    return reinterpret_cast<double*>(list_->at<std::byte>(buffer) +
                                     part * channels_ * kBytesPerChannel);
  }
  double* sum_gx(unsigned part) const { return sum_g(part) + channels_; }
  float* factors(unsigned part) const { return reinterpret_cast<float*>(sum_gx(part) + channels_); }
  /// Set to 0.
  const float* zeros(unsigned part) const {
    float* const zeros = factors(part) + channels_;
    std::fill_n(zeros, channels_, 0.0f);
    return zeros;
  }
  void clear_sums(unsigned part) const { std::fill_n(sum_g(part), 2 * channels_, 0.0); }

  BufferId buffer = kNoBuffer;

 private:
  static constexpr std::size_t kBytesPerChannel = 2 * sizeof(double) + 2 * sizeof(float);
  const BufferList* list_ = nullptr;
  std::size_t channels_ = 0;
};

/// Everything the tasks need, by value: tasks outlive the layer.
template <class T>
struct ScalePlan {
  const BufferList* list = nullptr;
  unsigned num_threads = 1;
  std::size_t batch = 0;
  Rows sample;
  ScaleScratch scratch;
  BufferId x = kNoBuffer;
  BufferId factor = kNoBuffer;
  BufferId y = kNoBuffer;
  BufferId dy = kNoBuffer;
  BufferId dx = kNoBuffer;  // kNoBuffer: not needed, as dfactor
  BufferId dfactor = kNoBuffer;

  std::size_t sample_values() const { return sample.num_rows * sample.channels; }
  T* at(BufferId buffer) const { return list->at<T>(buffer); }

  /// Calls body(part, sample) for every sample.
  template <class Body>
  void for_samples(const Body& body) const {
    parallel(num_threads, [&](unsigned part) {
      const Range range = part_range(batch, num_threads, part);
      for (std::size_t n = range.begin; n < range.end; ++n) body(part, n);
    });
  }
  void scale(unsigned part, const float* factors, const T* from, T* to) const {
    affine_forward(sample, {}, {factors, scratch.zeros(part)}, from, to);
  }
  void add_sums(unsigned part, const T* values, const T* gradients) const {
    const float* const zeros = scratch.zeros(part);
    add_backward_sums(sample, {}, {zeros, zeros}, zeros, values, gradients, scratch.sum_g(part),
                      scratch.sum_gx(part));
  }
};

template <class T>
class ChannelScaleLayer final : public Layer {
 public:
  ChannelScaleLayer(const ModelGraph& graph, NodeId id)
      : id_(id), from_(graph.node(id).inputs.front()), name_(graph.node(id).name) {
    const TensorShape& shape = graph.node(id).shape;
    plan_.sample = {shape.area(), shape.channels};
  }

  void forward(LoweringContext& context) override {
    plan_.list = &context.buffers;
    plan_.num_threads = context.num_threads;
    plan_.batch = context.batch();
    factor_ = context.add_param(context.graph.parameters_of(id_).front());
    plan_.factor = factor_.master;
    emit_forward(context);
    if (factor_.grad != kNoBuffer) context.will_read_back(from_);
  }

  void forward_again(LoweringContext& context) override { emit_forward(context); }

  void backward(LoweringContext& context) override {
    plan_.dy = context.gradient(id_);
    plan_.dfactor = factor_.grad;
    plan_.scratch.lower(context, name_ + ".backward_sums", plan_.sample.channels);
    if (plan_.dfactor != kNoBuffer) {
      plan_.x = context.value(from_);
      context.emit({plan_.x, plan_.dy, plan_.dfactor, plan_.scratch.buffer},
                   [plan = plan_](const RunContext& run) { take_gradient(plan, run); });
      context.has_read_back(from_);
    }
    if (!context.needs_gradient(from_)) return;
    plan_.dx = context.can_overwrite_gradient(id_)
                   ? plan_.dy
                   : context.place_for_gradient(from_, name_ + ".input");
    context.emit(
        {plan_.dy, plan_.dx, plan_.factor, plan_.scratch.buffer},
        [plan = plan_](const RunContext&) { scale_all(plan, plan.at(plan.dy), plan.at(plan.dx)); });
    context.give_gradient(from_, plan_.dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void emit_forward(LoweringContext& context) {
    plan_.x = context.value(from_);
    plan_.y = context.add_output(id_, name_);
    plan_.scratch.lower(context, name_ + ".scratch", plan_.sample.channels);
    context.emit({plan_.x, plan_.y, plan_.factor, plan_.scratch.buffer},
                 [plan = plan_](const RunContext& run) {
                   scale_all(plan, values_at<T>(*plan.list, plan.x, run), plan.at(plan.y));
                 });
    context.set_value(id_, plan_.y);
  }

  static void scale_all(const ScalePlan<T>& plan, const T* from, T* to) {
    plan.for_samples([&](unsigned part, std::size_t n) {
      const std::size_t first = n * plan.sample_values();
      plan.scale(part, plan.list->template at<float>(plan.factor), from + first, to + first);
    });
  }
  static void take_gradient(const ScalePlan<T>& plan, const RunContext& run) {
    const T* values = values_at<T>(*plan.list, plan.x, run);
    for (unsigned part = 0; part < plan.num_threads; ++part) plan.scratch.clear_sums(part);
    plan.for_samples([&](unsigned part, std::size_t n) {
      const std::size_t first = n * plan.sample_values();
      plan.add_sums(part, values + first, plan.at(plan.dy) + first);
    });
    float* dfactor = plan.list->template at<float>(plan.dfactor);
    for (std::size_t c = 0; c < plan.sample.channels; ++c) {
      double sum = 0;
      for (unsigned part = 0; part < plan.num_threads; ++part) sum += plan.scratch.sum_gx(part)[c];
      dfactor[c] = static_cast<float>(sum);
    }
  }

  NodeId id_;
  NodeId from_;
  std::string name_;
  ParamBuffers factor_;
  ScalePlan<T> plan_;
};

template <class T>
class GateLayer final : public Layer {
 public:
  GateLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        from_(graph.node(id).inputs[0]),
        gate_(graph.node(id).inputs[1]),
        name_(graph.node(id).name) {
    const TensorShape& shape = graph.node(id).shape;
    plan_.sample = {shape.area(), shape.channels};
  }

  void forward(LoweringContext& context) override {
    plan_.list = &context.buffers;
    plan_.num_threads = context.num_threads;
    plan_.batch = context.batch();
    find_inputs(context, ".scratch");
    plan_.y = context.add_output(id_, name_);
    context.emit({plan_.x, plan_.factor, plan_.y, plan_.scratch.buffer},
                 [plan = plan_](const RunContext& run) {
                   const T* values = values_at<T>(*plan.list, plan.x, run);
                   const T* gates = values_at<T>(*plan.list, plan.factor, run);
                   plan.for_samples([&](unsigned part, std::size_t n) {
                     const std::size_t first = n * plan.sample_values();
                     plan.scale(part, take_gate(plan, part, gates, n), values + first,
                                plan.at(plan.y) + first);
                   });
                 });
    context.set_value(id_, plan_.y);
    if (context.needs_gradient(from_)) context.will_read_back(gate_);
    if (context.needs_gradient(gate_)) context.will_read_back(from_);
  }

  void backward(LoweringContext& context) override {
    plan_.dy = context.gradient(id_);
    find_inputs(context, ".backward_sums");
    // Sample by sample, each read before it is written over.
    if (context.needs_gradient(from_)) context.has_read_back(gate_);
    if (context.needs_gradient(gate_)) context.has_read_back(from_);
    if (context.needs_gradient(from_)) {
      plan_.dx = context.can_overwrite_gradient(id_)
                     ? plan_.dy
                     : context.place_for_gradient(from_, name_ + ".input");
    }
    if (context.needs_gradient(gate_)) {
      plan_.dfactor = context.place_for_gradient(gate_, name_ + ".gate");
    }
    context.emit({plan_.x, plan_.factor, plan_.dy, plan_.dx, plan_.dfactor, plan_.scratch.buffer},
                 [plan = plan_](const RunContext& run) {
                   const T* values = values_at<T>(*plan.list, plan.x, run);
                   const T* gates = values_at<T>(*plan.list, plan.factor, run);
                   plan.for_samples([&](unsigned part, std::size_t n) {
                     go_back(plan, part, n, values, gates);
                   });
                 });
    if (plan_.dx != kNoBuffer) context.give_gradient(from_, plan_.dx);
    if (plan_.dfactor != kNoBuffer) context.give_gradient(gate_, plan_.dfactor);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void find_inputs(LoweringContext& context, const std::string& suffix) {
    plan_.x = context.value(from_);
    plan_.factor = context.value(gate_);
    plan_.scratch.lower(context, name_ + suffix, plan_.sample.channels);
  }
  static const float* take_gate(const ScalePlan<T>& plan, unsigned part, const T* gates,
                                std::size_t n) {
    float* const factors = plan.scratch.factors(part);
    std::transform(gates + n * plan.sample.channels, gates + (n + 1) * plan.sample.channels,
                   factors, [](T gate) { return to_float(gate); });
    return factors;
  }
  static void go_back(const ScalePlan<T>& plan, unsigned part, std::size_t n, const T* values,
                      const T* gates) {
    const std::size_t first = n * plan.sample_values();
    const T* dy = plan.at(plan.dy) + first;
    const float* factors = take_gate(plan, part, gates, n);
    if (plan.dfactor != kNoBuffer) {
      plan.scratch.clear_sums(part);
      plan.add_sums(part, values + first, dy);
      T* dfactor = plan.at(plan.dfactor) + n * plan.sample.channels;
      for (std::size_t c = 0; c < plan.sample.channels; ++c) {
        dfactor[c] = rounded_to<T>(static_cast<float>(plan.scratch.sum_gx(part)[c]));
      }
    }
    if (plan.dx != kNoBuffer) plan.scale(part, factors, dy, plan.at(plan.dx) + first);
  }

  NodeId id_;
  NodeId from_;
  NodeId gate_;
  std::string name_;
  ScalePlan<T> plan_;
};

}  // namespace

std::unique_ptr<Layer> make_channel_scale_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<ChannelScaleLayer>(model.compute, model.graph, node);
}

std::unique_ptr<Layer> make_gate_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<GateLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
