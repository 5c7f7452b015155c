#include "train/store/safetensors_reader.h"

#include <algorithm>
#include <array>
#include <set>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/little_endian.h"
#include "train/store/safetensors_header.h"

namespace penstock::train {
namespace {

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);  // of the header, before it

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "safetensors: " + path.native() + ": " + what);
}

FileSeal seal_of(const UniqueFd& file, const std::filesystem::path& path) {
  std::vector<std::byte> block(std::clamp<std::uint64_t>(file_size_bytes(file, path), 1, 1u << 20));
  StreamHasher hasher;
  FileSeal seal;
  while (const std::size_t got = read_at(file, seal.size_bytes, block, path)) {
    hasher.update(std::span(block).first(got));
    seal.size_bytes += got;
  }
  seal.digest = hasher.digest_128();
  return seal;
}

void check_seal(const UniqueFd& file, const std::filesystem::path& path, const FileSeal& expected) {
  const auto check_size = [&](std::uint64_t found) {
    if (found == expected.size_bytes) return;
    refuse(path, "expected " + std::to_string(expected.size_bytes) + " bytes, found " +
                     std::to_string(found));
  };
  check_size(file_size_bytes(file, path));  // before a file of any length is read
  const FileSeal found = seal_of(file, path);
  check_size(found.size_bytes);
  if (found.digest != expected.digest) {
    refuse(path, "checksum: expected " + hex(expected.digest) + ", found " + hex(found.digest));
  }
}

}  // namespace

FileSeal seal_of_file(const std::filesystem::path& path) {
  return seal_of(open_for_reading(path), path);
}

SafetensorsReader SafetensorsReader::open(const std::filesystem::path& path,
                                          const std::optional<FileSeal>& expected) {
  SafetensorsReader reader;
  reader.path_ = path;
  reader.file_ = open_for_reading(path);
  if (expected) check_seal(reader.file_, path, *expected);
  const std::uint64_t size_bytes = file_size_bytes(reader.file_, path);
  std::array<std::byte, kLengthBytes> length{};
  if (read_at(reader.file_, 0, length, path) != length.size()) {
    refuse(path, "expected at least 8 bytes, found " + std::to_string(size_bytes));
  }
  const std::uint64_t header_bytes = load_le<std::uint64_t>(length.data());
  if (header_bytes > kMaxHeaderBytes || header_bytes > size_bytes - kLengthBytes) {
    refuse(path, "expected a header of at most " +
                     std::to_string(std::min(kMaxHeaderBytes, size_bytes - kLengthBytes)) +
                     " bytes, found " + std::to_string(header_bytes));
  }
  std::string json(header_bytes, '\0');
  if (read_at(reader.file_, kLengthBytes, std::as_writable_bytes(std::span(json)), path) !=
      json.size()) {
    refuse(path, "expected " + std::to_string(size_bytes) + " bytes, found fewer");
  }
  const std::uint64_t data_offset = kLengthBytes + header_bytes;
  SafetensorsHeader header =
      parse_safetensors_header(json, size_bytes - data_offset, path.native());
  reader.metadata_ = std::move(header.metadata);
  for (TensorEntry& entry : header.entries) {
    reader.idx_of_name_.emplace(entry.name, reader.tensors_.size());
    reader.offsets_.push_back(data_offset + entry.begin_bytes);
    reader.tensors_.push_back({.name = std::move(entry.name), .shape = std::move(entry.shape)});
  }
  return reader;
}

std::size_t SafetensorsReader::index_of(const TensorSpec& wanted) const {
  const std::string expected =
      "tensor \"" + wanted.name + "\": expected " + format_shape(wanted.shape) + ", found ";
  const auto found = idx_of_name_.find(wanted.name);
  if (found == idx_of_name_.end()) refuse(path_, expected + "no tensor of this name");
  const TensorSpec& stored = tensors_[found->second];
  if (stored.shape != wanted.shape) refuse(path_, expected + format_shape(stored.shape));
  return found->second;
}

void SafetensorsReader::read(const TensorSpec& wanted, std::span<float> values) const {
  const std::size_t tensor_idx = index_of(wanted);
  check_internal(float_bytes(wanted.shape) == values.size_bytes(), "room for the tensor's values");
  const auto bytes = std::as_writable_bytes(values);
  if (read_at(file_, offsets_[tensor_idx], bytes, path_) != bytes.size()) {
    refuse(path_, "tensor \"" + wanted.name + "\": expected " + std::to_string(bytes.size()) +
                      " bytes, found fewer");
  }
}

void SafetensorsReader::check_tensors(std::span<const TensorSpec> wanted) const {
  std::set<std::size_t> taken;
  for (const TensorSpec& tensor : wanted) {
    check_internal(taken.insert(index_of(tensor)).second, "each tensor is wanted once");
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (taken.contains(i)) continue;
    refuse(path_, "tensor \"" + tensors_[i].name + "\": expected no such tensor here, found " +
                      format_shape(tensors_[i].shape));
  }
}

}  // namespace penstock::train
