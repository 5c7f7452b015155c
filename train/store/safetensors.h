// Reads and writes float32 tensors in the safetensors format. Knows nothing of models.
//
// Source  github.com/huggingface/safetensors, README "Format": u64 length, JSON header, bytes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace penstock::train {

/// One named tensor in C order; an empty shape is a scalar.
struct NamedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
};

struct TensorFile {
  std::vector<NamedTensor> tensors;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// The format's own limit of a header.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// Size and XXH3-128 of a whole file.
struct FileSeal {
  std::uint64_t size_bytes = 0;
  std::array<std::uint8_t, 16> digest{};

  friend bool operator==(const FileSeal&, const FileSeal&) = default;
};

/// Writes `path` whole: temporary name, fsync, rename. The same content gives the same bytes.
/// Returns the seal of the bytes as they were handed to the system.
///
/// Errors  Io; InvalidArgument for a name given twice or values that do not fill their shape
FileSeal write_safetensors(const std::filesystem::path& path, const TensorFile& content);

/// Reads `path`. Nothing is allocated by a size that the file's own length does not cover.
///
/// Errors  NotFound, Io; CorruptData naming what was expected and found; Unsupported for an element
///         type other than F32
TensorFile read_safetensors(const std::filesystem::path& path);

/// Reads `path` once through and returns its seal.
FileSeal seal_of_file(const std::filesystem::path& path);

/// Formats a shape as "[32, 3, 3, 3]".
std::string format_shape(const std::vector<std::uint64_t>& shape);

}  // namespace penstock::train
