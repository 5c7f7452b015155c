#include "train/store/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <set>
#include <span>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/little_endian.h"
#include "train/store/safetensors_header.h"

namespace penstock::train {
namespace {

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);  // of the header, before it

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "safetensors: " + path.native() + ": " + what);
}

SafetensorsHeader header_of(const TensorFile& content) {
  SafetensorsHeader header{.entries = {}, .metadata = content.metadata};
  std::set<std::string> names;
  std::uint64_t next = 0;
  for (const NamedTensor& tensor : content.tensors) {
    std::uint64_t num_values = 1;
    for (const std::uint64_t side : tensor.shape) num_values *= side;
    if (num_values != tensor.values.size()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "safetensors: tensor \"" + tensor.name + "\": expected " +
                      std::to_string(num_values) + " values for " + format_shape(tensor.shape) +
                      ", found " + std::to_string(tensor.values.size()));
    }
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      throw Error(ErrorCode::kInvalidArgument,
                  "safetensors: expected names of their own, found \"" + tensor.name + "\"");
    }
    const std::uint64_t end = next + tensor.values.size() * sizeof(float);
    header.entries.push_back({tensor.name, "F32", tensor.shape, next, end});
    next = end;
  }
  return header;
}

FileSeal write_content(const UniqueFd& file, const std::filesystem::path& path,
                       const TensorFile& content) {
  StreamHasher hasher;
  FileSeal seal;
  const auto append = [&](std::span<const std::byte> bytes) {
    hasher.update(bytes);
    write_at(file, seal.size_bytes, bytes, path);
    seal.size_bytes += bytes.size();
  };
  const std::string header = format_safetensors_header(header_of(content));
  std::array<std::byte, kLengthBytes> length{};
  store_le<std::uint64_t>(header.size(), length.data());
  append(length);
  append(std::as_bytes(std::span(header)));
  for (const NamedTensor& tensor : content.tensors) append(std::as_bytes(std::span(tensor.values)));
  sync_file(file, path);
  seal.digest = hasher.digest_128();
  return seal;
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

FileSeal write_safetensors(const std::filesystem::path& path, const TensorFile& content) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  std::error_code ignored;  // a file left behind by a process that died, mostly absent
  std::filesystem::remove(temporary, ignored);
  try {
    const FileSeal seal = write_content(create_new_file(temporary), temporary, content);
    publish_by_rename(temporary, path);
    return seal;
  } catch (...) {
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  const UniqueFd file = open_for_reading(path);
  const std::uint64_t size_bytes = file_size_bytes(file, path);
  std::array<std::byte, kLengthBytes> length{};
  if (read_at(file, 0, length, path) != length.size()) {
    refuse(path, "expected at least 8 bytes, found " + std::to_string(size_bytes));
  }
  const std::uint64_t header_bytes = load_le<std::uint64_t>(length.data());
  if (header_bytes > kMaxHeaderBytes || header_bytes > size_bytes - kLengthBytes) {
    refuse(path, "expected a header of at most " +
                     std::to_string(std::min(kMaxHeaderBytes, size_bytes - kLengthBytes)) +
                     " bytes, found " + std::to_string(header_bytes));
  }
  std::string json(header_bytes, '\0');
  if (read_at(file, kLengthBytes, std::as_writable_bytes(std::span(json)), path) != json.size()) {
    refuse(path, "expected " + std::to_string(size_bytes) + " bytes, found fewer");
  }
  std::uint64_t offset = kLengthBytes + header_bytes;
  SafetensorsHeader header = parse_safetensors_header(json, size_bytes - offset, path.native());

  TensorFile content{.tensors = {}, .metadata = std::move(header.metadata)};
  for (TensorEntry& entry : header.entries) {
    const std::uint64_t bytes = entry.end_bytes - entry.begin_bytes;
    NamedTensor tensor{std::move(entry.name), std::move(entry.shape),
                       std::vector<float>(bytes / sizeof(float))};
    if (read_at(file, offset, std::as_writable_bytes(std::span(tensor.values)), path) != bytes) {
      refuse(path, "expected " + std::to_string(size_bytes) + " bytes, found fewer");
    }
    offset += bytes;
    content.tensors.push_back(std::move(tensor));
  }
  return content;
}

FileSeal seal_of_file(const std::filesystem::path& path) {
  const UniqueFd file = open_for_reading(path);
  std::vector<std::byte> block(1u << 20);
  StreamHasher hasher;
  FileSeal seal;
  while (const std::size_t got = read_at(file, seal.size_bytes, block, path)) {
    hasher.update(std::span(block).first(got));
    seal.size_bytes += got;
  }
  seal.digest = hasher.digest_128();
  return seal;
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
