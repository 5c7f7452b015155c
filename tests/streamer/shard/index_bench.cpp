// How long opening and planning a split of many samples takes, beside a bare read of its index with
// checksums. Prints JSON.
//
//   bench_index FOLDER NUM_SAMPLES    FOLDER is made, and removed at the end
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/core/file.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/shard/sample_index.h"
#include "streamer/shard/shard_header.h"
#include "streamer/shard/shard_writer.h"

namespace penstock {
namespace {

constexpr std::uint64_t kSamplesPerShard = 100'000;
constexpr int kNumRounds = 5;

using Clock = std::chrono::steady_clock;

// Records that claim photographs of mixed sizes, of one byte each: nothing decodes them.
void write_split(const std::filesystem::path& folder, std::uint64_t num_samples) {
  std::filesystem::create_directory(folder);
  Manifest manifest;
  manifest.class_names = {"even", "odd"};
  ManifestSplit split{.name = "train",
                      .num_samples = num_samples,
                      .num_by_class = {(num_samples + 1) / 2, num_samples / 2},
                      .shards = {}};
  for (std::uint64_t begin = 0; begin < num_samples; begin += kSamplesPerShard) {
    const std::uint64_t end = std::min(num_samples, begin + kSamplesPerShard);
    const std::string number = std::to_string(100'000 + split.shards.size()).substr(1);
    ShardWriter writer(folder / ("train-" + number + ".h5"), {.split = "train",
                                                              .class_names = manifest.class_names,
                                                              .num_samples = end - begin,
                                                              .payload_bytes = end - begin,
                                                              .store_names = false});
    const std::byte encoded[1] = {};
    for (std::uint64_t i = begin; i < end; ++i) {
      writer.add({.encoded = encoded,
                  .record = {.class_idx = static_cast<std::uint32_t>(i % 2),
                             .width_px = static_cast<std::uint32_t>(300 + i % 400),
                             .height_px = static_cast<std::uint32_t>(300 + i % 300),
                             .subsampling_x = 2,
                             .subsampling_y = 2},
                  .name = {}});
    }
    split.shards.push_back(writer.finish());
  }
  manifest.splits = {split};
  manifest.id = manifest_id(manifest);
  write_manifest(folder, manifest);
}

template <class Work>
double seconds(const Work& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The ceiling: the same bytes by the same call, and their checksums.
std::uint64_t read_bare(const Manifest& manifest, const std::filesystem::path& folder) {
  std::uint64_t sum = 0;
  std::vector<std::byte> buffer(64u << 10);
  for (const ManifestShard& shard : manifest.splits[0].shards) {
    const std::filesystem::path path = folder / shard.file;
    const UniqueFd file = open_for_reading(path);
    ShardHeaderBytes bytes{};
    read_at(file, 0, bytes, path);
    const ShardSection index = *parse_shard_header(bytes, path.native()).find("index");
    for (std::uint64_t at = 0; at < index.length_bytes; at += buffer.size()) {
      const auto part =
          std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), index.length_bytes - at));
      read_at(file, index.offset_bytes + at, part, path);
      sum ^= xxh3_64(part);
    }
  }
  return sum;
}

struct Spread {
  std::vector<double> values;

  nlohmann::ordered_json json() {
    std::ranges::sort(values);
    return {{"median_s", values[values.size() / 2]},
            {"least_s", values.front()},
            {"most_s", values.back()}};
  }
};

int run(const std::filesystem::path& folder, std::uint64_t num_samples) {
  write_split(folder, num_samples);
  Spread bare;
  Spread open;
  Spread plan;
  Spread resident;
  std::uint64_t num_random_reads = 0;
  double random_s = 0;
  std::uint64_t sum = 0;
  for (int round = 0; round < kNumRounds; ++round) {
    const Dataset dataset = Dataset::open(folder);
    bare.values.push_back(seconds([&] { sum ^= read_bare(dataset.manifest(), folder); }));
    std::optional<DatasetSplit> split;
    open.values.push_back(seconds([&] { split = Dataset::open(folder).split("train"); }));
    const MemoryRoom room{.limit_bytes = 64u << 20, .left_bytes = 64u << 20};
    plan.values.push_back(seconds([&] {
      sum ^= plan_loader_memory(*split, {}, ResizeTransform(), room).costliest.sample_id;
    }));
    MemoryBudget budget(1ull << 40);
    resident.values.push_back(
        seconds([&] { split->with_index(choose_index_form(num_samples, budget.room()), budget); }));
    const DatasetSplit paged = split->with_index(choose_index_form(num_samples, room), budget);
    random_s += seconds([&] {
      for (std::uint64_t i = 0; i < 20'000; ++i, ++num_random_reads) {
        sum ^= paged.record(i * 0x9E3779B97F4A7C15u % num_samples).xxh3;
      }
    });
  }
  const nlohmann::ordered_json json = {
      {"num_samples", num_samples},
      {"bare_read_and_checksum", bare.json()},
      {"open_split", open.json()},
      {"plan", plan.json()},
      {"make_resident", resident.json()},
      {"random_record_us", random_s / static_cast<double>(num_random_reads) * 1e6},
      {"checksum", hex(sum)}};
  std::printf("%s\n", json.dump(2).c_str());
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "bench_index FOLDER NUM_SAMPLES\n");
    return 2;
  }
  return penstock::run(argv[1], std::strtoull(argv[2], nullptr, 10));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
