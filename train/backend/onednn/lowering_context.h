// What a layer sees while its graph is lowered: buffers to ask for, and a place to put the work it
// prepares. Tasks run in the order in which they were emitted.
#pragma once

#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/buffer_list.h"
#include "train/backend/onednn/onednn_shim.h"
#include "train/backend/onednn/parameter_store.h"

namespace penstock::train::onednn {

/// Stands for the batch's own pixels, read in place; never written.
inline constexpr BufferId kPixels = kNoBuffer - 1;

/// What tasks of one run may look at.
struct RunContext {
  const BatchView* batch = nullptr;
  const StepScalars* scalars = nullptr;
  StepReport* report = nullptr;  // forward only
};

using Task = std::function<void(const RunContext&)>;

/// Buffers of one parameter; momentum and gradient only of trainable ones in training.
struct ParamBuffers {
  BufferId master = kNoBuffer;
  BufferId momentum = kNoBuffer;
  BufferId grad = kNoBuffer;
};

/// Brings one weight copy up to date.
struct Refresh {
  StoredParam* param;
  std::shared_ptr<WeightCopy> copy;  // shared with the store
  Task task;
};

struct LoweredTasks {
  std::vector<Refresh> refreshes;
  std::vector<Task> forward;
  std::vector<Task> backward;
  std::vector<Task> update;
  std::vector<std::function<void()>> binders;  // run once, when the buffers have places
};

class LoweringContext {
 public:
  LoweringContext(const ModelGraph& model, const Lowering& how, const OneDnn& lib,
                  ParameterStore& params, BufferList& list, LoweredTasks& out, unsigned threads)
      : graph(model),
        lowering(how),
        library(lib),
        store(params),
        buffers(list),
        num_threads(threads),
        tasks_(out) {}

  const ModelGraph& graph;
  const Lowering& lowering;
  const OneDnn& library;
  ParameterStore& store;
  BufferList& buffers;
  const unsigned num_threads;

  bool is_training() const { return lowering.mode == Mode::kTrain; }
  std::size_t batch() const { return lowering.batch; }
  std::size_t value_bytes(const TensorShape& shape) const {
    return batch() * shape.num_elements() * sizeof(float);
  }

  /// Adds a buffer for values that the backward pass may read.
  BufferId add_value(const std::string& name, std::size_t bytes) {
    return buffers.add(name, is_training() ? Role::kSaved : Role::kTransient, bytes);
  }
  BufferId add_transient(const std::string& name, std::size_t bytes) {
    return buffers.add(name, Role::kTransient, bytes);
  }

  /// Says that some backward task reads `buffer`, so that nobody may write gradients over it.
  void protect(BufferId buffer) { protected_.insert(buffer); }
  bool can_overwrite(BufferId buffer) const {
    return buffer != kPixels && !protected_.contains(buffer);
  }
  /// Returns `values` when their gradient may take their place, else a new buffer of that size.
  BufferId place_for_gradient(const std::string& name, BufferId values, std::size_t bytes) {
    return can_overwrite(values) ? values : add_transient(name + ".grad", bytes);
  }

  void start_phase(Phase phase) { phase_ = phase; }
  /// Says that the buffer still holds something at the next task.
  void use(BufferId buffer);
  /// Adds work to the current phase; `uses` are all the buffers that it reads or writes.
  void emit(std::initializer_list<BufferId> uses, Task task);
  void emit_primitive(const std::string& name, PreparedOp op,
                      std::initializer_list<std::pair<Arg, BufferId>> args);

  /// Adds the buffers of a parameter once its layout in the store is settled.
  ParamBuffers add_param(std::size_t param_idx);
  /// Returns the buffer that holds a weight in `wanted`: the master, or a copy kept up to date.
  BufferId weight_in(std::size_t param_idx, const ParamBuffers& param, const WeightLayout& wanted);

  const std::vector<std::pair<std::size_t, ParamBuffers>>& params() const { return params_; }

 private:
  Task prepare(const std::string& name, PreparedOp op,
               std::initializer_list<std::pair<Arg, BufferId>> args);

  LoweredTasks& tasks_;
  Phase phase_ = Phase::kForward;
  std::uint32_t step_ = 0;
  std::set<BufferId> protected_;
  std::vector<std::pair<std::size_t, ParamBuffers>> params_;
  std::vector<std::pair<const WeightCopy*, BufferId>> copies_;
};

}  // namespace penstock::train::onednn
