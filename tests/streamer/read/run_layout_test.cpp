#include "streamer/read/run_layout.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(run_layout_parts)

SampleTask task_of(std::uint32_t length_bytes, std::size_t decoded_bytes,
                   std::size_t scratch_bytes) {
  SampleTask task;
  task.record.length_bytes = length_bytes;
  task.price = {.decoded_bytes = decoded_bytes, .scratch_bytes = scratch_bytes};
  return task;
}

// By hand: stored bytes of 100, 64 and 1 take 128 + 64 + 64, the rest is the largest of each.
BOOST_AUTO_TEST_CASE(stored_bytes_add_up_and_the_rest_is_there_once) {
  std::vector<SampleTask> tasks = {task_of(100, 1000, 10), task_of(64, 3000, 20),
                                   task_of(1, 2000, 700)};
  tasks[0].plan.scratch_bytes = 800;
  const RunLayout layout = run_layout(tasks);
  BOOST_TEST(layout.encoded_bytes == 256u);
  BOOST_TEST(layout.scratch_bytes == 832u);
  BOOST_TEST(layout.decoded_bytes == 3008u);
  BOOST_TEST(layout.total_bytes() == 256u + 832u + 3008u);
}

BOOST_AUTO_TEST_CASE(no_part_of_a_block_overlaps_another) {
  const std::vector<SampleTask> tasks = {task_of(100, 1000, 10), task_of(64, 3000, 20),
                                         task_of(1, 2000, 700)};
  std::vector<std::byte> block(run_layout(tasks).total_bytes());
  RunParts parts(tasks, block);
  const std::byte* end = block.data();
  for (const SampleTask& task : tasks) {
    const auto encoded = parts.next_encoded(task);
    BOOST_TEST(encoded.size() == task.record.length_bytes);
    BOOST_TEST((encoded.data() == end));
    end = encoded.data() + align_up(encoded.size());
  }
  BOOST_TEST((parts.scratch().data() == end));
  BOOST_TEST((parts.decoded().data() == end + parts.scratch().size()));
  BOOST_TEST((parts.decoded().data() + parts.decoded().size() == block.data() + block.size()));
}

BOOST_AUTO_TEST_CASE(what_the_cache_holds_takes_no_room_in_the_block) {
  std::vector<std::byte> cache(200);
  std::vector<SampleTask> tasks = {task_of(100, 1000, 10), task_of(100, 5000, 6000),
                                   task_of(100, 2000, 20)};
  tasks[0].cached = {.use = CacheUse::kFillEncoded, .bytes = std::span(cache).first(128)};
  tasks[1].cached = {.use = CacheUse::kPixels, .bytes = cache};
  tasks[1].plan.scratch_bytes = 900;
  const RunLayout layout = run_layout(tasks);
  BOOST_TEST(layout.encoded_bytes == 128u);  // the third
  BOOST_TEST(layout.scratch_bytes == 960u);  // of the transform
  BOOST_TEST(layout.decoded_bytes == 2048u);

  std::vector<std::byte> block(layout.total_bytes());
  RunParts parts(tasks, block);
  BOOST_TEST((parts.next_encoded(tasks[0]).data() == cache.data()));
  BOOST_TEST(parts.next_encoded(tasks[1]).empty());
  BOOST_TEST((parts.next_encoded(tasks[2]).data() == block.data()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
