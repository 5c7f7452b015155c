#include "train/loop/model_weights.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/loop/small_training.h"

namespace penstock::train {
namespace {

BOOST_FIXTURE_TEST_SUITE(model_weights, tests::SmallTraining)

BOOST_AUTO_TEST_CASE(weights_that_are_no_numbers_are_not_exported) {
  Program& program = programs.any_program();
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    program.import_param(0, ParamPart::kMaster, std::vector<float>{1, 2, 3, bad, 5, 6});
    BOOST_CHECK_EXCEPTION(export_weights(program), Error, [&](const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument &&
             std::string(error.what()) == "weights: head.weight: expected finite numbers, found " +
                                              std::to_string(bad) +
                                              " at 3: the training diverged" &&
             error.hint() == "lower --learning-rate";
    });
  }
}

BOOST_AUTO_TEST_CASE(weights_leave_and_come_back_by_name_and_shape) {
  Program& program = programs.any_program();
  std::vector<NamedTensor> tensors = export_weights(program);
  BOOST_REQUIRE(tensors.size() == 2u);
  BOOST_TEST(tensors[0].name == "head.weight");
  BOOST_TEST((tensors[0].shape == std::vector<std::uint64_t>{2, 3}));
  tensors[0].values = {1, 2, 3, 4, 5, 6};
  std::swap(tensors[0], tensors[1]);
  import_weights(program, tensors, "w");
  BOOST_TEST((export_weights(program)[0].values == std::vector<float>{1, 2, 3, 4, 5, 6}));
  tensors[1].shape = {3, 2};
  BOOST_CHECK_EXCEPTION(import_weights(program, tensors, "w"), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "model: w: tensor \"head.weight\": expected [2, 3], found [3, 2]";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
