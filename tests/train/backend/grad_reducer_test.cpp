#include <boost/test/unit_test.hpp>

#include "tests/train/backend/doubled_steps.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(grad_reducer)

// Twice the gradients at half the scale are the same to the bit, so what is compared is where and when the reducer
// is asked.
BOOST_AUTO_TEST_CASE(an_update_takes_the_sums_of_all_ranks) {
  for (const char* name : {"reference", "onednn"}) {
    for (const bool accumulates : {false, true}) {
      BOOST_TEST_CONTEXT(name << (accumulates ? " in parts" : "")) {
        DoublingReducer reducer;
        check_doubled_steps([&] { return make_backend(name); }, reducer, accumulates);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(one_rank_is_its_own_sum) {
  OneRankReducer one;
  BOOST_TEST(one.num_ranks() == 1u);
  const ModelGraph graph = doubled_steps_model();
  BOOST_TEST((weights_after_steps(make_backend("onednn"), graph, {.grad_reducer = &one}, 1) ==
              weights_after_steps(make_backend("onednn"), graph, {}, 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
