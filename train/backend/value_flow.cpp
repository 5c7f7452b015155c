#include "train/backend/value_flow.h"

namespace penstock::train {

ValueFlow::ValueFlow(const ModelGraph& model, const Lowering& how, BufferList& list)
    : graph(model),
      lowering(how),
      buffers(list),
      flow(gradient_flow(model, how)),
      values_(model.nodes().size(), kNoBuffer),
      gradients_(model.nodes().size(), kNoBuffer),
      is_dropped_(model.nodes().size(), false),
      dropped_reads_(model.nodes().size(), 0) {
  set_value(model.input(), kPixels);
}

void ValueFlow::set_value(NodeId id, BufferId buffer) {
  values_.at(id) = buffer;
  is_dropped_[id] = lowering.is_recomputed(id) && !is_again_;
  if (is_again_) {
    back_reads_[buffer] += dropped_reads_[id];
  } else {
    reads_[buffer] += graph.readers_of(id).size();
  }
}

bool ValueFlow::can_replace(BufferId buffer) const {
  if (is_again_) return false;
  const auto back = back_reads_.find(buffer);
  return buffer != kPixels && reads_.at(buffer) == 1 &&
         (back == back_reads_.end() || back->second == 0);
}

void ValueFlow::has_read(NodeId id) {
  --reads_.at(value(id));
}

void ValueFlow::will_read_back(NodeId id) {
  if (is_again_) return;  // was said before
  ++(is_dropped(id) ? dropped_reads_[id] : back_reads_[value(id)]);
  new_back_reads_.push_back(id);
}

void ValueFlow::has_read_back(NodeId id) {
  will_not_read_back(id);
  read_back_.insert(value(id));
}

void ValueFlow::will_not_read_back(NodeId id) {
  --(is_dropped(id) ? dropped_reads_[id] : back_reads_[value(id)]);
}

BufferId ValueFlow::place_for_gradient(NodeId id, const std::string& name) {
  const BufferId values = value(id);
  const auto back = back_reads_.find(values);
  const bool is_read = back != back_reads_.end() && back->second > 0;
  const bool is_taken = holders_.contains(values);  // by a gradient, or a part of one
  const bool is_there = values != kPixels && read_back_.contains(values);
  if (!is_read && !is_taken && is_there && buffers.bytes(values) >= value_bytes(id)) {
    holders_[values] = 0;
    return values;
  }
  return add_transient(name + ".grad", value_bytes(id));
}

void ValueFlow::give_gradient(NodeId id, BufferId buffer) {
  BufferId& whole = gradients_.at(id);
  if (whole == kNoBuffer) {
    whole = buffer;
    ++holders_[buffer];
    return;
  }
  // What another node holds, too, stays as it is.
  const bool is_shared = holders_.at(whole) > 1;
  const BufferId before = whole;
  if (is_shared) {
    --holders_[before];
    whole = add_transient(graph.node(id).name + ".grad.sum", value_bytes(id));
    ++holders_[whole];
  }
  emit_sum(before, buffer, whole, num_values(id));
}

void ValueFlow::finish_gradient(NodeId id) {
  const BufferId buffer = gradients_.at(id);
  if (buffer != kNoBuffer) --holders_[buffer];
}

void ValueFlow::use(BufferId buffer) {
  if (buffer != kPixels) buffers.use(buffer, step_);
}

}  // namespace penstock::train
