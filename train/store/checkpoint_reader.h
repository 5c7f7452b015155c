// One checkpoint: verified whole when it is opened, its tensors read when they are asked for.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "train/store/checkpoint_state.h"
#include "train/store/safetensors_reader.h"

namespace penstock::train {

inline constexpr const char* kCheckpointStateName = "state.json";

/// Holds the files of a checkpoint open, so that it may be removed while it is read.
///
/// Threads  reads may run side by side
class CheckpointReader {
 public:
  /// Opens the checkpoint in the folder `path`. state.json's checksum first, then size and checksum of
  /// each tensor file, then the headers: nothing is parsed that is not vouched for, and nothing is
  /// allocated by a size that no file has.
  ///
  /// Errors  NotFound, Io; CorruptData naming file, expected and found; Unsupported for a newer version
  static CheckpointReader open(const std::filesystem::path& path);

  /// Reads state.json alone; the tensor files are not looked at.
  ///
  /// Errors  as open()
  static CheckpointState read_state(const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  const CheckpointState& state() const noexcept { return state_; }
  /// The text of CheckpointState::parts by name. Errors  CorruptData when there is none
  const std::string& part(std::string_view name) const;
  /// Model and optimizer are there always.
  bool has(TensorGroup group) const noexcept { return files_.contains(group); }
  /// The tensors of a group that is there.
  const SafetensorsReader& tensors(TensorGroup group) const { return files_.at(group); }

 private:
  CheckpointReader() = default;

  std::filesystem::path path_;
  CheckpointState state_;
  std::map<TensorGroup, SafetensorsReader> files_;
};

}  // namespace penstock::train
