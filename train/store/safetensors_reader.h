// Reads the tensors of one safetensors file by name, when they are asked for. Knows nothing of models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "train/store/safetensors.h"

namespace penstock::train {

/// Holds the file open: what is read later is what was checked, also when the file is removed or
/// replaced meanwhile.
///
/// Threads  reads may run side by side
class SafetensorsReader {
 public:
  /// Opens `path` and checks its header. With `expected`, size and checksum of the whole file are
  /// checked before a byte of it is parsed.
  ///
  /// Errors  NotFound, Io; CorruptData naming what was expected and found; Unsupported for an element
  ///         type other than F32
  static SafetensorsReader open(const std::filesystem::path& path,
                                const std::optional<FileSeal>& expected = std::nullopt);

  /// In the order of their bytes.
  const std::vector<TensorSpec>& tensors() const noexcept { return tensors_; }
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }

  /// Reads the tensor of this name and shape.
  ///
  /// Shapes  values: as many as `wanted.shape` says, in C order
  /// Errors  CorruptData when there is no such tensor or it has another shape; Io
  void read(const TensorSpec& wanted, std::span<float> values) const;

  /// Checks that the file has these tensors, in any order, and no other.
  /// Errors  CorruptData naming the first that is missing, has another shape, or is too many
  void check_tensors(std::span<const TensorSpec> wanted) const;

 private:
  SafetensorsReader() = default;
  std::size_t index_of(const TensorSpec& wanted) const;

  std::filesystem::path path_;
  UniqueFd file_;
  std::vector<TensorSpec> tensors_;
  std::vector<std::uint64_t> offsets_;  // of their values, from the start of the file
  std::map<std::string, std::size_t> idx_of_name_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace penstock::train
