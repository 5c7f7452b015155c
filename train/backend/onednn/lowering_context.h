// What a layer sees while its graph is lowered: values and gradients of nodes, buffers to ask for, and a
// place to put the work it prepares. Tasks run in the order in which they were emitted.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/buffer_list.h"
#include "train/backend/onednn/onednn_shim.h"
#include "train/backend/onednn/parameter_store.h"
#include "train/backend/param_buffers.h"
#include "train/backend/step_clock.h"
#include "train/backend/value_flow.h"

namespace penstock::train::onednn {

/// What tasks of one run may look at.
struct RunContext {
  const BatchView* batch = nullptr;
  const StepScalars* scalars = nullptr;
  StepReport* report = nullptr;  // forward only
  bool adds = false;             // Phase::kBackwardAdd
};

using Task = std::function<void(const RunContext&)>;

/// A task, and whose time it takes.
struct LayerTask {
  Task run;
  NodeId node;
  LayerPass pass;
};

/// Brings one weight copy up to date.
struct Refresh {
  StoredParam* param;
  std::shared_ptr<WeightCopy> copy;  // shared with the store
  LayerTask task;
};

struct LoweredTasks {
  std::vector<Refresh> refreshes;
  std::vector<LayerTask> forward;
  std::vector<LayerTask> backward;
  std::vector<LayerTask> update;
  std::vector<std::function<void()>> binders;  // run once, when the buffers have places
};

class LoweringContext final : public ValueFlow {
 public:
  LoweringContext(const ModelGraph& model, const Lowering& how, const OneDnn& lib,
                  ParameterStore& params, BufferList& list, LoweredTasks& out, unsigned threads);

  const OneDnn& library;
  ParameterStore& store;
  const unsigned num_threads;

  /// Adds work to the current phase; `uses` are all the buffers that it reads or writes.
  void emit(std::span<const BufferId> uses, Task task);
  void emit(std::initializer_list<BufferId> uses, Task task) {
    emit(std::span(uses.begin(), uses.size()), std::move(task));
  }
  void emit_primitive(const std::string& name, PreparedOp op,
                      std::initializer_list<std::pair<Arg, BufferId>> args);

  /// The parameter whose values this program reads: the mean over the steps with Lowering::reads_ema.
  StoredParam& read_param(std::size_t param_idx) const;
  /// Adds the buffers of a parameter once its layout in the store is settled.
  ParamBuffers add_param(std::size_t param_idx);
  /// Returns the buffer that holds a weight in `wanted`: the master, or a copy kept up to date.
  BufferId weight_in(std::size_t param_idx, const ParamBuffers& param, const WeightLayout& wanted);

  const std::vector<std::pair<std::size_t, ParamBuffers>>& params() const { return params_; }

 private:
  void emit_sum(BufferId a, BufferId b, BufferId sum, std::size_t count) override;
  Task prepare(const std::string& name, PreparedOp op,
               std::initializer_list<std::pair<Arg, BufferId>> args);
  template <class T>
  Task sum_task(BufferId a, BufferId b, BufferId sum, std::size_t count) const;

  LoweredTasks& tasks_;
  std::vector<std::pair<std::size_t, ParamBuffers>> params_;
  std::vector<std::pair<const WeightCopy*, BufferId>> copies_;
};

}  // namespace penstock::train::onednn
