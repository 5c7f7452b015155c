// Every operation gives PyTorch's values and gradients: torch_ops.txt, which tests/interop/torch_ops.py writes.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
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

std::vector<GoldenCase> torch_ops_goldens() {
  return tests::read_goldens(
      std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/train/backend/torch_ops.txt", "");
}

// What PyTorch has no values for.
const std::vector<Operation> kWithoutCase{
    InputOp{},    // computes nothing
    DropoutOp{},  // its draws are the library's own: backend_test.cpp, reference_gradients_test.cpp
    CustomOp{},   // a user's own
};

BOOST_AUTO_TEST_SUITE(torch_ops)

BOOST_AUTO_TEST_CASE(every_operation_and_activation_has_a_case) {
  const auto builders = torch_ops_cases();
  std::set<std::size_t> kinds;
  std::set<std::string_view> activations;
  for (const GoldenCase& golden : torch_ops_goldens()) {
    BOOST_REQUIRE(builders.contains(golden.name()));
    for (const Operation& op : OneOperation(golden, builders.at(golden.name())).operations()) {
      kinds.insert(op.index());
      if (const auto* activation = std::get_if<ActivationOp>(&op)) {
        activations.insert(activation_name(activation->kind));
      }
    }
  }
  for (const Operation& op : kWithoutCase) {
    BOOST_TEST(kinds.insert(op.index()).second, "has a case: alternative " << op.index());
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<Operation>; ++kind) {
    BOOST_TEST(kinds.contains(kind), "alternative " << kind << " of Operation");
  }
  for (const std::string_view name : activation_names()) {
    BOOST_TEST(activations.contains(name), name);
  }
}

BOOST_AUTO_TEST_CASE(every_operation_gives_pytorchs_values_and_gradients) {
  const auto builders = torch_ops_cases();
  const auto goldens = torch_ops_goldens();
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
