// Dropout of values and of whole samples.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "train/backend/onednn/dropout_kernels.h"
#include "train/backend/onednn/layer.h"
#include "train/backend/onednn/parallel.h"
#include "train/graph/train_draws.h"

namespace penstock::train::onednn {
namespace {

/// Draws by canonical element, so that every layout drops the same ones.
template <class T>
class DropoutLayer final : public Layer {
 public:
  DropoutLayer(const ModelGraph& graph, NodeId id)
      : name_(graph.node(id).name),
        shape_(graph.node(id).shape),
        id_(id),
        from_(graph.node(id).inputs.front()),
        op_(std::get<DropoutOp>(graph.node(id).op)) {}

  void forward(LoweringContext& context) override {
    const BufferId x = context.value(from_);
    if (!context.is_training()) return context.set_value(id_, x);
    const BufferId y = context.add_output(id_, name_);
    emit_mask(context, x, y);
    context.set_value(id_, y);
  }

  void backward(LoweringContext& context) override {
    if (!context.needs_gradient(from_)) return;
    const BufferId dy = context.gradient(id_);
    const BufferId dx = context.can_overwrite_gradient(id_)
                            ? dy
                            : context.place_for_gradient(from_, name_ + ".input");
    emit_mask(context, dy, dx);
    context.give_gradient(from_, dx);
  }

  std::string explain() const override { return "own kernel, mask drawn again going back"; }

 private:
  std::size_t num_values() const { return shape_.num_elements(); }
  /// A byte for each value of a sample, in whole blocks of draws.
  std::size_t mask_bytes() const {
    return (num_values() + kDropoutBlock - 1) / kDropoutBlock * kDropoutBlock;
  }

  void emit_mask(LoweringContext& context, BufferId from, BufferId to) const {
    const BufferId masks =
        context.add_transient(name_ + ".mask", context.num_threads * mask_bytes());
    context.emit({from, to, masks},
                 [=, layer = *this, batch = context.batch(), &list = context.buffers,
                  threads = context.num_threads](const RunContext& run) {
                   const T* source = values_at<T>(list, from, run);
                   parallel(threads, [&](unsigned part) {
                     std::uint8_t* kept = list.at<std::uint8_t>(masks) + part * layer.mask_bytes();
                     const Range samples = part_range(batch, threads, part);
                     for (std::size_t n = samples.begin; n < samples.end; ++n) {
                       const std::size_t first = n * layer.num_values();
                       layer.draw_sample(*run.scalars, run.scalars->place_in_step(n), kept);
                       scale_kept(layer.num_values(), kept, layer.scale(), source + first,
                                  list.at<T>(to) + first);
                     }
                   });
                 });
  }

  float scale() const { return static_cast<float>(1.0 / (1.0 - op_.rate)); }

  /// Sets the mask of a sample, HWC.
  void draw_sample(const StepScalars& scalars, std::uint32_t sample, std::uint8_t* kept) const {
    const DropoutDraws draws{.seed = scalars.seed,
                             .step = scalars.step,
                             .sample_idx = sample,
                             .node = id_,
                             .threshold = dropout_threshold(op_.rate)};
    if (op_.drops_samples) {
      const auto words = dropout_words(draws.seed, draws.step, sample, id_, 0);
      std::fill_n(kept, num_values(), words[0] >= draws.threshold ? 1 : 0);
    } else if (shape_.height * shape_.width == 1) {
      for (std::size_t first = 0; first < num_values(); first += kDropoutBlock) {
        draw_kept(draws, first / kDropoutBlock, kept + first);
      }
    } else {
      draw_planes(draws, kept);
    }
  }

  /// Draws go by plane, values lie by place.
  void draw_planes(const DropoutDraws& draws, std::uint8_t* kept) const {
    const std::size_t area = std::size_t{shape_.height} * shape_.width;
    std::array<std::uint8_t, kDropoutBlock> drawn;
    std::size_t channel = 0;
    std::size_t place = 0;
    for (std::size_t first = 0; first < num_values(); first += kDropoutBlock) {
      draw_kept(draws, first / kDropoutBlock, drawn.data());
      const std::size_t num_drawn = std::min(num_values() - first, kDropoutBlock);
      for (std::size_t i = 0; i < num_drawn; ++i) {
        kept[place * shape_.channels + channel] = drawn[i];
        if (++place < area) continue;
        place = 0;
        ++channel;
      }
    }
  }

  std::string name_;
  TensorShape shape_;
  NodeId id_;
  NodeId from_;
  DropoutOp op_;
};

}  // namespace

std::unique_ptr<Layer> make_dropout_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<DropoutLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
