#include "train/store/checkpoint_writer.h"

#include <boost/test/unit_test.hpp>
#include <numeric>
#include <stdexcept>

#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/temporary_folder.h"
#include "tests/train/store/small_checkpoint.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using tests::difference_from_small;
using tests::HasEma;
using tests::small_checkpoint;

struct Fixture {
  tests::TemporaryFolder run{tests::quick_disk()};
  fs::path folder = run.path() / "checkpoints";
};

BOOST_FIXTURE_TEST_SUITE(checkpoint_writer, Fixture)

// Bit for bit: NaN with a payload, minus zero, infinity and denormals are among the values.
BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const CheckpointEntry entry = write_checkpoint(folder, small_checkpoint(1234));
  BOOST_TEST(entry.name() == "000001-step-000001234");
  BOOST_TEST(difference_from_small(CheckpointReader::open(entry.path)) == "");
  BOOST_TEST(tests::count_entries(folder) == 1u);
  BOOST_TEST(tests::count_entries(entry.path) == 4u);
}

BOOST_AUTO_TEST_CASE(ema_weights_are_left_out_where_there_are_none) {
  const CheckpointEntry entry = write_checkpoint(folder, small_checkpoint(5, HasEma::kNo));
  BOOST_TEST(difference_from_small(CheckpointReader::open(entry.path), HasEma::kNo) == "");
  BOOST_TEST(tests::count_entries(entry.path) == 3u);
}

BOOST_AUTO_TEST_CASE(an_optimizer_without_state_has_a_file_without_tensors) {
  CheckpointContent content = small_checkpoint(5);
  content.optimizer = {};
  const CheckpointReader reader =
      CheckpointReader::open(write_checkpoint(folder, std::move(content)).path);
  BOOST_TEST(reader.tensors(TensorGroup::kOptimizer).tensors().empty());
}

BOOST_AUTO_TEST_CASE(the_same_step_may_be_stored_twice) {
  write_checkpoint(folder, small_checkpoint(7));
  const CheckpointEntry second = write_checkpoint(folder, small_checkpoint(7));
  BOOST_TEST(second.name() == "000002-step-000000007");
  BOOST_TEST(find_resumable(folder).checkpoint.path() == second.path);
}

// A serial counts what was killed too: its folder may not be removable.
BOOST_AUTO_TEST_CASE(leftovers_are_removed_and_their_serial_is_not_used_again) {
  write_checkpoint(folder, small_checkpoint(7));
  fs::create_directories(folder / "000008-step-000000009.tmp/inside");
  fs::create_directory(folder / "mine.tmp");
  BOOST_TEST(write_checkpoint(folder, small_checkpoint(9)).name() == "000009-step-000000009");
  BOOST_TEST(!fs::exists(folder / "000008-step-000000009.tmp"));
  BOOST_TEST(fs::exists(folder / "mine.tmp"));
}

BOOST_AUTO_TEST_CASE(the_best_result_names_the_checkpoint_that_holds_it) {
  CheckpointContent content = small_checkpoint(7);
  content.state.best->checkpoint = "000003-step-000000001";
  const CheckpointEntry entry = write_checkpoint(folder, std::move(content));
  BOOST_TEST(CheckpointReader::open(entry.path).state().best->checkpoint ==
             "000003-step-000000001");
}

BOOST_AUTO_TEST_CASE(a_tensor_that_cannot_be_had_leaves_what_was_there) {
  write_checkpoint(folder, small_checkpoint(7));
  CheckpointContent content = small_checkpoint(9);
  content.optimizer.fill = [](std::size_t tensor_idx, std::span<float>) {
    if (tensor_idx == 1) throw std::runtime_error("the device is gone");
  };
  BOOST_CHECK_EXCEPTION(
      write_checkpoint(folder, std::move(content)), std::runtime_error,
      [](const std::exception& e) { return std::string(e.what()) == "the device is gone"; });
  BOOST_TEST(tests::count_entries(folder) == 1u);
  BOOST_TEST(find_resumable(folder).checkpoint.state().step == 7u);
}

BOOST_AUTO_TEST_CASE(a_state_out_of_its_range_is_refused_before_a_tensor_is_written) {
  CheckpointContent content = small_checkpoint(9);
  content.state.micro_batch = 0;
  content.model.fill = [](std::size_t, std::span<float>) { BOOST_ERROR("a tensor was asked for"); };
  BOOST_CHECK_THROW(write_checkpoint(folder, std::move(content)), Error);
  BOOST_TEST(tests::count_entries(folder) == 0u);
}

BOOST_AUTO_TEST_CASE(tensors_that_no_reader_takes_are_not_written) {
  const auto refusal_of = [&](std::vector<TensorSpec> tensors) -> std::string {
    CheckpointContent content = small_checkpoint(9);
    content.model.tensors = std::move(tensors);
    try {
      write_checkpoint(folder, std::move(content));
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
      BOOST_TEST(tests::count_entries(folder) == 0u);
      return error.what();
    }
    return "accepted";
  };
  BOOST_TEST(refusal_of({{"a", {1}}, {"a", {1}}}) ==
             "safetensors: expected names of their own, found \"a\"");
  BOOST_TEST(refusal_of({{"a", {1ull << 40, 1ull << 40}}}) ==
             "safetensors: tensor \"a\": expected a size below 2^64 bytes, found [1099511627776, "
             "1099511627776]");
  BOOST_TEST(refusal_of({{"a", std::vector<std::uint64_t>(17, 1)}}) ==
             "safetensors: tensor \"a\": expected at most 16 dimensions, found 17");
  BOOST_TEST(refusal_of(std::vector<TensorSpec>(kMaxTensors + 1)) ==
             "safetensors: expected at most 100000 tensors, found 100001");
}

// Eight tensors of a mebibyte: writing takes one of them, and what is small besides.
BOOST_AUTO_TEST_CASE(writing_takes_the_memory_of_the_largest_tensor) {
  constexpr std::size_t kNumValues = 1u << 18;
  CheckpointContent content = small_checkpoint(9);
  content.model.tensors.clear();
  for (int i = 0; i < 8; ++i) content.model.tensors.push_back({std::to_string(i), {kNumValues}});
  std::vector<std::size_t> asked;
  content.model.fill = [&](std::size_t tensor_idx, std::span<float> values) {
    BOOST_TEST(values.size() == kNumValues);
    asked.push_back(tensor_idx);
    std::iota(values.begin(), values.end(), static_cast<float>(tensor_idx));
  };
  tests::reset_peak();
  const std::size_t before = tests::allocated_bytes().now;
  const CheckpointEntry entry = write_checkpoint(folder, std::move(content));
  BOOST_TEST(tests::allocated_bytes().peak - before < sizeof(float) * kNumValues + 200'000);
  BOOST_TEST(asked == (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}),
             boost::test_tools::per_element());
  std::vector<float> values(kNumValues);
  CheckpointReader::open(entry.path).tensors(TensorGroup::kModel).read({"7", {kNumValues}}, values);
  BOOST_TEST(values[1000] == 1007.0f);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_a_file_is_an_error_of_its_own) {
  publish_file(folder, "x");
  BOOST_CHECK_EXCEPTION(write_checkpoint(folder, small_checkpoint(1)), Error, [&](const Error& e) {
    return e.code() == ErrorCode::kIo &&
           std::string(e.what()) == "list folder: " + folder.native() + ": Not a directory";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
