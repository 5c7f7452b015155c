#include "train/run/run_facts.h"

#include <map>
#include <string>
#include <utility>

#include "train/graph/toml_table.h"
#include "train/run/settings/idle_settings.h"
#include "train/run/settings/param_group_tables.h"
#include "train/run/settings/run_file.h"
#include "train/run/settings/run_keys.h"

namespace penstock::train {
namespace {

/// Whether the rates of the steps so far would have been others in a run of another length.
bool depends_on_length(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::kConstant:
    case ScheduleKind::kStep:
    case ScheduleKind::kExponential:
      return false;
    case ScheduleKind::kOneCycle:
    case ScheduleKind::kCosine:
    case ScheduleKind::kPolynomial:
      return true;
  }
  return true;
}

std::map<std::string, std::string> settings_of(const RunConfig& config) {
  std::map<std::string, std::string> settings;
  for (const RunKey& key : run_keys()) {
    if (!is_heeded(key.name, config)) continue;
    if (key.name == "epochs" && !depends_on_length(config.schedule.kind)) continue;
    if (const auto value = key.write(config)) settings[std::string(key.name)] = format_toml(*value);
  }
  if (!config.param_groups.empty()) {
    settings["param_group"] = format_param_groups(config.param_groups);
  }
  return settings;
}

/// A backend's description without what is a fact of its own: the instruction set, and the number of threads
/// at its end.
std::string library_of(const Backend& backend) {
  std::string text = backend.description();
  const std::size_t comma = text.rfind(", ");
  const bool ends_in_threads = text.ends_with(" thread") || text.ends_with(" threads");
  if (ends_in_threads && comma != text.npos) text.resize(comma);
  const std::string isa = ", " + backend.instruction_set();
  if (isa.size() > 2 && text.ends_with(isa)) text.resize(text.size() - isa.size());
  return text;
}

}  // namespace

CheckpointState run_facts(const RunSetup& setup) {
  const RunConfig& config = setup.config;
  std::map<std::string, std::string> settings = settings_of(config);
  if (!setup.initial_weights_digest.empty()) {
    settings[std::string(kInitialWeightsFact)] = setup.initial_weights_digest;
  }
  if (setup.loss_weights.by_sample) {
    settings["loss_weights"] = "weights of XXH3-64 " + setup.loss_weights.digest();
  }
  return {.seed = config.seed,
          .configuration = format_run_file(config),
          .settings = std::move(settings),
          .dataset_id = setup.dataset.manifest().id,
          .model_identity = setup.graph.identity(),
          .backend = library_of(*setup.backend),
          .plans = setup.backend->plans(),
          .micro_batch = setup.batch.micro_batch,
          .num_compute_threads = setup.resolved.cores.num_compute,
          .num_loader_threads = setup.resolved.cores.num_loader(),
          .instruction_set = setup.backend->instruction_set()};
}

}  // namespace penstock::train
