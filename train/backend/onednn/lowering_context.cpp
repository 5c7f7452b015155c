#include "train/backend/onednn/lowering_context.h"

#include <memory>

#include "train/backend/lowering_check.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {

LoweringContext::LoweringContext(const ModelGraph& model, const Lowering& how, const OneDnn& lib,
                                 ParameterStore& params, BufferList& list, LoweredTasks& out,
                                 unsigned threads)
    : ValueFlow(model, how, list), library(lib), store(params), num_threads(threads), tasks_(out) {}

void LoweringContext::emit_sum(BufferId a, BufferId b, BufferId sum, std::size_t count) {
  emit({a, b, sum}, compute() == ComputeType::kBfloat16 ? sum_task<Bfloat16>(a, b, sum, count)
                                                        : sum_task<float>(a, b, sum, count));
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

void LoweringContext::emit(std::span<const BufferId> uses, Task task) {
  use_all(uses);
  end_task();
  auto& list = phase() == Phase::kForward    ? tasks_.forward
               : phase() == Phase::kBackward ? tasks_.backward
                                             : tasks_.update;
  list.push_back({std::move(task), node_now(), pass_now()});
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
  end_task();
  tasks_.refreshes.push_back(
      {&stored, copy, {std::move(task), node_now(), LayerPass::kWeightCopy}});
  return buffer;
}

}  // namespace penstock::train::onednn
