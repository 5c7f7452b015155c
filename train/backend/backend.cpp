#include "train/backend/backend.h"

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "train/backend/cuda/cuda_module.h"
#include "train/backend/initial_params.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
std::unique_ptr<Backend> make_backend(std::string_view name, const BackendSettings& settings) {
  if (name == "onednn") return make_onednn_backend(settings);
  if (name == "reference") return make_reference_backend(settings);
  if (name == "cuda") return CudaModule::open().make_backend(settings);
  const std::vector<std::string_view> known = backend_names();
  throw Error(ErrorCode::kInvalidArgument,
              "backend: expected a known name, found '" + std::string(name) + "'",
              nearest_name_hint(name, known));
}

MemoryPlan plan_programs(std::span<Program* const> programs) {
  std::vector<std::span<const Buffer>> lists;
  for (const Program* program : programs) lists.push_back(program->buffers());
  return plan_memory(lists);
}

BoundArena::BoundArena(Backend& backend, std::span<Program* const> programs, const MemoryPlan& plan)
    : memory_(backend.allocate(plan.arena_bytes)) {
  check_internal(plan.offsets.size() == programs.size(), "arena: the plan of other programs");
  for (std::size_t i = 0; i < programs.size(); ++i) programs[i]->bind(*memory_, plan.offsets[i]);
}

void initialize_params(Program& program, const ModelGraph& graph, std::uint64_t seed) {
  draw_all_params(program, graph, {.seed = seed});
}

}  // namespace penstock::train
