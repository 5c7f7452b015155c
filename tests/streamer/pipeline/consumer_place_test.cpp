// Two epochs of 3 batches, from epoch 5.
#include "streamer/pipeline/consumer_place.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <new>
#include <vector>

#include "streamer/core/error.h"

namespace penstock {
namespace {

struct Stream {
  StreamEpochs::Config config{
      .whole = {.num_positions = 6, .batch = 2}, .first_epoch = 5, .num_epochs = 2};

  static void take(ConsumerPlace& place, std::uint32_t epoch, std::uint32_t num_valid = 2) {
    BatchView batch;
    batch.epoch = epoch;
    batch.num_valid = num_valid;
    place.count(batch);
  }
  static std::string refusal(const ConsumerPlace& place, std::uint32_t epoch) {
    try {
      place.check_comes_next(epoch);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

BOOST_FIXTURE_TEST_SUITE(consumer_place, Stream)

BOOST_AUTO_TEST_CASE(an_epoch_comes_next_until_its_last_batch_is_taken) {
  ConsumerPlace place{StreamEpochs(config)};
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(place.has_batches_left(5));
    BOOST_TEST(!place.has_batches_left(6));
    BOOST_TEST(refusal(place, 6) == "loader: epoch: expected 5, which comes next, found 6");
    take(place, 5);
  }
  BOOST_TEST(!place.has_batches_left(5));
  BOOST_TEST(place.has_batches_left(6));
  BOOST_TEST(refusal(place, 5) == "loader: epoch: expected 6, which comes next, found 5");
}

// As a loader is made where another one lay: the words before it are the number of all batches.
BOOST_AUTO_TEST_CASE(what_lay_in_its_memory_before_is_of_no_effect) {
  alignas(ConsumerPlace) std::array<std::uint64_t, sizeof(ConsumerPlace) / 8 + 1> memory{};
  memory.fill(6);
  auto* place = new (memory.data()) ConsumerPlace{StreamEpochs(config)};
  BOOST_TEST(place->has_batches_left(5));
  BOOST_TEST(!place->has_batches_left(6));
  BOOST_TEST(refusal(*place, 6) == "loader: epoch: expected 5, which comes next, found 6");
  place->~ConsumerPlace();
}

BOOST_AUTO_TEST_CASE(it_counts_batches_and_samples_and_knows_the_end) {
  ConsumerPlace place{StreamEpochs(config)};
  for (int i = 0; i < 6; ++i) {
    BOOST_TEST(!place.has_ended());
    take(place, i < 3 ? 5 : 6, i == 5 ? 1 : 2);
  }
  BOOST_TEST(place.has_ended());
  BOOST_TEST(place.num_batches() == 6u);
  BOOST_TEST(place.num_samples() == 11u);
  BOOST_TEST(refusal(place, 7) == "loader: epoch: expected none, all 2 are delivered, found 7");
}

BOOST_AUTO_TEST_CASE(a_resumed_epoch_with_nothing_left_is_both_this_one_and_over) {
  config.first_position = 6;
  const ConsumerPlace place{StreamEpochs(config)};
  BOOST_TEST(refusal(place, 5) == "");
  BOOST_TEST(refusal(place, 6) == "");
  BOOST_TEST(!place.has_batches_left(5));
  BOOST_TEST(place.has_batches_left(6));
}

BOOST_AUTO_TEST_CASE(a_stream_of_no_epochs_has_ended) {
  config.num_epochs = 0;
  const ConsumerPlace place{StreamEpochs(config)};
  BOOST_TEST(place.has_ended());
  BOOST_TEST(!place.has_batches_left(5));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
