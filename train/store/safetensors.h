// Reads and writes float32 tensors in the safetensors format. Knows nothing of models.
//
// Source  github.com/huggingface/safetensors, README "Format": u64 length, JSON header, bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace penstock::train {

/// Name and shape of a tensor; an empty shape is a scalar.
struct TensorSpec {
  std::string name;
  std::vector<std::uint64_t> shape;

  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

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
/// Most tensors in a file. Ours: a header of the size above, full of empty ones, would take ten times
/// its size in memory. Networks have some thousands.
inline constexpr std::uint64_t kMaxTensors = 100'000;

/// Most bytes of a tensor's name. Ours: names are kept three times while a file is read. Networks have a
/// hundred; blocks in blocks come to some more.
inline constexpr std::uint64_t kMaxTensorNameBytes = 4096;
/// Most bytes of a file's metadata, each name and text with its two quotes. Ours: a header of the size above,
/// full of short ones, would take ten times its size in memory, and nobody reads them.
inline constexpr std::uint64_t kMaxMetadataBytes = 1u << 20;

/// Most dimensions of a tensor.
inline constexpr std::uint64_t kMaxDimensions = 16;

/// Size and XXH3-128 of a whole file.
struct FileSeal {
  std::uint64_t size_bytes = 0;
  std::array<std::uint8_t, 16> digest{};

  friend bool operator==(const FileSeal&, const FileSeal&) = default;
};

/// Tensors that are filled one at a time, as they are written.
struct TensorSource {
  std::vector<TensorSpec> tensors = {};  // in the order of their bytes
  /// Fills the values of one tensor, in C order. Called once for each, in their order; may throw.
  std::function<void(std::size_t tensor_idx, std::span<float> values)> fill = {};
  std::map<std::string, std::string> metadata = {};
};

/// Writes the new file `path` and flushes it; whoever calls publishes or removes it. Takes the memory
/// of the largest tensor.
///
/// Errors  Io; AlreadyExists; InvalidArgument for a name given twice or more than a reader takes;
///         those of `fill`
FileSeal write_tensors(const std::filesystem::path& path, const TensorSource& source);

/// Writes `path` whole, as write_tensors() does: temporary name, fsync, rename. The same content gives the
/// same bytes. Returns the seal of the bytes as they were handed to the system.
///
/// Errors  those of write_tensors(), but for AlreadyExists
FileSeal publish_tensors(const std::filesystem::path& path, const TensorSource& source);

/// Hands out copies of tensors that are in memory.
///
/// Lifetime  `content` outlives the source
/// Errors    InvalidArgument for values that do not fill their shape
TensorSource source_of(const TensorFile& content);

/// publish_tensors() of what is in memory.
FileSeal write_safetensors(const std::filesystem::path& path, const TensorFile& content);

/// Reads `path`. Nothing is allocated by a size that the file's own length does not cover, and a header takes
/// a few times its length; the limits above hold.
///
/// Errors  NotFound, Io; CorruptData naming what was expected and found; Unsupported for an element
///         type other than F32
TensorFile read_safetensors(const std::filesystem::path& path);

/// Reads `path` once through and returns its seal.
/// Errors  NotFound, Io
FileSeal seal_of_file(const std::filesystem::path& path);

/// Formats a shape as "[32, 3, 3, 3]".
std::string format_shape(const std::vector<std::uint64_t>& shape);

}  // namespace penstock::train
