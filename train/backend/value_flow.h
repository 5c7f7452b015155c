// Where the values and gradients of a graph's nodes lie while a backend lowers it, who still reads them, and which
// buffers may be written over. Knows neither what computes them nor a device.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/buffer_list.h"
#include "train/backend/gradient_flow.h"
#include "train/backend/step_clock.h"

namespace penstock::train {

/// Stands for the batch's own pixels, read in place; never written.
inline constexpr BufferId kPixels = kNoBuffer - 1;

/// The order in which a backend calls it is lowering_passes.h.
class ValueFlow {
 public:
  ValueFlow(const ModelGraph& model, const Lowering& how, BufferList& list);
  virtual ~ValueFlow() = default;

  const ModelGraph& graph;
  const Lowering& lowering;
  BufferList& buffers;
  const GradientFlow flow;

  bool is_training() const { return lowering.mode == Mode::kTrain; }
  std::size_t batch() const { return lowering.batch; }
  ComputeType compute() const { return lowering.compute; }
  std::size_t value_bytes(const TensorShape& shape) const {
    return batch() * shape.num_elements() * element_bytes(element_type_of(compute()));
  }
  std::size_t float_bytes(const TensorShape& shape) const {
    return batch() * shape.num_elements() * sizeof(float);
  }
  std::size_t value_bytes(NodeId id) const { return value_bytes(graph.node(id).shape); }
  std::size_t num_values(NodeId id) const { return batch() * graph.node(id).shape.num_elements(); }
  bool has_fixed_norm(NodeId id) const { return lowering.has_fixed_norm(id); }

  /// Adds a buffer for values that the backward pass may read. Those that it computes again are not saved for it.
  BufferId add_value(const std::string& name, std::size_t bytes) {
    const bool is_saved = is_training() && !is_again_;
    return buffers.add(name + suffix(), is_saved ? Role::kSaved : Role::kTransient, bytes);
  }
  BufferId add_transient(const std::string& name, std::size_t bytes) {
    return buffers.add(name + suffix(), Role::kTransient, bytes);
  }
  /// Adds the buffer for the values of `id`.
  BufferId add_output(NodeId id, const std::string& name) {
    const bool is_passing = lowering.is_recomputed(id) && !is_again_;
    return is_passing ? add_transient(name, value_bytes(id)) : add_value(name, value_bytes(id));
  }

  // Values going forward.
  BufferId value(NodeId id) const { return values_.at(id); }
  void set_value(NodeId id, BufferId buffer);
  /// Whether the one that reads `buffer` now may write over it: the last to read it, back pass included.
  bool can_replace(BufferId buffer) const;
  /// Says that a layer is done with the values of `id` for the forward pass.
  void has_read(NodeId id);

  /// What the loss reads and readers are given, float32 whatever the type of the other values.
  BufferId logits = kNoBuffer;

  // Values going back.
  /// Says that a backward task will read the values of `id`, which have a buffer, so that nobody writes over them
  /// before.
  void will_read_back(NodeId id);
  /// Says that the tasks emitted so far were the last of the caller's to read them.
  void has_read_back(NodeId id);
  /// Says that the caller will not read them after all.
  void will_not_read_back(NodeId id);
  /// Returns the nodes of will_read_back() since the last call.
  std::vector<NodeId> take_back_reads() { return std::exchange(new_back_reads_, {}); }
  /// Whether the values were left to be computed again, and have not been yet.
  bool is_dropped(NodeId id) const { return is_dropped_.at(id); }
  /// Between the two, layers emit tasks that compute dropped values again, as part of the backward pass.
  void begin_again() { is_again_ = true; }
  void end_again() { is_again_ = false; }

  // Gradients by the values of nodes.
  bool needs_gradient(NodeId id) const { return flow.needs_gradient[id]; }
  /// All that was given, once every reader of the node has been lowered going back.
  BufferId gradient(NodeId id) const { return gradients_.at(id); }
  /// Whether the gradient's only holder may write over it.
  bool can_overwrite_gradient(NodeId id) const { return holders_.at(gradient(id)) == 1; }
  /// Where to write a part of the gradient by the values of `id`: over the values themselves when the backward pass
  /// has read them for the last time, else a new buffer.
  BufferId place_for_gradient(NodeId id, const std::string& name);
  /// Adds the part in `buffer` to the gradient by the values of `id`; it may be held by other nodes, too.
  void give_gradient(NodeId id, BufferId buffer);
  /// Says that the layer that ends with `id` has been lowered going back.
  void finish_gradient(NodeId id);

  void start_phase(Phase phase) { phase_ = phase; }
  /// Says whose time the tasks take that are emitted from now on.
  void start_pass(NodeId node, LayerPass pass) { now_ = {node, pass}; }
  /// Says that the buffer still holds something at the next task.
  void use(BufferId buffer);

 protected:
  /// Emits sum = a + b, of so many values; `sum` may be `a`.
  virtual void emit_sum(BufferId a, BufferId b, BufferId sum, std::size_t count) = 0;

  /// Says that the next task reads or writes these.
  void use_all(std::span<const BufferId> uses) {
    for (const BufferId buffer : uses) use(buffer);
  }
  /// After each task.
  void end_task() { ++step_; }
  Phase phase() const { return phase_; }
  NodeId node_now() const { return now_.first; }
  LayerPass pass_now() const { return now_.second; }
  const char* suffix() const { return is_again_ ? ".again" : ""; }

 private:
  Phase phase_ = Phase::kForward;
  std::pair<NodeId, LayerPass> now_ = {kAllNodes, LayerPass::kForward};
  bool is_again_ = false;
  std::uint32_t step_ = 0;
  std::vector<BufferId> values_;           // by node
  std::vector<BufferId> gradients_;        // by node
  std::map<BufferId, std::size_t> reads_;  // forward reads to come
  std::map<BufferId, std::size_t> back_reads_;
  std::set<BufferId> read_back_;            // by a backward task already
  std::vector<bool> is_dropped_;            // by node
  std::vector<std::size_t> dropped_reads_;  // by node: reads to come once it is computed again
  std::vector<NodeId> new_back_reads_;
  std::map<BufferId, std::size_t> holders_;  // nodes of which a buffer is the gradient
};

}  // namespace penstock::train
