#include "train/store/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <set>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/little_endian.h"
#include "streamer/core/quoted_text.h"
#include "train/store/safetensors_header.h"
#include "train/store/safetensors_reader.h"

namespace penstock::train {
namespace {

[[noreturn]] void refuse_content(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "safetensors: " + what);
}

/// Refuses what no reader would take.
SafetensorsHeader header_of(const TensorSource& source) {
  if (source.tensors.size() > kMaxTensors) {
    refuse_content("expected at most " + std::to_string(kMaxTensors) + " tensors, found " +
                   std::to_string(source.tensors.size()));
  }
  std::uint64_t metadata_bytes = 0;
  for (const auto& [name, text] : source.metadata) {
    metadata_bytes += name.size() + text.size() + 2 * kQuoteBytes;
  }
  if (metadata_bytes > kMaxMetadataBytes) {
    refuse_content("expected at most " + std::to_string(kMaxMetadataBytes) +
                   " bytes of metadata, found " + std::to_string(metadata_bytes));
  }
  SafetensorsHeader header{.entries = {}, .metadata = source.metadata};
  std::set<std::string> names;
  std::uint64_t next = 0;
  for (const TensorSpec& tensor : source.tensors) {
    const std::string where = "tensor " + in_quotes(tensor.name) + ": ";
    if (tensor.name.size() > kMaxTensorNameBytes) {
      refuse_content(where + "expected a name of at most " + std::to_string(kMaxTensorNameBytes) +
                     " bytes, found " + std::to_string(tensor.name.size()));
    }
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      refuse_content("expected names of their own, found " + in_quotes(tensor.name));
    }
    if (tensor.shape.size() > kMaxDimensions) {
      refuse_content(where + "expected at most " + std::to_string(kMaxDimensions) +
                     " dimensions, found " + std::to_string(tensor.shape.size()));
    }
    const auto bytes = float_bytes(tensor.shape);
    std::uint64_t end = 0;
    if (!bytes || __builtin_add_overflow(next, *bytes, &end)) {
      refuse_content(where + "expected a size below 2^64 bytes, found " +
                     format_shape(tensor.shape));
    }
    header.entries.push_back({tensor.name, "F32", tensor.shape, next, end});
    next = end;
  }
  return header;
}

std::uint64_t largest_tensor_bytes(const SafetensorsHeader& layout) {
  std::uint64_t largest = 0;
  for (const TensorEntry& entry : layout.entries) {
    largest = std::max(largest, entry.end_bytes - entry.begin_bytes);
  }
  return largest;
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

FileSeal write_tensors(const std::filesystem::path& path, const TensorSource& source) {
  const SafetensorsHeader layout = header_of(source);
  const std::string header = format_safetensors_header(layout);
  if (header.size() > kMaxHeaderBytes) {
    refuse_content("expected a header of at most " + std::to_string(kMaxHeaderBytes) +
                   " bytes, found " + std::to_string(header.size()));
  }
  const UniqueFd file = create_new_file(path);
  StreamHasher hasher;
  FileSeal seal;
  const auto append = [&](std::span<const std::byte> bytes) {
    hasher.update(bytes);
    write_at(file, seal.size_bytes, bytes, path);
    seal.size_bytes += bytes.size();
  };
  std::array<std::byte, sizeof(std::uint64_t)> length{};
  store_le<std::uint64_t>(header.size(), length.data());
  append(length);
  append(std::as_bytes(std::span(header)));
  std::vector<float> largest(largest_tensor_bytes(layout) / sizeof(float));
  for (std::size_t i = 0; i < layout.entries.size(); ++i) {
    const std::uint64_t bytes = layout.entries[i].end_bytes - layout.entries[i].begin_bytes;
    const std::span<float> values = std::span(largest).first(bytes / sizeof(float));
    source.fill(i, values);
    append(std::as_bytes(values));
  }
  sync_file(file, path);
  seal.digest = hasher.digest_128();
  return seal;
}

TensorSource source_of(const TensorFile& content) {
  TensorSource source{.metadata = content.metadata};
  for (const NamedTensor& tensor : content.tensors) {
    if (float_bytes(tensor.shape) != tensor.values.size() * sizeof(float)) {
      refuse_content("tensor \"" + tensor.name + "\": expected as many values as " +
                     format_shape(tensor.shape) + " holds, found " +
                     std::to_string(tensor.values.size()));
    }
    source.tensors.push_back({.name = tensor.name, .shape = tensor.shape});
  }
  source.fill = [&content](std::size_t tensor_idx, std::span<float> values) {
    std::ranges::copy(content.tensors[tensor_idx].values, values.begin());
  };
  return source;
}

FileSeal publish_tensors(const std::filesystem::path& path, const TensorSource& source) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  std::error_code ignored;  // a file left behind by a process that died, mostly absent
  std::filesystem::remove(temporary, ignored);
  try {
    const FileSeal seal = write_tensors(temporary, source);
    publish_by_rename(temporary, path);
    return seal;
  } catch (...) {
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

FileSeal write_safetensors(const std::filesystem::path& path, const TensorFile& content) {
  return publish_tensors(path, source_of(content));
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  const SafetensorsReader reader = SafetensorsReader::open(path);
  TensorFile content{.tensors = {}, .metadata = reader.metadata()};
  for (const TensorSpec& tensor : reader.tensors()) {
    // The header's sizes were held against the file's: there are so many bytes.
    std::vector<float> values(*float_bytes(tensor.shape) / sizeof(float));
    reader.read(tensor, values);
    content.tensors.push_back({tensor.name, tensor.shape, std::move(values)});
  }
  return content;
}

std::string format_shape(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (const std::uint64_t side : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(side);
  }
  return text + "]";
}

}  // namespace penstock::train
