#include "train/loop/model_weights.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "tests/train/loop/small_training.h"

namespace penstock::train {
namespace {

struct Fixture : tests::SmallTraining {
  penstock::tests::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "w";
  Program& program = programs.any_program();

  std::vector<float> head() {
    std::vector<float> values(6);
    weights_source(program).fill(0, values);
    return values;
  }
};

BOOST_FIXTURE_TEST_SUITE(model_weights, Fixture)

BOOST_AUTO_TEST_CASE(weights_that_are_no_numbers_are_not_stored) {
  publish_tensors(path, weights_source(program));
  const std::string before = read_text_file(path);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    program.import_param(0, ParamPart::kMaster, std::vector<float>{1, 2, 3, bad, 5, 6});
    BOOST_CHECK_EXCEPTION(publish_tensors(path, weights_source(program)), Error,
                          [&](const Error& error) {
                            return error.code() == ErrorCode::kInvalidArgument &&
                                   std::string(error.what()) ==
                                       "weights: head.weight: expected finite numbers, found " +
                                           std::to_string(bad) + " at 3: the training diverged" &&
                                   error.hint() == "lower --learning-rate";
                          });
    BOOST_TEST(read_text_file(path) == before);
    BOOST_TEST(penstock::tests::count_entries(folder.path()) == 1u);
  }
}

// The bytes of a file of the same tensors in memory; those of safetensors_test.cpp are made by hand.
BOOST_AUTO_TEST_CASE(a_programs_weights_have_the_bytes_of_the_same_tensors_in_memory) {
  program.import_param(0, ParamPart::kMaster, std::vector<float>{1, 2, 3, 4, 5, 6});
  program.import_param(1, ParamPart::kMaster, std::vector<float>{7, 8});
  const FileSeal seal = publish_tensors(path, weights_source(program));
  const std::filesystem::path twin = folder.path() / "twin";
  const FileSeal expected = write_safetensors(
      twin, {.tensors = {{"head.weight", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"head.bias", {2}, {7, 8}}},
             .metadata = {{"format", "penstock"}}});
  BOOST_TEST((seal == expected));
  BOOST_TEST(read_text_file(path) == read_text_file(twin));
}

BOOST_AUTO_TEST_CASE(weights_come_back_by_name_whatever_their_order) {
  TensorFile content{
      .tensors = {{"head.bias", {2}, {7, 8}}, {"head.weight", {2, 3}, {1, 2, 3, 4, 5, 6}}},
      .metadata = {}};
  write_safetensors(path, content);
  load_weights(program, path);
  BOOST_TEST(head() == (std::vector<float>{1, 2, 3, 4, 5, 6}), boost::test_tools::per_element());
  content.tensors[0].values = {0, 0};
  content.tensors[1].shape = {3, 2};
  write_safetensors(path, content);
  BOOST_CHECK_EXCEPTION(load_weights(program, path), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kCorruptData &&
           std::string(error.what()) == "model: " + path.native() +
                                            ": tensor \"head.weight\": expected [2, 3], found "
                                            "[3, 2]";
  });
  std::vector<float> bias(2);
  program.export_param(1, ParamPart::kMaster, bias);
  BOOST_TEST(bias == (std::vector<float>{7, 8}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
