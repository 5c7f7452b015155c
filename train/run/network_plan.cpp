#include "train/run/network_plan.h"

#include "train/graph/model_summary.h"
#include "train/run/run_setup.h"

namespace penstock::train {

NetworkPlan plan_network(const RunConfig& config) {
  const RunSetup setup(config, nullptr, SetupExtent::kPlanned);
  return {
      .config = setup.config,
      .num_params = summarize(setup.graph).total.num_params,
      .backend = setup.backend->description(),
      .batch = setup.batch,
      .batch_note = setup.batch_note,
      .memory = setup.programs->plan(),
      .bookkeeping_bytes = setup.bookkeeping_bytes(setup.config.evaluation_batch()),
      .delivered = setup.pipeline.batch,
      .gpu_limit_bytes = setup.device ? std::optional(setup.device->limit_bytes) : std::nullopt};
}

}  // namespace penstock::train
