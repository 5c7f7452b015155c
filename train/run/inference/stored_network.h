// A stored model made ready to be run: graph, backend and evaluation program with its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "train/backend/compute_type.h"
#include "train/loop/program_set.h"
#include "train/run/inference/inference_config.h"
#include "train/run/memory/memory_table.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// Reads the model of a run; a damaged one is refused with the line that brings it back, or trains it again.
/// Errors  NotFound, CorruptData naming file or tensor; Unsupported for a newer format
StoredModel load_stored_model(const std::filesystem::path& run);

/// Draws the network's memory from `memory`, which outlives it.
class StoredNetwork {
 public:
  /// Errors  NotFound, CorruptData naming file or tensor; OutOfMemory; Unsupported for a precision that this
  ///         machine has not
  StoredNetwork(const std::filesystem::path& run, const InferenceConfig& config,
                MemoryTable& memory);

  const ModelRecord& record() const noexcept { return record_; }
  /// What the programs compute in.
  ComputeType precision() const noexcept { return precision_; }
  ProgramSet& programs() noexcept { return *programs_; }
  const Backend& backend() const noexcept { return *backend_; }
  /// DeviceChoice::note.
  const std::string& device_note() const noexcept { return device_note_; }
  /// What batches for the evaluation program look like.
  const BatchSpec& spec() const noexcept { return spec_; }

 private:
  ModelRecord record_;
  std::unique_ptr<ModelGraph> graph_;
  std::unique_ptr<Backend> backend_;
  std::string device_note_;
  ComputeType precision_ = ComputeType::kFloat32;
  BatchSpec spec_;
  std::unique_ptr<ProgramSet> programs_;
};

/// The memory limit that `config` comes to on this machine.
std::uint64_t memory_limit_bytes(const InferenceConfig& config);

}  // namespace penstock::train
