// Layer norm over the channels of each place, in own kernels: a row's mean and deviation are computed while it is
// in the cache.
#include <algorithm>
#include <variant>

#include "train/backend/onednn/layer_norm_kernels.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/onednn/sample_norm_layer.h"

namespace penstock::train::onednn {

/// `sums` are by thread: double [2][channels], then float [2][channels].
template <class T>
struct LayerNormPlan : SampleNormBuffers {
  Rows rows;  // of the batch
  float epsilon = 0;

  static constexpr std::size_t kSumBytesPerChannel = 2 * sizeof(double) + 2 * sizeof(float);

  void set_sizes(const LoweringContext& context, NodeId id) {
    const Node& node = context.graph.node(id);
    rows = {context.batch() * node.shape.area(), node.shape.channels};
    epsilon = static_cast<float>(std::get<LayerNormOp>(node.op).epsilon);
  }
  static constexpr std::size_t forward_sum_bytes() { return 0; }
  std::size_t backward_sum_bytes() const {
    return num_threads * rows.channels * kSumBytesPerChannel;
  }

  T* at(BufferId buffer) const { return list->at<T>(buffer); }
  RowNorm norm() const {
    return {list->at<float>(scale.master), list->at<float>(shift.master), epsilon};
  }
  double* sums_of(unsigned part) const {
    return reinterpret_cast<double*>(list->at<std::byte>(sums) +
                                     part * rows.channels * kSumBytesPerChannel);
  }

  void forward(const T* values) const {
    parallel(num_threads, [&](unsigned part) {
      const Range range = part_range(rows.num_rows, num_threads, part);
      const std::size_t first = range.begin * rows.channels;
      layer_norm_forward({range.size(), rows.channels}, norm(), values + first, at(y) + first);
    });
  }

  void backward(const T* values) const {
    const std::size_t channels = rows.channels;
    parallel(num_threads, [&](unsigned part) {
      const Range range = part_range(rows.num_rows, num_threads, part);
      const std::size_t first = range.begin * channels;
      double* const mine = sums_of(part);
      std::fill_n(mine, 2 * channels, 0.0);
      layer_norm_backward({range.size(), channels}, norm(), values + first, at(dy) + first,
                          dx == kNoBuffer ? nullptr : at(dx) + first,
                          {.of_run = reinterpret_cast<float*>(mine + 2 * channels),
                           .dscale = mine,
                           .dshift = mine + channels});
    });
    take_total(scale, channels, [&](unsigned part) { return sums_of(part); });
    take_total(shift, channels, [&](unsigned part) { return sums_of(part) + channels; });
  }
};

template <class T>
using LayerNormLayer = SampleNormLayer<LayerNormPlan, T>;

std::unique_ptr<Layer> make_layer_norm_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<LayerNormLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
