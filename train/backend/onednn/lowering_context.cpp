#include "train/backend/onednn/lowering_context.h"

#include <memory>

#include "train/backend/lowering_check.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {

LoweringContext::LoweringContext(const ModelGraph& model, const Lowering& how, const OneDnn& lib,
                                 ParameterStore& params, BufferList& list, LoweredTasks& out,
                                 unsigned threads)
    : graph(model),
      lowering(how),
      library(lib),
      store(params),
      buffers(list),
      num_threads(threads),
      flow(gradient_flow(model, how)),
      tasks_(out),
      values_(model.nodes().size(), kNoBuffer),
      gradients_(model.nodes().size(), kNoBuffer),
      is_dropped_(model.nodes().size(), false),
      dropped_reads_(model.nodes().size(), 0) {
  set_value(model.input(), kPixels);
}

void LoweringContext::set_value(NodeId id, BufferId buffer) {
  values_.at(id) = buffer;
  is_dropped_[id] = lowering.is_recomputed(id) && !is_again_;
  if (is_again_) {
    back_reads_[buffer] += dropped_reads_[id];
  } else {
    reads_[buffer] += graph.readers_of(id).size();
  }
}

bool LoweringContext::can_replace(BufferId buffer) const {
  if (is_again_) return false;
  const auto back = back_reads_.find(buffer);
  return buffer != kPixels && reads_.at(buffer) == 1 &&
         (back == back_reads_.end() || back->second == 0);
}

void LoweringContext::has_read(NodeId id) {
  --reads_.at(value(id));
}

void LoweringContext::will_read_back(NodeId id) {
  if (is_again_) return;  // was said before
  ++(is_dropped(id) ? dropped_reads_[id] : back_reads_[value(id)]);
  new_back_reads_.push_back(id);
}

void LoweringContext::has_read_back(NodeId id) {
  will_not_read_back(id);
  read_back_.insert(value(id));
}

void LoweringContext::will_not_read_back(NodeId id) {
  --(is_dropped(id) ? dropped_reads_[id] : back_reads_[value(id)]);
}

BufferId LoweringContext::place_for_gradient(NodeId id, const std::string& name) {
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

void LoweringContext::give_gradient(NodeId id, BufferId buffer) {
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
  const std::size_t count = num_values(id);
  emit({before, buffer, whole}, compute() == ComputeType::kBfloat16
                                    ? sum_task<Bfloat16>(before, buffer, whole, count)
                                    : sum_task<float>(before, buffer, whole, count));
}

template <class T>
Task LoweringContext::sum_task(BufferId a, BufferId b, BufferId sum, std::size_t count) const {
  return [=, &list = buffers, threads = num_threads](const RunContext&) {
    parallel(threads, [&](unsigned part) {
      const Range range = part_range(count, threads, part);
      add_values(range.size(), list.at<T>(a) + range.begin, list.at<T>(b) + range.begin,
                 list.at<T>(sum) + range.begin);
    });
  };
}

void LoweringContext::finish_gradient(NodeId id) {
  const BufferId buffer = gradients_.at(id);
  if (buffer != kNoBuffer) --holders_[buffer];
}

void LoweringContext::use(BufferId buffer) {
  if (buffer != kPixels) buffers.use(buffer, step_);
}

void LoweringContext::emit(std::span<const BufferId> uses, Task task) {
  for (const BufferId buffer : uses) use(buffer);
  ++step_;
  auto& list = phase_ == Phase::kForward    ? tasks_.forward
               : phase_ == Phase::kBackward ? tasks_.backward
                                            : tasks_.update;
  list.push_back({std::move(task), now_.first, now_.second});
}

void LoweringContext::emit_primitive(const std::string& name, PreparedOp op,
                                     std::initializer_list<std::pair<Arg, BufferId>> args) {
  Task task = prepare(name, std::move(op), args);
  emit(std::span<const BufferId>(), std::move(task));
}

Task LoweringContext::prepare(const std::string& name, PreparedOp op,
                              std::initializer_list<std::pair<Arg, BufferId>> args) {
  // Shared by the binder and the task, which live in the same program.
  const auto shared = std::make_shared<PreparedOp>(std::move(op));
  std::vector<std::pair<Arg, BufferId>> placed(args);
  if (shared->scratchpad_bytes() > 0) {
    placed.emplace_back(
        Arg::kScratchpad,
        buffers.add(name + suffix() + ".scratchpad", Role::kWorkspace, shared->scratchpad_bytes()));
  }
  bool reads_pixels = false;
  for (const auto& [arg, buffer] : placed) {
    use(buffer);
    reads_pixels = reads_pixels || buffer == kPixels;
  }
  tasks_.binders.push_back([shared, placed, &list = buffers] {
    for (const auto& [arg, buffer] : placed) {
      if (buffer != kPixels) shared->set(arg, list.at<void>(buffer));
    }
  });
  if (!reads_pixels) return [shared](const RunContext&) { shared->run(); };
  return [shared](const RunContext& run) {
    shared->set(Arg::kSrc, const_cast<std::byte*>(run.batch->pixels));  // a source: only read
    shared->run();
  };
}

StoredParam& LoweringContext::read_param(std::size_t param_idx) const {
  return takes_ema(graph, param_idx, lowering) ? store.ema(param_idx) : store.param(param_idx);
}

ParamBuffers LoweringContext::add_param(std::size_t param_idx) {
  const StoredParam& stored = store.param(param_idx);
  const std::size_t bytes = stored.stored_bytes();
  ParamBuffers param = add_param_buffers(buffers,
                                         {.parameter = graph.parameters()[param_idx],
                                          .bytes = bytes,
                                          .learns = flow.learns[param_idx],
                                          .reads_ema = takes_ema(graph, param_idx, lowering)},
                                         lowering);
  if (flow.learns[param_idx]) {
    param.grad = buffers.add(part_name(stored.name, "grad"), Role::kGrad, bytes);
    if (lowering.accumulates) {
      param.grad_sum = buffers.add(part_name(stored.name, "grad.sum"), Role::kGradSum, bytes);
    }
  }
  params_.emplace_back(param_idx, param);
  return param;
}

BufferId LoweringContext::weight_in(std::size_t param_idx, const ParamBuffers& param,
                                    const WeightLayout& wanted) {
  StoredParam& stored = read_param(param_idx);
  const std::shared_ptr<WeightCopy> copy = stored.copy_in(wanted);
  if (copy == nullptr) return param.master;
  for (const auto& [known, buffer] : copies_) {
    if (known == copy.get()) return buffer;
  }
  const BufferId buffer = buffers.add(copy->buffer_name, Role::kDerived, wanted.bytes());
  copies_.emplace_back(copy.get(), buffer);
  Task task = prepare(copy->buffer_name, library.reorder(stored.layout, wanted),
                      {{Arg::kSrc, param.master}, {Arg::kDst, buffer}});
  ++step_;
  tasks_.refreshes.push_back(
      {&stored, copy, {std::move(task), now_.first, LayerPass::kWeightCopy}});
  return buffer;
}

}  // namespace penstock::train::onednn
