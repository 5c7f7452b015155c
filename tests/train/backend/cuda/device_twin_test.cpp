// Whole programs of the backend `cuda` against the reference, on a device that takes every liberty: own kernels from
// the module's source, products as plain loops.
#include <boost/test/unit_test.hpp>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/device_compare.h"
#include "tests/train/backend/cuda/stand_in/stand_in_backend.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/wide_models.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::StandIn;

BOOST_AUTO_TEST_SUITE(device_twin)

BOOST_AUTO_TEST_CASE(every_model_equals_the_reference_fused_and_node_by_node) {
  std::uint64_t seed = 0;
  for (const auto& models : {odd_models(), branched_models(), wide_models()}) {
    for (const ModelGraph& graph : models) {
      if (is_custom(graph)) continue;
      for (const bool fuse : {true, false}) {
        BOOST_TEST_CONTEXT(graph.name() << (fuse ? " fused" : " node by node")) {
          StandIn stand_in(++seed);
          compare_with_reference(stand_in.backend(), graph, fuse, 6);
          BOOST_TEST(stand_in.device.faults().empty());
          BOOST_TEST(stand_in.device.allocated_bytes() == 0u);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_operation_of_a_user_is_refused) {
  StandIn stand_in(1);
  const auto backend = stand_in.backend();
  BOOST_CHECK_EXCEPTION(backend->lower(custom_model(), {.batch = 2}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kUnsupported; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
