// Steps on a real device beside the reference, and the order of work in them. Prints SKIPPED where none answers.
#include <boost/test/unit_test.hpp>
#include <iostream>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/device_compare.h"
#include "tests/train/backend/cuda/on_device/device_under_test.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/wide_models.h"

namespace penstock::train::cuda {
namespace {

using tests::DeviceUnderTest;

/// cuDNN adds up in float32, in an order of its own.
constexpr double kToleranceFactor = 10;

struct Fixture {
  const DeviceUnderTest& device = DeviceUnderTest::get();
};

BOOST_FIXTURE_TEST_SUITE(gpu_step, Fixture)

BOOST_AUTO_TEST_CASE(every_model_on_a_device_equals_the_reference) {
  if (!device.is_there("every_model_on_a_device_equals_the_reference")) return;
  int num_models = 0;
  for (const auto& models : {odd_models(), branched_models(), wide_models()}) {
    for (const ModelGraph& graph : models) {
      if (is_custom(graph)) continue;
      ++num_models;
      for (const bool fuse : {true, false}) {
        BOOST_TEST_CONTEXT(graph.name() << (fuse ? " fused" : " node by node")) {
          compare_with_reference(device.backend(), graph, fuse, 6, kToleranceFactor);
        }
      }
    }
  }
  std::cout << "FIGURES: {\"models\": " << num_models << "}" << std::endl;
}

BOOST_AUTO_TEST_CASE(without_a_device_a_backend_is_refused_with_the_reason) {
  const CudaModule& module = device.module();
  if (module.has_device()) return;
  BOOST_CHECK_EXCEPTION(module.make_backend({}), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kUnsupported && error.what() == module.reason() &&
           error.hint() == "--device cpu";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
