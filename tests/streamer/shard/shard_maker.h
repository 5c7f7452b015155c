// Makes small shards, and bends files for the tests of the shard format.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "streamer/shard/shard_writer.h"

namespace penstock::tests {

using Bytes = std::vector<std::byte>;

// Bytes that differ from sample to sample.
inline Bytes sample_bytes(std::size_t sample_idx, std::size_t num_bytes) {
  Bytes bytes(num_bytes);
  for (std::size_t i = 0; i < num_bytes; ++i) {
    bytes[i] = static_cast<std::byte>(sample_idx * 131 + i * i * 7 + 1);
  }
  return bytes;
}

// A shard of `num_samples` raw pictures, 1 pixel high, of 1, 2, 3, 1, 2, 3... pixels.
struct ShardMaker {
  std::size_t num_samples = 3;
  bool store_names = true;
  std::string split = "train";

  static std::size_t num_px(std::size_t sample_idx) { return sample_idx % 3 + 1; }
  static std::string name(std::size_t sample_idx) {
    return "ring/" + std::to_string(sample_idx) + ".png";
  }
  ShardWriterConfig config() const {
    ShardWriterConfig config{.split = split,
                             .class_names = {"circle", "ring"},
                             .num_samples = num_samples,
                             .store_names = store_names};
    for (std::size_t i = 0; i < num_samples; ++i) config.payload_bytes += 3 * num_px(i);
    return config;
  }
  ManifestShard write(const std::filesystem::path& path) const {
    ShardWriter writer(path, config());
    for (std::size_t i = 0; i < num_samples; ++i) {
      const Bytes encoded = sample_bytes(i, 3 * num_px(i));
      writer.add({.encoded = encoded,
                  .record = {.class_idx = static_cast<std::uint32_t>(i % 2),
                             .width_px = static_cast<std::uint32_t>(num_px(i)),
                             .height_px = 1,
                             .codec = 1},
                  .name = name(i)});
    }
    return writer.finish();
  }
};

inline Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

inline void write_bytes(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("write " + path.string());
}

// Flips one bit in place, without rewriting the rest.
inline void flip_bit(const std::filesystem::path& path, std::uint64_t at, unsigned bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(at));
  const char flipped = static_cast<char>(file.get() ^ (1 << bit));
  file.seekp(static_cast<std::streamoff>(at));
  file.put(flipped);
  if (!file.flush()) throw std::runtime_error("flip " + path.string());
}

// The same as a disk does it: nobody writes, the time of modification stays.
inline void flip_bit_on_disk(const std::filesystem::path& path, std::uint64_t at, unsigned bit) {
  const auto modified = std::filesystem::last_write_time(path);
  flip_bit(path, at, bit);
  std::filesystem::last_write_time(path, modified);
}

}  // namespace penstock::tests
