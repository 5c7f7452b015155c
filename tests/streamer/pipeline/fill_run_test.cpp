// What a worker makes of one run, without a loader around it.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <stop_token>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/pipeline/batch_stages.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/read/admission.h"
#include "streamer/read/run_layout.h"
#include "streamer/read/sample_reader.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

const BatchSpec kSpec{.batch = 4, .height_px = 8, .width_px = 8, .element = ElementType::kUint8};

std::vector<tests::SmallSample> three_kinds() {
  return {tests::raw_sample(8, 8, 1), tests::jpeg_sample(40, 24, 2), tests::raw_sample(8, 8, 3),
          tests::jpeg_sample(16, 16, 4)};
}

// A run of four samples that has been read, and all that fills it.
struct ReadRun {
  ReadRun() {
    for (std::uint64_t i = 0; i < 4; ++i) {
      admission.plan({.sample_id = i, .position = i}, ring->slot(0).tasks[i]);
    }
    run.tasks = ring->slot(0).tasks;
    std::memset(ring->slot(0).pixels, 0x55, kSpec.pixels_bytes());
  }
  void read() {
    run.block = *arena.acquire(run_layout(run.tasks).total_bytes(), {});
    StreamHasher hasher;
    read_run(run, arena.bytes(run.block), hasher, {});
  }
  RunTimes fill(const std::stop_token& stop = {}) {
    return fill_run(
        run, {.transform = *transform, .ring = *ring, .arena = arena, .decoders = decoders}, stop);
  }
  std::vector<std::byte> place(std::size_t idx) const {
    const std::byte* first = ring->slot(0).pixels + idx * kSpec.sample_bytes();
    return {first, first + kSpec.sample_bytes()};
  }
  bool is_all(std::size_t idx, std::uint8_t value) const {
    return place(idx) == std::vector<std::byte>(kSpec.sample_bytes(), std::byte{value});
  }

  tests::TemporaryFolder folder;
  DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", three_kinds()).split("train");
  std::shared_ptr<const ResizeTransform> transform = std::make_shared<ResizeTransform>();
  Admission admission{split, {.spec = kSpec}, transform};
  MemoryBudget budget{16u << 20};
  std::shared_ptr<BatchRing> ring = std::make_shared<BatchRing>(
      BatchRing::Config{.spec = kSpec, .num_slots = 2}, budget, page_aligned_memory());
  WorkArena arena{1u << 20, budget};
  DecoderSet decoders;
  SampleRun run;
};

BOOST_FIXTURE_TEST_SUITE(fill_run_suite, ReadRun)

// A raw picture of the batch's own size comes out as it was stored.
BOOST_AUTO_TEST_CASE(every_place_of_a_run_is_filled_and_its_block_given_back) {
  read();
  const RunTimes times = fill();
  BOOST_TEST((place(0) == three_kinds()[0].encoded));
  BOOST_TEST((place(2) == three_kinds()[2].encoded));
  BOOST_TEST(!is_all(1, 0x55));
  BOOST_TEST(!is_all(3, 0x55));
  BOOST_TEST(arena.stats(0).in_flight.now_bytes == 0u);
  BOOST_TEST(times[static_cast<std::size_t>(RunPart::kDecode)] > 0);
  BOOST_TEST(times[static_cast<std::size_t>(RunPart::kRead)] == 0);
}

BOOST_AUTO_TEST_CASE(a_sample_that_failed_in_reading_or_decoding_is_zero_and_no_other_moves) {
  read();
  run.tasks[0].fault = {SampleStatus::kChecksumMismatch, "not what was stored"};
  RunParts parts(run.tasks, arena.bytes(run.block));
  parts.next_encoded(run.tasks[0]);
  const auto jpeg = parts.next_encoded(run.tasks[1]);
  std::memset(jpeg.data(), 0, jpeg.size());
  fill();
  BOOST_TEST(is_all(0, 0));
  BOOST_TEST(is_all(1, 0));
  BOOST_TEST((run.tasks[0].fault.status == SampleStatus::kChecksumMismatch));
  BOOST_TEST((run.tasks[1].fault.status == SampleStatus::kDecodeFailed));
  BOOST_TEST((place(2) == three_kinds()[2].encoded));
  BOOST_TEST((run.tasks[3].fault.status == SampleStatus::kOk));
}

BOOST_AUTO_TEST_CASE(after_a_stop_places_are_left_as_they_are_and_the_block_is_given_back) {
  read();
  std::stop_source stop;
  stop.request_stop();
  fill(stop.get_token());
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(is_all(i, 0x55));
  BOOST_TEST(arena.stats(0).in_flight.now_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(a_picture_for_the_cache_is_decoded_whole_and_served_from_there) {
  std::vector<std::byte> kept(8 * 8 * 3);
  run.tasks[0].cached = {.use = CacheUse::kFillPixels, .bytes = kept};
  read();
  fill();
  BOOST_TEST(run.tasks[0].cached.is_filled);
  BOOST_TEST((kept == three_kinds()[0].encoded));
  BOOST_TEST((place(0) == kept));

  // Another run of the same sample reads nothing and decodes nothing.
  run.tasks[0].cached.use = CacheUse::kPixels;
  for (std::byte& b : kept) b = ~b;
  read();
  fill();
  BOOST_TEST((place(0) == kept));
}

// A part of the picture may be whole where the rest is not: the cache gets nothing, the batch its part.
BOOST_AUTO_TEST_CASE(a_picture_of_which_only_the_region_decodes_is_not_kept) {
  std::vector<std::byte> kept(40 * 24 * 3);
  SampleTask& task = run.tasks[1];
  task.request.region = {0, 0, 40, 8};
  task.plan.source_region = task.request.region;
  task.cached = {.use = CacheUse::kFillPixels, .bytes = kept};
  read();
  RunParts parts(run.tasks, arena.bytes(run.block));
  parts.next_encoded(run.tasks[0]);
  const auto jpeg = parts.next_encoded(task);
  std::memset(jpeg.data() + jpeg.size() - jpeg.size() / 4, 0, jpeg.size() / 4);
  fill();
  BOOST_TEST(!task.cached.is_filled);
  BOOST_TEST((task.fault.status == SampleStatus::kOk));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
