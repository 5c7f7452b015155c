// The unit of work: 1 to 64 consecutive places of one batch, cut by bytes, so that tiny pictures
// do not drown in messages. Results never depend on the cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "streamer/core/sample_decoder.h"
#include "streamer/core/sample_transform.h"
#include "streamer/read/work_arena.h"
#include "streamer/shard/shard_file.h"

namespace penstock {

inline constexpr std::uint32_t kMaxRunSamples = 64;

/// What the cache does for a task.
enum class CacheUse : std::uint8_t {
  kNone,
  kEncoded,      // has its verified bytes
  kFillEncoded,  // takes them in
  kPixels,       // has the whole picture
  kFillPixels,   // takes it in
};

/// A task's bytes in the cache, to be read or to be filled; see SampleCache::attach().
struct CachedSample {
  CacheUse use = CacheUse::kNone;
  bool is_filled = false;
  std::uint64_t slot_idx = 0;
  std::span<std::byte> bytes;
};

/// One place of a batch on its way: what is known, what was planned, what came out.
struct SampleTask {
  SampleInfo info;
  std::uint64_t position = 0;
  IndexRecord record;
  const ShardFile* shard = nullptr;  // borrowed from the loader's split
  SamplePlan plan;
  DecodeRequest request;
  DecodePrice price;
  CachedSample cached;
  DecodedView decoded;  // points into the run's block, or into the cache; gone with the next sample
  SampleFault fault;    // kOk when read, and when decoded
};

/// Whether the task's stored bytes lie in the cache, or will.
inline bool lies_encoded_in_cache(const SampleTask& task) noexcept {
  return task.cached.use == CacheUse::kEncoded || task.cached.use == CacheUse::kFillEncoded;
}
/// Whether the task is served without a read.
inline bool is_cached(const SampleTask& task) noexcept {
  return task.cached.use == CacheUse::kEncoded || task.cached.use == CacheUse::kPixels;
}

/// Consecutive places of one batch with the memory they need. A plain value: it travels in
/// messages.
struct SampleRun {
  std::span<SampleTask> tasks = {};  // borrowed from the batch's slot
  std::uint32_t slot_idx = 0;
  std::uint32_t first_place = 0;
  std::uint64_t batch_seq = 0;  // counts the loader's batches from 0
  WorkBlock block = {};
};

}  // namespace penstock
