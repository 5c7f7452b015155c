// Every operation gives PyTorch's values and gradients: torch_ops.txt, which tests/interop/torch_ops.py writes.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/train/backend/computer.h"
#include "tests/train/backend/one_operation.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
namespace {

using tests::GoldenCase;

std::unique_ptr<Backend> make_float_reference(const BackendSettings&) {
  return make_float_reference_backend();
}

// The file's seven digits, or sums of float32.
const std::vector<Computer> kComputers{{"reference", &make_reference_backend, true, 1e-6},
                                       {"reference in float", &make_float_reference, true, 1e-5},
                                       {"onednn", &make_onednn_backend, true, 1e-5},
                                       {"onednn, not fused", &make_onednn_backend, false, 1e-5}};

BOOST_AUTO_TEST_SUITE(torch_ops)

BOOST_AUTO_TEST_CASE(every_operation_gives_pytorchs_values_and_gradients) {
  const auto builders = torch_ops_cases();
  const auto goldens = tests::read_goldens(
      std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/train/backend/torch_ops.txt", "");
  BOOST_TEST(goldens.size() == builders.size());
  for (const GoldenCase& golden : goldens) {
    for (const Computer& computer : kComputers) {
      BOOST_TEST_CONTEXT(golden.name() << ", " << computer.name) {
        BOOST_REQUIRE(builders.contains(golden.name()));
        const OneOperation operation(golden, builders.at(golden.name()));
        const auto found =
            operation.play(computer.make({.num_threads = 2}), operation.lowering(computer.fuse));
        for (const auto& [name, values] : found) {
          BOOST_TEST_CONTEXT(name) {
            const auto expected = golden.values_or_none<float>(name);
            BOOST_REQUIRE(values.size() == expected.size());
            BOOST_TEST(relative_l2(values, expected) < computer.tolerance);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
