// What a device must offer to train: lowering a graph, memory, reports. Backends are made here by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/host_memory.h"
#include "train/backend/bare_step.h"
#include "train/backend/program.h"
#include "train/graph/model_graph.h"
#include "train/plan/memory_plan.h"

namespace penstock::train {

/// One allocation on a backend's device, zeroed. `base()` may not be readable by the host.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;
  virtual std::byte* base() const noexcept = 0;
  virtual std::size_t size_bytes() const noexcept = 0;
};

/// Batches that a backend may hold at once.
inline constexpr std::uint32_t kMaxInputSlots = 8;

/// Reports that a backend keeps for poll().
inline constexpr std::size_t kMaxPendingReports = 256;

struct BackendSettings {
  /// Compute threads, at least 1; 0 stands for all cores the process may run on.
  std::uint32_t num_threads = 0;
  /// Which GPU, of a backend of GPUs; the others ignore it and what follows.
  std::uint32_t device_idx = 0;
  /// Whether the same run must give the same bits, where a device has faster ways that may not.
  bool is_deterministic = false;
  /// Scratch that one product may ask for.
  std::uint64_t workspace_cap_bytes = std::uint64_t{256} << 20;
  /// Element type of the batches; nothing for bytes, which are the fewest to copy.
  std::optional<ElementType> batch_element{};
  /// BatchSpec::crop_bytes of the batches, of which a device makes the pixels; 0 for finished pixels.
  std::uint32_t crop_bytes = 0;
  /// Backend::plans() of an earlier run, to compute as it did; empty for none.
  std::string plans{};
};

/// Memory of a device, as it is now.
struct DeviceRoom {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

/// A device that runs programs.
///
/// Lifetime  outlives the programs and memory made by it
/// Threads   one caller at a time, for the backend and all its programs together
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string_view name() const noexcept = 0;
  /// Library and version, threads, instruction set: for reports and for the record of a run.
  virtual std::string description() const = 0;
  /// The widest instruction set that its results depend on, as description() has it; empty for one that every
  /// machine has.
  virtual std::string instruction_set() const { return {}; }
  /// Whether the same run gives the same bits.
  virtual bool is_deterministic() const noexcept { return true; }
  /// Whether parameters and what belongs to them are float32 inside: export_param() gives every bit.
  virtual bool keeps_float32() const noexcept { return true; }

  /// What is left of the memory that allocate() takes from; nothing where that is the host's.
  virtual std::optional<DeviceRoom> device_room() const { return std::nullopt; }
  /// The memory in which batches are best delivered. Shares what it needs: may outlive the backend.
  virtual std::shared_ptr<HostMemory> batch_memory() const { return page_aligned_memory(); }
  /// Which of several ways products are computed, as trials chose: a line each, for BackendSettings::plans. Empty
  /// from a backend that has no choice.
  virtual std::string plans() const { return {}; }

  /// What batches must look like for `graph`: element type and layout are the backend's wish for programs
  /// that compute so.
  virtual BatchSpec input_spec(const ModelGraph& graph, std::uint32_t batch,
                               ComputeType compute = ComputeType::kFloat32) const = 0;

  /// Throws InvalidArgument naming what does not fit, Unsupported for a Lowering::compute that this backend,
  /// or this machine, has not.
  virtual std::unique_ptr<Program> lower(const ModelGraph& graph, const Lowering& lowering) = 0;

  /// What a step of that program could come to at best; null from a backend without a library. Throws
  /// OutOfMemory.
  virtual std::unique_ptr<BareStep> bare_step(const ModelGraph& /*graph*/,
                                              const Lowering& /*lowering*/) {
    return nullptr;
  }

  /// Throws OutOfMemory.
  virtual std::unique_ptr<DeviceMemory> allocate(std::size_t bytes) = 0;

  /// Makes the lease's batch the content of an input slot, below kMaxInputSlots, for all programs of the
  /// backend. The lease is kept until release(), or the next upload, and what was run before has read it.
  virtual void upload(BatchLease lease, std::uint32_t slot) = 0;
  /// What runs that are asked for from now on take with the slot.
  virtual void set_scalars(const StepScalars& scalars, std::uint32_t slot) = 0;
  /// Says that no further run reads the slot's batch.
  virtual void release(std::uint32_t slot) = 0;

  /// Returns the report of the oldest forward run that has finished and was not yet reported. To be
  /// called until it returns none at least once every kMaxPendingReports runs; a run that
  /// finds no room for its report throws Internal.
  virtual std::optional<StepReport> poll() = 0;
  /// The same of updates.
  virtual std::optional<UpdateReport> poll_update() = 0;
  /// Waits until all that was run has finished; poll() then returns every report due.
  virtual void finish() = 0;
};

/// Makes a backend by name. Throws InvalidArgument for an unknown name, Unsupported (with the
/// configure line that would bring it) for one that this build does not have.
std::unique_ptr<Backend> make_backend(std::string_view name, const BackendSettings& settings = {});

/// Names of those that compute on the CPU; make_backend() knows "cuda" besides.
std::vector<std::string_view> backend_names();
/// The same as a choice: "onednn or reference".
std::string backend_choice();

/// Plans one arena for programs that share parameters.
MemoryPlan plan_programs(std::span<Program* const> programs);

/// Programs that share parameters in one arena, allocated and bound.
///
/// Order of use: lower all programs, then make this, then import or initialize parameters.
class BoundArena {
 public:
  /// `plan` is plan_programs() of the same programs.
  BoundArena(Backend& backend, std::span<Program* const> programs, const MemoryPlan& plan);
  std::size_t size_bytes() const noexcept { return memory_->size_bytes(); }

 private:
  std::unique_ptr<DeviceMemory> memory_;
};

/// Imports initial_value() of every parameter, and of its EMA, into a bound program.
void initialize_params(Program& program, const ModelGraph& graph, std::uint64_t seed);

}  // namespace penstock::train
