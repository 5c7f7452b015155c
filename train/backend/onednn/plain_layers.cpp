// Layers that only move values: ReLU alone, sums, global average pool, flatten.
#include <algorithm>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/nhwc_places.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

template <class T>
class ReluLayer final : public Layer {
 public:
  ReluLayer(const ModelGraph& graph, NodeId id)
      : id_(id), from_(graph.node(id).inputs.front()), name_(graph.node(id).name) {}

  void forward(LoweringContext& context) override {
    const BufferId x = context.value(from_);
    y_ = context.can_replace(x) ? x : context.add_output(id_, name_);
    context.emit({x, y_}, [=, y = y_, count = context.num_values(id_), &list = context.buffers,
                           threads = context.num_threads](const RunContext& run) {
      const T* from = values_at<T>(list, x, run);
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(count, threads, part);
        relu_forward(range.size(), from + range.begin, list.at<T>(y) + range.begin);
      });
    });
    context.set_value(id_, y_);
    if (context.needs_gradient(id_)) context.will_read_back(id_);
  }

  void backward(LoweringContext& context) override {
    const BufferId dy = context.gradient(id_);
    y_ = context.value(id_);
    context.has_read_back(id_);  // value by value: dx may take its place
    if (!context.needs_gradient(from_)) return;
    const BufferId dx = context.can_overwrite_gradient(id_)
                            ? dy
                            : context.place_for_gradient(from_, name_ + ".input");
    context.emit({y_, dy, dx}, [=, y = y_, count = context.num_values(id_), &list = context.buffers,
                                threads = context.num_threads](const RunContext&) {
      parallel(threads, [&](unsigned part) {
        const Range range = part_range(count, threads, part);
        relu_backward(range.size(), list.at<T>(y) + range.begin, list.at<T>(dy) + range.begin,
                      list.at<T>(dx) + range.begin);
      });
    });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  NodeId id_;
  NodeId from_;
  std::string name_;
  BufferId y_ = kNoBuffer;
};

/// Going back, every input's gradient is the output's.
template <class T>
class AddLayer final : public Layer {
 public:
  AddLayer(const ModelGraph& graph, NodeId id)
      : id_(id), inputs_(graph.node(id).inputs), name_(graph.node(id).name) {}

  void forward(LoweringContext& context) override {
    std::vector<BufferId> terms;
    for (const NodeId from : inputs_) terms.push_back(context.value(from));
    const bool is_in_place = context.can_replace(terms.front());
    const BufferId y = is_in_place ? terms.front() : context.add_output(id_, name_);
    std::vector<BufferId> uses = terms;
    uses.push_back(y);
    context.emit(uses, [=, count = context.num_values(id_), &list = context.buffers,
                        threads = context.num_threads](const RunContext& run) {
      T* sum = list.at<T>(y);
      for (std::size_t k = 1; k < terms.size(); ++k) {
        const T* before = k == 1 ? values_at<T>(list, terms.front(), run) : sum;
        const T* term = values_at<T>(list, terms[k], run);
        parallel(threads, [&](unsigned part) {
          const Range range = part_range(count, threads, part);
          add_values(range.size(), before + range.begin, term + range.begin, sum + range.begin);
        });
      }
    });
    context.set_value(id_, y);
  }

  void backward(LoweringContext& context) override {
    for (const NodeId from : inputs_) {
      if (context.needs_gradient(from)) context.give_gradient(from, context.gradient(id_));
    }
  }

  std::string explain() const override { return "own kernel, gradient handed on"; }

 private:
  NodeId id_;
  std::vector<NodeId> inputs_;
  std::string name_;
};

template <class T>
class GlobalAvgPoolLayer final : public Layer {
 public:
  GlobalAvgPoolLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        from_(graph.node(id).inputs.front()),
        name_(graph.node(id).name),
        input_(graph.node(from_).shape) {}

  void forward(LoweringContext& context) override {
    const BufferId x = context.value(from_);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, y},
                 [=, rows = Rows{input_.area(), input_.channels}, batch = context.batch(),
                  threads = context.num_threads, &list = context.buffers](const RunContext& run) {
                   const T* from = values_at<T>(list, x, run);
                   parallel(threads, [&](unsigned part) {
                     const Range samples = part_range(batch, threads, part);
                     for (std::size_t n = samples.begin; n < samples.end; ++n) {
                       mean_forward(rows, from + n * rows.num_rows * rows.channels,
                                    list.at<T>(y) + n * rows.channels);
                     }
                   });
                 });
    context.set_value(id_, y);
  }

  void backward(LoweringContext& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dy = context.gradient(id_);
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    context.emit({dy, dx},
                 [=, rows = Rows{input_.area(), input_.channels}, batch = context.batch(),
                  threads = context.num_threads, &list = context.buffers](const RunContext&) {
                   parallel(threads, [&](unsigned part) {
                     const Range samples = part_range(batch, threads, part);
                     for (std::size_t n = samples.begin; n < samples.end; ++n) {
                       mean_backward(rows, list.at<T>(dy) + n * rows.channels,
                                     list.at<T>(dx) + n * rows.num_rows * rows.channels);
                     }
                   });
                 });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel"; }

 private:
  NodeId id_;
  NodeId from_;
  std::string name_;
  TensorShape input_;
};

/// Row, column, channel to channel, row, column; nothing at all when there is one place only.
template <class T>
class FlattenLayer final : public Layer {
 public:
  FlattenLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        from_(graph.node(id).inputs.front()),
        name_(graph.node(id).name),
        input_(graph.node(from_).shape) {}

  void forward(LoweringContext& context) override {
    const BufferId x = context.value(from_);
    if (input_.is_flat()) return context.set_value(id_, x);
    const BufferId y = context.add_output(id_, name_);
    context.emit({x, y}, [=, input = input_, batch = context.batch(), threads = context.num_threads,
                          &list = context.buffers](const RunContext& run) {
      const T* from = values_at<T>(list, x, run);
      T* to = list.at<T>(y);
      parallel(threads, [&](unsigned part) {
        for_each_place(input, part_range(batch, threads, part),
                       [&](std::size_t nhwc, std::size_t nchw) { to[nchw] = from[nhwc]; });
      });
    });
    context.set_value(id_, y);
  }

  void backward(LoweringContext& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dy = context.gradient(id_);
    if (input_.is_flat()) return context.give_gradient(from_, dy);
    const BufferId dx = context.place_for_gradient(from_, name_ + ".input");
    context.emit(
        {dy, dx}, [=, input = input_, batch = context.batch(), threads = context.num_threads,
                   &list = context.buffers](const RunContext&) {
          const T* from = list.at<T>(dy);
          T* to = list.at<T>(dx);
          parallel(threads, [&](unsigned part) {
            for_each_place(input, part_range(batch, threads, part),
                           [&](std::size_t nhwc, std::size_t nchw) { to[nhwc] = from[nchw]; });
          });
        });
    context.give_gradient(from_, dx);
  }

  std::string explain() const override {
    return input_.is_flat() ? "nothing to do" : "own kernel, NHWC to CHW order";
  }

 private:
  NodeId id_;
  NodeId from_;
  std::string name_;
  TensorShape input_;
};


}  // namespace

std::unique_ptr<Layer> make_relu_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<ReluLayer>(model.compute, model.graph, node);
}
std::unique_ptr<Layer> make_add_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<AddLayer>(model.compute, model.graph, node);
}
std::unique_ptr<Layer> make_global_avg_pool_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<GlobalAvgPoolLayer>(model.compute, model.graph, node);
}
std::unique_ptr<Layer> make_flatten_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<FlattenLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
