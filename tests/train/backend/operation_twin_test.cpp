// Every operation of the onednn backend alone against the reference in double, which rounds nothing: both get the
// same inputs, rounded to the type first. Whole networks, whose nodes read each other's rounding, are in the twin
// tests; PyTorch's values in torch_ops_test.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/train/backend/one_operation.h"
#include "tests/train/has_bfloat16.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
namespace {

/// Relative L2 of a tensor.
constexpr double kFloat32Tolerance = 1e-5;
constexpr double kBfloat16Tolerance = 2e-2;

void round_to_bfloat16(std::vector<float>& values) {
  for (float& value : values) value = to_float(rounded_to<Bfloat16>(value));
}

void compare_all(ComputeType compute, double tolerance, const OneOperation::Rounding& round) {
  const auto builders = torch_ops_cases();
  for (const penstock::tests::GoldenCase& golden : penstock::tests::read_goldens(
           std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/train/backend/torch_ops.txt", "")) {
    const OneOperation operation(golden, builders.at(golden.name()));
    const auto expected =
        operation.play(make_reference_backend({}), operation.lowering(true), round);
    for (const bool fuse : {true, false}) {
      const auto found = operation.play(make_onednn_backend({.num_threads = 2}),
                                        operation.lowering(fuse, compute), round);
      for (const auto& [name, values] : found) {
        BOOST_TEST_CONTEXT(golden.name() << (fuse ? " fused, " : ", ") << name) {
          BOOST_TEST(relative_l2(values, expected.at(name)) < tolerance);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE(operation_twin)

BOOST_AUTO_TEST_CASE(every_operation_in_float32_equals_the_reference) {
  compare_all(ComputeType::kFloat32, kFloat32Tolerance, {});
}

BOOST_AUTO_TEST_CASE(every_operation_in_bfloat16_is_near_the_reference,
                     *boost::unit_test::precondition(tests::HasBfloat16())) {
  compare_all(ComputeType::kBfloat16, kBfloat16Tolerance, &round_to_bfloat16);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
