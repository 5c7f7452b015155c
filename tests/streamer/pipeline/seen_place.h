// An epoch as a trainer sees it, place by place.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/resize_transform.h"

namespace penstock::tests {

inline const BatchSpec kSeenSpec{.batch = 8, .height_px = 16, .width_px = 16};

inline LoaderConfig seen_config(std::uint32_t num_threads) {
  return {.batch = kSeenSpec,
          .seed = 4,
          .num_readers = num_threads,
          .num_workers = num_threads,
          .max_bad_fraction = 1.0};
}

/// The limit within which a split of more than 1,024 samples has its index by pages, 16 of them.
inline std::uint64_t paged_limit_bytes(const DatasetSplit& split, const LoaderConfig& config) {
  const std::uint64_t much = std::uint64_t{1} << 40;
  const std::uint64_t least = plan_loader_memory(split, config, ResizeTransform(),
                                                 {.limit_bytes = much, .left_bytes = much})
                                  .least_bytes(config);
  const IndexForm index = plan_loader_memory(split, config, ResizeTransform(),
                                             {.limit_bytes = least, .left_bytes = least})
                              .index;
  BOOST_REQUIRE(index.num_cached_pages == 16u);
  return least;
}

// One place of an epoch as a trainer sees it.
struct SeenPlace {
  std::uint64_t sample_id = 0;
  std::uint64_t position = 0;
  std::uint32_t class_idx = 0;
  float weight = 0;
  std::vector<float> pixels;
  std::vector<SampleFault> events;  // that name this place
};

inline std::vector<SeenPlace> stream_epoch(const DatasetSplit& split, std::uint32_t num_threads,
                                           std::uint64_t limit_bytes = 64u << 20) {
  MemoryBudget budget(limit_bytes);
  Loader loader(split, seen_config(num_threads), std::make_shared<ResizeTransform>(), budget);
  std::vector<SeenPlace> places;
  const std::size_t size = kSeenSpec.sample_bytes() / sizeof(float);
  while (const BatchLease lease = loader.next()) {
    const std::size_t first = places.size();
    for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
      const float* const begin = lease->pixels_f32() + i * size;
      places.push_back({.sample_id = lease->sample_ids[i],
                        .position = lease->positions[i],
                        .class_idx = lease->class_idx[i],
                        .weight = lease->weights[i],
                        .pixels = {begin, begin + size},
                        .events = {}});
    }
    for (const SampleEvent& event : lease->events) {
      SeenPlace& place = places.at(first + event.slot_idx);
      BOOST_TEST(place.sample_id == event.sample_id);
      place.events.push_back(event.fault);
    }
  }
  return places;
}

}  // namespace penstock::tests
