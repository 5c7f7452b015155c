#include "tests/train/backend/cuda/asked_plans.h"

namespace penstock::tests {

using namespace train::cuda;

AskedPlan ask(ProductLibraries& libraries, const ConvolutionProblem& problem,
              const PlanLimits& limits) {
  ProductCandidates* candidates = nullptr;
  if (const auto status = find_candidates(libraries, problem, limits, &candidates);
      !status.is_ok()) {
    return {.reason = status.text};
  }
  AskedPlan asked{.num_candidates = num_candidates(*candidates),
                  .is_first_compiled = is_compiled_for(*candidates, 0),
                  .reason = "every candidate has to be compiled"};
  for (std::uint32_t idx = 0; idx < asked.num_candidates && asked.name.empty(); ++idx) {
    if (is_compiled_for(*candidates, idx)) continue;
    ProductPlan* plan = nullptr;
    if (const auto status = make_plan(*candidates, idx, &plan); !status.is_ok()) {
      asked.reason = status.text;
      continue;
    }
    const PlanFacts facts = plan_facts(*plan);
    asked.name = facts.name;
    asked.stored = facts.stored;
    asked.workspace_bytes = facts.workspace_bytes;
    asked.is_deterministic = facts.is_deterministic;
    destroy_plan(plan);
  }
  close_candidates(candidates);
  return asked;
}

}  // namespace penstock::tests
