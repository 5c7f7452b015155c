// That no operation is left out of the models on which backends are held against differences and each other.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "train/graph/layer_types.h"

namespace penstock::train {
namespace {

/// All nodes of the models in branched_models.h and odd_models.h.
std::vector<Operation> compared_operations() {
  std::vector<ModelGraph> models = branched_models();
  for (ModelGraph& graph : std::vector{strided_model(), normalized_model(), dropping_model(),
                                       padded_pools_model(), odd_width_model()}) {
    models.push_back(std::move(graph));
  }
  std::vector<Operation> found;
  for (const ModelGraph& graph : models) {
    for (const Node& node : graph.nodes()) found.push_back(node.op);
  }
  return found;
}

BOOST_AUTO_TEST_SUITE(operation_coverage)

BOOST_AUTO_TEST_CASE(every_operation_stands_in_a_model_that_backends_are_compared_on) {
  const std::vector<Operation> operations = compared_operations();
  std::set<std::size_t> kinds;
  for (const Operation& op : operations) kinds.insert(op.index());
  for (std::size_t kind = 0; kind < std::variant_size_v<Operation>; ++kind) {
    BOOST_TEST(kinds.contains(kind), "alternative " << kind << " of Operation");
  }
}

BOOST_AUTO_TEST_CASE(every_activation_does) {
  std::set<std::string_view> names;
  for (const Operation& op : compared_operations()) {
    if (const auto* activation = std::get_if<ActivationOp>(&op))
      names.insert(activation_name(activation->kind));
  }
  for (const std::string_view name : activation_names()) BOOST_TEST(names.contains(name), name);
}

// A user's own operation has no words in a file.
BOOST_AUTO_TEST_CASE(every_one_of_them_is_a_type_of_layer_in_model_files) {
  for (const Operation& op : compared_operations()) {
    if (std::holds_alternative<InputOp>(op) || std::holds_alternative<CustomOp>(op)) continue;
    BOOST_TEST((find_layer_type(operation_name(op)) != nullptr), operation_name(op));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
