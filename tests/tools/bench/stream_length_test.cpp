#include "tools/bench/stream_length.h"

#include <boost/test/unit_test.hpp>

#include "tests/contains.h"

namespace penstock::tools::bench {
namespace {

BOOST_AUTO_TEST_SUITE(stream_lengths)

BOOST_AUTO_TEST_CASE(without_a_wish_it_is_an_epoch_or_sixteen_rings_within_256_MiB) {
  StreamBounds bounds{.num_samples = 2500, .stored_bytes = 2500 * 100'000, .batch = 32};
  BOOST_TEST(stream_length(bounds).num_batches == 78u);
  bounds.num_samples = 100;
  bounds.stored_bytes = 100 * 100'000;
  BOOST_TEST(stream_length(bounds).num_batches == 64u);  // 16 times 4
  bounds.num_samples = 1000;
  bounds.stored_bytes = 1000 * 200'000;
  BOOST_TEST(stream_length(bounds).num_batches == 41u);  // 1,342 samples are 256 MiB
  BOOST_TEST(stream_length(bounds).num_warm_batches == 8u);
  BOOST_TEST(stream_length(bounds).notes.empty());
  bounds.stored_bytes = 1000ull << 20;  // 1 MiB each
  BOOST_TEST(stream_length(bounds).num_batches == 8u);
}

BOOST_AUTO_TEST_CASE(a_wish_is_met_whatever_its_bytes_in_whole_batches) {
  StreamBounds bounds{
      .num_samples = 1000, .stored_bytes = 1000ull << 20, .batch = 32, .wanted_samples = 640};
  BOOST_TEST(stream_length(bounds).num_batches == 20u);
  BOOST_TEST(stream_length(bounds).notes.empty());
  bounds.wanted_samples = 650;
  const StreamLength length = stream_length(bounds);
  BOOST_TEST(length.num_batches == 20u);
  BOOST_REQUIRE(length.notes.size() == 1u);
  BOOST_TEST(tests::contains(length.notes[0], "--samples 650: 640 are measured"), length.notes[0]);
}

BOOST_AUTO_TEST_CASE(a_cold_stream_reads_no_sample_twice) {
  for (const std::uint64_t wanted : {0u, 100u, 5000u}) {
    for (const std::uint32_t num_slots : {2u, 4u, 8u}) {
      for (std::uint64_t epoch_batches = 0; epoch_batches < 100; ++epoch_batches) {
        const StreamLength length = stream_length({.num_samples = epoch_batches * 10 + 3,
                                                   .stored_bytes = epoch_batches * 1000,
                                                   .batch = 10,
                                                   .num_slots = num_slots,
                                                   .wanted_samples = wanted,
                                                   .is_cold = true});
        BOOST_REQUIRE(length.num_batches >= 1u);
        const bool is_within =
            length.num_warm_batches + length.num_batches + num_slots <= epoch_batches;
        const bool is_told = !length.notes.empty() && tests::contains(length.notes[0], "cold:");
        BOOST_REQUIRE(is_within != is_told);
        if (epoch_batches > 2 * num_slots) BOOST_REQUIRE(is_within);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
