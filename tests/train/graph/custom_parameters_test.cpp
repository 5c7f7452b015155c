// What a user's own operation may ask for.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "train/graph/custom_operation.h"
#include "train/graph/model_graph.h"

namespace penstock::train {
namespace {

struct Asks final : CustomOperation {
  std::vector<CustomParameter> wanted;
  TensorShape output{2, 1, 1};
  std::string title = "asks";

  std::string name() const override { return title; }
  TensorShape output_shape(std::span<const TensorShape>) const override { return output; }
  std::vector<CustomParameter> parameters(std::span<const TensorShape>) const override {
    return wanted;
  }
  std::uint64_t forward_flops(std::span<const TensorShape>) const override { return 0; }
  void forward(const CustomTensors&, float*) const override {}
  void backward(const CustomTensors&, const float*, std::span<float* const>,
                std::span<float* const>) const override {}
};

std::string refusal_of(const Asks& asks, const std::string& layer = "own") {
  ModelGraph graph("g", {2, 1, 1});
  const NodeId from[] = {graph.input()};
  try {
    graph.custom(layer, from, std::make_shared<Asks>(asks));
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

Asks asking_for(std::vector<CustomParameter> wanted) {
  Asks asks;
  asks.wanted = std::move(wanted);
  return asks;
}

BOOST_AUTO_TEST_SUITE(custom_parameters)

BOOST_AUTO_TEST_CASE(parameters_of_different_names_and_some_size_are_taken) {
  BOOST_TEST(refusal_of(asking_for({{.name = "w", .shape = {2, 3}},
                                    {.name = "w-2", .shape = {1}},
                                    {.name = "Bias_3", .shape = {}}})) == "none");
}

BOOST_AUTO_TEST_CASE(two_parameters_of_one_name_are_refused) {
  BOOST_TEST(refusal_of(asking_for({{.name = "w", .shape = {1}}, {.name = "w", .shape = {2}}})) ==
             "model: own: expected parameters of different names, found two called 'w'");
}

BOOST_AUTO_TEST_CASE(names_that_files_and_buffers_use_otherwise_are_refused) {
  for (const std::string name : {"", "a.b", "w:momentum", "a b"}) {
    BOOST_TEST(refusal_of(asking_for({{.name = name, .shape = {1}}})) ==
               "model: own: expected a parameter's name of letters, digits, _ and -, found '" +
                   name + "'");
  }
  Asks titled;
  titled.title = "a:b";  // what its layers are called where the model says nothing
  BOOST_TEST(refusal_of(titled, "") ==
             "model: a:b: expected a name of letters, digits, _, - and dots, found 'a:b'");
}

// 2^21 * 2^20 is 2^41, and 2^32 - 1 cubed is beyond 64 bits.
BOOST_AUTO_TEST_CASE(empty_and_endless_tensors_are_refused) {
  BOOST_TEST(refusal_of(asking_for({{.name = "w", .shape = {4, 0, 3}}})) ==
             "model: own.w: expected sides of 1 or more, found [4, 0, 3]");
  BOOST_TEST(refusal_of(asking_for({{.name = "w", .shape = {1u << 21, 1u << 20}}})) ==
             "model: own.w: expected at most 1099511627776 elements, found [2097152, 1048576]");
  BOOST_TEST(refusal_of(asking_for({{.name = "w", .shape = {UINT32_MAX, UINT32_MAX, UINT32_MAX}}}))
                 .find("expected at most 1099511627776 elements") != std::string::npos);
  Asks nothing;
  nothing.output = {3, 0, 2};
  BOOST_TEST(refusal_of(nothing) == "model: own: expected sides of 1 or more, found [3, 0, 2]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
