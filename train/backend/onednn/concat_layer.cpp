// Channels side by side: each place's row is put together from the inputs' rows, and its gradient cut again.
#include <algorithm>

#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {
namespace {

template <class T>
class ConcatLayer final : public Layer {
 public:
  ConcatLayer(const ModelGraph& graph, NodeId id)
      : id_(id),
        inputs_(graph.node(id).inputs),
        name_(graph.node(id).name),
        channels_(graph.node(id).shape.channels) {
    for (const NodeId from : inputs_) widths_.push_back(graph.node(from).shape.channels);
  }

  void forward(LoweringContext& context) override {
    std::vector<BufferId> uses;
    for (const NodeId from : inputs_) uses.push_back(context.value(from));
    const BufferId y = context.add_output(id_, name_);
    uses.push_back(y);
    context.emit(uses, [=, widths = widths_, channels = channels_, sources = uses,
                        num_rows = context.num_values(id_) / channels_, &list = context.buffers,
                        threads = context.num_threads](const RunContext& run) {
      parallel(threads, [&](unsigned part) {
        const Range rows = part_range(num_rows, threads, part);
        std::size_t before = 0;  // channels of earlier inputs
        for (std::size_t k = 0; k < widths.size(); ++k) {
          copy_rows(rows, widths[k], {values_at<T>(list, sources[k], run), widths[k]},
                    {list.at<T>(y) + before, channels});
          before += widths[k];
        }
      });
    });
    context.set_value(id_, y);
  }

  void backward(LoweringContext& context) override {
    const BufferId dy = context.gradient(id_);
    std::size_t before = 0;
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      if (context.needs_gradient(inputs_[k])) cut(context, dy, k, before);
      before += widths_[k];
    }
  }

  std::string explain() const override { return "own kernel, rows copied"; }

 private:
  /// Rows that begin `step` values apart.
  template <class Value>
  struct Strided {
    Value* first;
    std::size_t step;
  };

  static void copy_rows(Range rows, std::size_t width, Strided<const T> from, Strided<T> to) {
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      std::copy_n(from.first + row * from.step, width, to.first + row * to.step);
    }
  }

  void cut(LoweringContext& context, BufferId dy, std::size_t k, std::size_t before) const {
    const BufferId dx =
        context.place_for_gradient(inputs_[k], name_ + ".input" + std::to_string(k));
    context.emit({dy, dx}, [=, width = widths_[k], channels = channels_,
                            num_rows = context.num_values(id_) / channels_, &list = context.buffers,
                            threads = context.num_threads](const RunContext&) {
      parallel(threads, [&](unsigned part) {
        copy_rows(part_range(num_rows, threads, part), width, {list.at<T>(dy) + before, channels},
                  {list.at<T>(dx), width});
      });
    });
    context.give_gradient(inputs_[k], dx);
  }

  NodeId id_;
  std::vector<NodeId> inputs_;
  std::string name_;
  std::size_t channels_;
  std::vector<std::size_t> widths_;
};

}  // namespace

std::unique_ptr<Layer> make_concat_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<ConcatLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
