#include "train/run/inference/stored_network.h"

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/core/usable_cores.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/loop/model_weights.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_hints.h"
#include "train/run/memory/device_memory.h"
#include "train/run/memory/system_memory.h"
#include "train/run/network/run_loss.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/core_split.h"
#include "train/run/settings/device_choice.h"

namespace penstock::train {
namespace {

/// A run stores the first ones at the end of its first epoch.
void check_has_weights(const std::filesystem::path& run) {
  std::error_code ignored;
  const bool has_either = std::filesystem::exists(run / kModelRecordName, ignored) ||
                          std::filesystem::exists(run / kWeightsName, ignored);
  if (!has_run(run) || has_either) return;
  throw Error(ErrorCode::kNotFound,
              "run: " + run.native() + ": expected weights, found none: no epoch has ended yet",
              "wait for its first epoch; where it was stopped: penstock train -o " +
                  shell_quoted(run.native()) + " --resume");
}

/// What `load` reads of a run; a damaged one is refused with the way back.
auto load_of_run(const std::filesystem::path& run, const auto& load) {
  check_has_weights(run);
  try {
    return load(run);
  } catch (const Error& error) {
    throw with_way_back(error, run);
  }
}

/// What a run was trained with, where the device has it.
ComputeType own_precision(const ModelRecord& record, const std::string& device) {
  const ComputeType own = compute_type_of(record.precision).value();
  return device == "cuda" || !is_of_gpus(own) ? own : ComputeType::kFloat32;
}

}  // namespace

StoredModel load_stored_model(const std::filesystem::path& run) {
  return load_of_run(run, load_model);
}

StoredNetwork::StoredNetwork(const std::filesystem::path& run, const InferenceConfig& config,
                             MemoryTable& memory) {
  record_ = load_of_run(run, load_model_record);
  graph_ = std::make_unique<ModelGraph>(rebuild_model(record_, run));
  const CoreSplit cores = split_cores(num_usable_cores(), {.threads = config.threads});
  const auto [device, note] = choose_device(config.device, config.backend);
  device_note_ = note;
  // A stored network is evaluated alike each time.
  backend_ = make_backend(backend_on(device, config.backend),
                          {.num_threads = cores.num_compute,
                           .is_deterministic = true,
                           .workspace_cap_bytes = workspace_cap_bytes(config.memory_gpu_bytes)});
  precision_ = config.precision.value_or(own_precision(record_, device));
  spec_ = backend_->input_spec(*graph_, record_.batch_size, precision_);
  programs_ = std::make_unique<ProgramSet>(
      *backend_, *graph_,
      ProgramSetConfig{.train_batch = 0,
                       .evaluation_batch = record_.batch_size,
                       .pixel_norm = pixel_norm_of(augment_of(record_), record_.channels),
                       .compute = precision_,
                       .loss = loss_of(record_)});
  draw_arena(programs_->plan(), device_limit(*backend_, config.memory_gpu_bytes), memory);
  const BudgetShare copy =
      memory.keep(largest_tensor_bytes(graph_->parameters()), "copy of the largest tensor");
  programs_->bind();
  load_weights(programs_->any_program(), run / kWeightsName);
}

std::uint64_t memory_limit_bytes(const InferenceConfig& config) {
  return config.memory_bytes > 0 ? config.memory_bytes : read_system_memory().default_limit_bytes();
}

}  // namespace penstock::train
