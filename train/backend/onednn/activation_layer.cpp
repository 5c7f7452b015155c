// Activations alone, other than ReLU, and products of two tensors of one shape: value by value, on runs of
// the buffer in parallel.
#include <variant>

#include "train/backend/onednn/activation_kernels.h"
#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

/// Going back, the slope follows from the input: that of silu or gelu is not known from the output.
template <class T>
class ActivationLayer final : public Layer {
 public:
  ActivationLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        from_(graph.node(id).inputs.front()),
        name_(graph.node(id).name),
        op_(std::get<ActivationOp>(graph.node(id).op)) {}

  void forward(LoweringContext& context) override {
    const bool goes_back = context.needs_gradient(id_);
    const BufferId x = context.value(from_);
    const BufferId y = !goes_back && context.can_replace(x) ? x : context.add_output(id_, name_);
    context.emit({x, y}, [=, op = op_, count = context.num_values(id_), &list = context.buffers,
                          threads = context.num_threads](const RunContext& run) {
      const T* from = values_at<T>(list, x, run);
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(count, threads, part);
        activate(op, range.size(), from + range.begin, list.at<T>(y) + range.begin);
      });
    });
    context.set_value(id_, y);
    if (goes_back) context.will_read_back(from_);
  }

  void backward(LoweringContext& context) override {
    const BufferId dy = context.gradient(id_);
    const BufferId x = context.value(from_);
    context.has_read_back(from_);  // value by value: dx may take its place
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = context.can_overwrite_gradient(id_)
                            ? dy
                            : context.place_for_gradient(from_, name_ + ".input");
    context.emit(
        {x, dy, dx}, [=, op = op_, count = context.num_values(id_), &list = context.buffers,
                      threads = context.num_threads](const RunContext& run) {
          const T* from = values_at<T>(list, x, run);
          parallel(threads, [&](unsigned part) {
            const Range range = part_range(count, threads, part);
            activation_gradient(op, range.size(), from + range.begin, list.at<T>(dy) + range.begin,
                                list.at<T>(dx) + range.begin);
          });
        });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  NodeId id_;
  NodeId from_;
  std::string name_;
  ActivationOp op_;
};

template <class T>
class ProductLayer final : public Layer {
 public:
  ProductLayer(const ModelGraph& graph, NodeId id)
      : id_(id), inputs_(graph.node(id).inputs), name_(graph.node(id).name) {}

  void forward(LoweringContext& context) override {
    const BufferId y = context.add_output(id_, name_);
    emit_product(context, context.value(inputs_[0]), context.value(inputs_[1]), y);
    context.set_value(id_, y);
    for (const std::size_t k : {0u, 1u}) {
      if (context.needs_gradient(inputs_[1 - k])) context.will_read_back(inputs_[k]);
    }
  }

  void backward(LoweringContext& context) override {
    const BufferId dy = context.gradient(id_);
    // Both factors are read before either's place is given away.
    BufferId dx[2] = {kNoBuffer, kNoBuffer};
    for (const std::size_t k : {0u, 1u}) {
      const NodeId other = inputs_[1 - k];
      if (!context.needs_gradient(inputs_[k])) continue;
      const std::string suffix = ".dx" + std::to_string(k) + ".grad";
      dx[k] = context.add_transient(name_ + suffix, context.value_bytes(inputs_[k]));
      emit_product(context, dy, context.value(other), dx[k]);
      context.has_read_back(other);
    }
    for (const std::size_t k : {0u, 1u}) {
      if (dx[k] != kNoBuffer) context.give_gradient(inputs_[k], dx[k]);
    }
  }

  std::string explain() const override { return "own NHWC kernels"; }

 private:
  void emit_product(LoweringContext& context, BufferId a, BufferId b, BufferId product) const {
    context.emit({a, b, product}, [=, count = context.num_values(id_), &list = context.buffers,
                                   threads = context.num_threads](const RunContext& run) {
      const T* left = values_at<T>(list, a, run);
      const T* right = values_at<T>(list, b, run);
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(count, threads, part);
        multiply_values(range.size(), left + range.begin, right + range.begin,
                        list.at<T>(product) + range.begin);
      });
    });
  }

  NodeId id_;
  std::vector<NodeId> inputs_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Layer> make_activation_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<ActivationLayer>(model.compute, model.graph, node);
}

std::unique_ptr<Layer> make_product_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<ProductLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
