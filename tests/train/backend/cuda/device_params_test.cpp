#include "train/backend/cuda/device_params.h"

#include <boost/test/unit_test.hpp>
#include <numeric>

namespace penstock::train::cuda {
namespace {

BOOST_AUTO_TEST_SUITE(device_params)

// By hand: two filters over two channels of 1 x 3 places, padded to four channels.
BOOST_AUTO_TEST_CASE(convolution_weights_are_stored_with_channels_last_and_padded) {
  const StoredShape shape{.outer = 2, .inner = 2, .places = 3, .stored_inner = 4};
  std::vector<float> canonical(12);
  std::iota(canonical.begin(), canonical.end(), 1.0f);
  std::vector<float> stored(shape.num_stored(), -1.0f);
  to_stored(shape, canonical, stored);
  const std::vector<float> expected = {1, 4,  0, 0, 2, 5,  0, 0, 3, 6,  0, 0,
                                       7, 10, 0, 0, 8, 11, 0, 0, 9, 12, 0, 0};
  BOOST_TEST(stored == expected, boost::test_tools::per_element());
  std::vector<float> back(12);
  from_stored(shape, stored, back);
  BOOST_TEST(back == canonical, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_input_of_few_channels_is_padded_where_convolutions_alone_read_it) {
  ModelGraph graph("colour", {3, 8, 8});
  const NodeId convolved = graph.conv2d("conv", graph.input(), {.filters = 5, .kernel = {3, 3}});
  graph.set_output(graph.dense("head", graph.global_avg_pool("pool", convolved), {.units = 2}));
  BOOST_TEST(stored_input_channels(graph) == 4u);
  BOOST_TEST(stored_shape(graph, 0).num_stored() == 5u * 3 * 3 * 4);
  BOOST_TEST(stored_shape(graph, 2).num_stored() == 2u * 5);

  ModelGraph normed("normed", {3, 8, 8});
  const NodeId norm = normed.batch_norm("norm", normed.input());
  normed.set_output(normed.dense("head", normed.global_avg_pool("pool", norm), {.units = 2}));
  BOOST_TEST(stored_input_channels(normed) == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
