#include "train/backend/onednn/lowering_context.h"

#include <memory>

namespace penstock::train::onednn {

void LoweringContext::use(BufferId buffer) {
  if (buffer != kPixels) buffers.use(buffer, step_);
}

void LoweringContext::emit(std::initializer_list<BufferId> uses, Task task) {
  for (const BufferId buffer : uses) use(buffer);
  ++step_;
  auto& list = phase_ == Phase::kForward    ? tasks_.forward
               : phase_ == Phase::kBackward ? tasks_.backward
                                            : tasks_.update;
  list.push_back(std::move(task));
}

void LoweringContext::emit_primitive(const std::string& name, PreparedOp op,
                                     std::initializer_list<std::pair<Arg, BufferId>> args) {
  Task task = prepare(name, std::move(op), args);
  emit({}, std::move(task));
}

Task LoweringContext::prepare(const std::string& name, PreparedOp op,
                              std::initializer_list<std::pair<Arg, BufferId>> args) {
  // Shared by the binder and the task, which live in the same program.
  const auto shared = std::make_shared<PreparedOp>(std::move(op));
  std::vector<std::pair<Arg, BufferId>> placed(args);
  if (shared->scratchpad_bytes() > 0) {
    placed.emplace_back(Arg::kScratchpad, buffers.add(name + ".scratchpad", Role::kWorkspace,
                                                      shared->scratchpad_bytes()));
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

ParamBuffers LoweringContext::add_param(std::size_t param_idx) {
  const StoredParam& stored = store.param(param_idx);
  const bool is_trainable = graph.parameters()[param_idx].is_trainable;
  const std::size_t bytes = stored.stored_bytes();
  ParamBuffers param;
  param.master = buffers.add(stored.name, is_trainable ? Role::kMaster : Role::kStats, bytes);
  if (is_training() && is_trainable) {
    param.momentum = buffers.add(stored.name + ".momentum", Role::kState, bytes);
    param.grad = buffers.add(stored.name + ".grad", Role::kGrad, bytes);
  }
  params_.emplace_back(param_idx, param);
  return param;
}

BufferId LoweringContext::weight_in(std::size_t param_idx, const ParamBuffers& param,
                                    const WeightLayout& wanted) {
  StoredParam& stored = store.param(param_idx);
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
  tasks_.refreshes.push_back({&stored, copy, std::move(task)});
  return buffer;
}

}  // namespace penstock::train::onednn
