// The verdict on figures made by hand.
#include "streamer/pipeline/loader_stats.h"

#include <boost/test/unit_test.hpp>
#include <utility>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_stats)

// Ten seconds after the first batch, with two readers and two workers.
LoaderStats ten_seconds(std::uint64_t consumer_wait_us) {
  LoaderStats stats;
  stats.source.num_batches = 100;
  stats.source.consumer_wait_us = 500'000 + consumer_wait_us;
  stats.first_batch_wait_us = 500'000;
  stats.depth = {.num_readers = 2, .num_workers = 2, .num_slots = 4};
  stats.elapsed_us = 10'500'000;
  return stats;
}

void check(const LoaderStats& stats, Bottleneck expected, const std::string& text) {
  const Verdict found = verdict(stats);
  BOOST_CHECK(found.bottleneck == expected);
  BOOST_TEST(found.text == text);
}

BOOST_AUTO_TEST_CASE(workers_that_mostly_decode_make_decode_the_bottleneck) {
  LoaderStats stats = ten_seconds(3'400'000);
  stats.read_busy_us = 1'000'000;  // of 21 s of two readers
  stats.checksum_busy_us = 50'000;
  stats.decode_busy_us = 18'536'700;  // 91 % of 20.37, which are 97 % of 21
  stats.augment_busy_us = 1'833'300;
  check(
      stats, Bottleneck::kDecode,
      "decode is the bottleneck: workers were busy 97 % of the time, 91 % of it decoding, readers "
      "5 %; the consumer waited 34 % of its time");
}

BOOST_AUTO_TEST_CASE(workers_that_mostly_augment_make_augment_the_bottleneck) {
  LoaderStats stats = ten_seconds(5'000'000);
  stats.read_busy_us = 8'400'000;
  stats.decode_busy_us = 4'000'000;
  stats.augment_busy_us = 16'000'000;
  check(stats, Bottleneck::kAugment,
        "augment is the bottleneck: workers were busy 95 % of the time, 80 % of it augmenting, "
        "readers 40 %; the consumer waited 50 % of its time");
}

BOOST_AUTO_TEST_CASE(readers_that_are_busier_than_workers_make_the_disk_the_bottleneck) {
  LoaderStats stats = ten_seconds(6'000'000);
  stats.read_busy_us = 16'000'000;
  stats.checksum_busy_us = 4'000'000;
  stats.decode_busy_us = 2'000'000;
  stats.augment_busy_us = 100'000;
  check(stats, Bottleneck::kDisk,
        "disk is the bottleneck: readers were busy 95 % of the time, 80 % of it reading, workers "
        "10 %; the consumer waited 60 % of its time");
  std::swap(stats.read_busy_us, stats.checksum_busy_us);
  check(
      stats, Bottleneck::kChecksum,
      "checksum is the bottleneck: readers were busy 95 % of the time, 80 % of it checking stored "
      "bytes, workers 10 %; the consumer waited 60 % of its time");
}

BOOST_AUTO_TEST_CASE(a_consumer_that_hardly_waits_is_the_bottleneck_however_busy_the_loader_is) {
  LoaderStats stats = ten_seconds(300'000);
  stats.decode_busy_us = 18'900'000;
  stats.read_busy_us = 2'100'000;
  check(stats, Bottleneck::kConsumer,
        "the consumer is the bottleneck: it waited 3 % of its time; readers were busy 10 % of the "
        "time, workers 90 %");
  stats.source.consumer_wait_us += 10'000;  // above 3 %
  BOOST_CHECK(verdict(stats).bottleneck == Bottleneck::kDecode);
}

BOOST_AUTO_TEST_CASE(nothing_is_said_before_one_round_of_the_ring) {
  LoaderStats stats = ten_seconds(5'000'000);
  stats.decode_busy_us = 20'000'000;
  stats.source.num_batches = 4;
  check(stats, Bottleneck::kNothingYet,
        "nothing to say yet: 4 batches were handed out, one round of the ring is 4");
  stats.source.num_batches = 5;
  BOOST_CHECK(verdict(stats).bottleneck == Bottleneck::kDecode);
  check({}, Bottleneck::kNothingYet,
        "nothing to say yet: 0 batches were handed out, one round of the ring is 0");
}

BOOST_AUTO_TEST_CASE(a_wait_for_memory_that_keeps_threads_idle_is_named) {
  LoaderStats stats = ten_seconds(5'000'000);
  stats.decode_busy_us = 10'500'000;
  stats.admission_memory_wait_us = 9'450'000;
  check(
      stats, Bottleneck::kDecode,
      "decode is the bottleneck: workers were busy 50 % of the time, 100 % of it decoding, readers "
      "0 %; the consumer waited 50 % of its time; samples waited 90 % of the time for memory, so "
      "more of it would help");
  stats.decode_busy_us = 17'000'000;  // 81 %: decoding is what fills the memory
  BOOST_TEST(verdict(stats).text.find("memory") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cache_is_told_in_one_line) {
  BOOST_TEST(cache_text({}) == "");
  BOOST_TEST(cache_text({.limit_bytes = 4u << 20,
                         .kept_bytes = 3584u << 10,
                         .num_kept = 120,
                         .num_places = 600,
                         .num_hits = 480}) ==
             "cache: 120 pictures in 3.5 MiB of 4.0 MiB, 80 % of 600 places served from it");
  BOOST_TEST(cache_text({.limit_bytes = 1024, .kept_bytes = 64, .num_kept = 1}) ==
             "cache: 1 picture in 64 B of 1.0 KiB, 0 % of 0 places served from it");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
