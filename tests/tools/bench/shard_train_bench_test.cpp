#include "tools/bench/shard_train_bench.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/contains.h"

namespace penstock::tools::bench {
namespace {

SplitCandidate candidate(std::uint32_t num_compute, double low, double median) {
  return {.cores = {.num_compute = num_compute, .num_readers = 1, .num_workers = 1},
          .ratio = {.median = median, .low = low, .high = median + 1}};
}

BOOST_AUTO_TEST_SUITE(shard_train_bench)

BOOST_AUTO_TEST_CASE(only_a_split_that_is_clearly_faster_in_every_round_is_recommended) {
  const train::CoreSplit measured{.num_compute = 8, .num_readers = 1, .num_workers = 1};
  const auto compute = [&](const std::vector<SplitCandidate>& candidates,
                           std::uint32_t num_rounds = 3) {
    return recommended_split(candidates, measured, num_rounds).num_compute;
  };
  BOOST_TEST(compute({}) == 8u);
  BOOST_TEST(compute({candidate(7, 1.01, 1.02)}) == 8u);  // by 2 %
  BOOST_TEST(compute({candidate(7, 0.98, 1.30)}) == 8u);  // not in every round
  BOOST_TEST(compute({candidate(7, 1.04, 1.05), candidate(6, 1.05, 1.09)}) == 6u);
  BOOST_TEST(compute({candidate(7, 1.04, 1.05)}, 2) == 8u);  // too few rounds to tell
}

BOOST_AUTO_TEST_CASE(too_few_rounds_recommend_nothing_and_say_so) {
  ShardTrainResult result;
  result.recommended = result.cores = {.num_compute = 8, .num_readers = 1, .num_workers = 1};
  result.candidates = {candidate(7, 1.04, 1.30)};
  result.num_rounds = 2;
  const std::string few = shard_train_text(result);
  BOOST_TEST(penstock::tests::contains(few, "\nnothing is recommended by fewer than 3 --rounds\n"),
             few);
  BOOST_TEST(!penstock::tests::contains(few, "recommended: "), few);
  BOOST_TEST(nlohmann::json::parse(shard_train_json(result))["recommended"].is_null());
  result.num_rounds = 3;
  const std::string enough = shard_train_text(result);
  BOOST_TEST(penstock::tests::contains(
                 enough, "\nrecommended: --threads 8 --loader-threads 2, as measured\n"),
             enough);
  BOOST_TEST(nlohmann::json::parse(shard_train_json(result))["recommended"]["threads"] == 8);
}

BOOST_AUTO_TEST_CASE(text_and_json_say_what_is_computed_in) {
  ShardTrainResult result;
  result.run.batch_size = 4;
  result.run.precision = train::ComputeType::kBfloat16;
  const std::string text = shard_train_text(result);
  BOOST_TEST(penstock::tests::contains(text, ", batch 4, bfloat16;"), text);
  BOOST_TEST(nlohmann::json::parse(shard_train_json(result))["precision"] == "bfloat16");
}

BOOST_AUTO_TEST_CASE(text_and_json_say_what_is_computed_again) {
  ShardTrainResult result;
  BOOST_TEST(!penstock::tests::contains(shard_train_text(result), "computed again"));
  result.batch_note = "batch 4 with norms computed again: at once it takes more";
  result.run.recompute = train::RecomputeWish::kNorms;
  const std::string text = shard_train_text(result);
  BOOST_TEST(penstock::tests::contains(text, "\n" + result.batch_note + "\n"), text);
  BOOST_TEST(nlohmann::json::parse(shard_train_json(result))["recompute"] == "norms");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
