// Counts by hand: 10 positions, batches of 2 on each of 2 ranks, so 4 positions a step.
#include "streamer/order/stream_epochs.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

StreamEpochs::Config ten_positions() {
  return {.whole = {.num_positions = 10, .batch = 2, .rank = {.index = 0, .world = 2}},
          .first_epoch = 3,
          .num_epochs = 4};
}

BOOST_AUTO_TEST_SUITE(stream_epochs)

BOOST_AUTO_TEST_CASE(a_stream_is_its_epochs_one_after_the_other) {
  const StreamEpochs epochs(ten_positions());
  BOOST_TEST(num_batches(epochs.shape(3)) == 3u);
  BOOST_TEST(*epochs.num_batches_total() == 12u);
}

BOOST_AUTO_TEST_CASE(only_the_first_epoch_is_shorter_when_it_is_resumed) {
  StreamEpochs::Config config = ten_positions();
  config.first_position = 8;
  const StreamEpochs epochs(config);
  BOOST_TEST(num_batches(epochs.shape(3)) == 1u);
  BOOST_TEST(num_batches(epochs.shape(4)) == 3u);
  BOOST_TEST(*epochs.num_batches_total() == 10u);
}

BOOST_AUTO_TEST_CASE(an_epoch_with_nothing_left_counts_as_one_of_the_epochs) {
  StreamEpochs::Config config = ten_positions();
  config.first_position = 10;
  BOOST_TEST(*StreamEpochs(config).num_batches_total() == 9u);
}

BOOST_AUTO_TEST_CASE(no_epochs_are_no_batches_and_no_end_is_no_number) {
  StreamEpochs::Config config = ten_positions();
  config.num_epochs = 0;
  BOOST_TEST(*StreamEpochs(config).num_batches_total() == 0u);
  config.num_epochs = std::nullopt;
  BOOST_TEST(!StreamEpochs(config).num_batches_total());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
