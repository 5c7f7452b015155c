#include "tools/bench/train_bench.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/contains.h"
#include "tests/train/has_bfloat16.h"

namespace penstock::tools::bench {
namespace {

using penstock::tests::contains;

train::ModelGraph two_convolutions() {
  train::ModelGraph graph("two", {.channels = 3, .height = 16, .width = 16});
  train::NodeId x = graph.conv2d("conv1", graph.input(), {.filters = 8, .has_bias = false});
  x = graph.batch_norm("bn", x);
  x = graph.relu("relu", x);
  x = graph.conv2d("conv2", x, {.filters = 4, .has_bias = false});
  x = graph.global_avg_pool("pool", x);
  x = graph.dense("head", x, {.units = 2});
  graph.set_output(x);
  return graph;
}

const LayerCost& layer(const TrainBenchResult& result, const std::string& name) {
  const auto found = std::ranges::find(result.layers, name, &LayerCost::name);
  BOOST_REQUIRE_MESSAGE(found != result.layers.end(), name);
  return *found;
}

BOOST_AUTO_TEST_SUITE(train_bench)

BOOST_AUTO_TEST_CASE(the_step_stands_beside_its_convolutions_alone) {
  const TrainBenchResult result =
      bench_train(two_convolutions(), {.batch_size = 4, .num_threads = 1, .num_rounds = 2});
  BOOST_TEST(result_named(result.sides, kStepSideName).ceiling == kBareSideName);
  const SideResult& step = result_named(result.sides, kStepSideName);
  BOOST_TEST(step.samples_per_s.low > 0.0);
  BOOST_TEST(step.ratio.has_value());
  BOOST_TEST(result.start_s > 0.0);
  BOOST_TEST(result.memory.arena_bytes > 0u);
  BOOST_TEST(result.memory.peak_bytes > 0u);
  BOOST_TEST(result.bare_bytes > 0u);
  BOOST_TEST(result.update.seconds > 0.0);
  BOOST_TEST(contains(result.explanation, "relu: with bn"), result.explanation);
}

// The bounds are those that a run's forecast is held to.
BOOST_AUTO_TEST_CASE(a_forecast_is_met_within_3_percent_of_the_arena_and_10_of_the_process) {
  const MemoryForecast met{.arena_bytes = 100'000'000,
                           .arena_held_bytes = 102'900'000,
                           .process_bytes = 110'000'000,
                           .peak_bytes = 120'900'000};
  BOOST_TEST(met.is_met().value());
  MemoryForecast other = met;
  other.arena_held_bytes = 96'900'000;
  BOOST_TEST(!other.is_met().value());
  other = met;
  other.peak_bytes = 121'100'000;
  BOOST_TEST(!other.is_met().value());
  other.process_bytes = 67'000'000;
  BOOST_TEST(!other.is_met().has_value());
}

// 4 pictures of 3 x 16 x 16 floats. Above them 128 KiB for each of three layers and 6 MiB of the library;
// or 768 x 5000 weights, which are more.
BOOST_AUTO_TEST_CASE(a_forecast_of_the_process_counts_initial_values_or_the_librarys_own) {
  const auto beside_arena = [](const train::ModelGraph& graph) {
    const MemoryForecast memory =
        bench_train(graph, {.batch_size = 4, .num_threads = 1, .num_rounds = 1}).memory;
    return memory.process_bytes - memory.arena_bytes;
  };
  constexpr std::uint64_t kBatchBytes = 4 * 768 * 4;
  BOOST_TEST(beside_arena(two_convolutions()) == kBatchBytes + 3 * 131072 + 6291456);
  train::ModelGraph dense("dense", {.channels = 3, .height = 16, .width = 16});
  dense.set_output(dense.dense("head", dense.flatten("flatten", dense.input()), {.units = 5000}));
  BOOST_TEST(beside_arena(dense) == kBatchBytes + 768 * 5000 * 4);
}

BOOST_AUTO_TEST_CASE(operations_of_a_step_are_those_of_the_passes_that_it_has) {
  const TrainBenchResult result =
      bench_train(two_convolutions(), {.batch_size = 4, .num_threads = 1, .num_rounds = 1});
  // Twice a multiply-add for each of 3 x 3 x 3 weights and 8 x 16 x 16 outputs of 4 samples; the
  // first layer has no gradient by its input: two passes, the others three.
  BOOST_TEST(layer(result, "conv1").flops == 2.0 * 2 * 27 * 8 * 256 * 4);
  BOOST_TEST(layer(result, "conv2").flops == 3.0 * 2 * 72 * 4 * 256 * 4);
  BOOST_TEST(layer(result, "bn").flops == 0.0);
  for (const char* name : {"conv1", "conv2", "head"}) {
    BOOST_TEST(layer(result, name).is_weighted);
    BOOST_TEST(layer(result, name).bare_forward.seconds > 0.0);
    BOOST_TEST(layer(result, name).bare_backward.seconds > 0.0);
  }
  for (const char* name : {"conv1", "bn", "conv2", "pool", "head", "loss"}) {
    BOOST_TEST(layer(result, name).forward.seconds > 0.0);
    BOOST_TEST(layer(result, name).backward.seconds > 0.0);
  }
}

BOOST_AUTO_TEST_CASE(text_and_json_tell_the_same) {
  const TrainBenchResult result =
      bench_train(two_convolutions(), {.batch_size = 4, .num_threads = 1, .num_rounds = 1});
  const std::string text = train_bench_text(result);
  for (const char* part : {"two, 3x16x16, 2 classes, batch 4, float32;", "bare convolutions",
                           "training step", "conv2", "batch_norm", "update", "memory: arena ",
                           " forecast, ", " held (", "too small to tell", "first step"}) {
    BOOST_TEST(contains(text, part), text);
  }
  const auto json = nlohmann::json::parse(train_bench_json(result));
  BOOST_TEST(json["precision"] == "float32");
  BOOST_TEST(json["arena_bytes"] == result.memory.arena_bytes);
  BOOST_TEST(json["arena_held_bytes"] == result.memory.arena_held_bytes);
  BOOST_TEST(json["forecast_bytes"] == result.memory.process_bytes);
  BOOST_TEST(json["is_forecast_met"].is_null());  // 16 x 16 pixels
  BOOST_TEST(json["layers"].size() == result.layers.size());
  BOOST_TEST(json["sides"][1]["step_ms"]["median"].get<double>() ==
                 4e3 / result.sides[1].samples_per_s.median,
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(json["operations"]["update"]["ms"].get<double>() == result.update.seconds * 1e3);
}

// A value takes half the bytes. The rest of both is little: masters, sums over channels, scratchpads.
BOOST_AUTO_TEST_CASE(in_bfloat16_the_step_and_its_ceiling_hold_little_more_than_half,
                     *boost::unit_test::precondition(train::tests::HasBfloat16())) {
  const auto measured = [](train::ComputeType compute) {
    return bench_train(two_convolutions(),
                       {.batch_size = 64, .compute = compute, .num_threads = 1, .num_rounds = 1});
  };
  const TrainBenchResult exact = measured(train::ComputeType::kFloat32);
  const TrainBenchResult rounded = measured(train::ComputeType::kBfloat16);
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  BOOST_TEST(share(rounded.memory.arena_bytes, exact.memory.arena_bytes) < 0.75);
  BOOST_TEST(share(rounded.bare_bytes, exact.bare_bytes) < 0.75);
  BOOST_TEST(layer(rounded, "conv2").flops == layer(exact, "conv2").flops);
  BOOST_TEST(contains(train_bench_text(rounded), "2 classes, batch 64, bfloat16;"));
  BOOST_TEST(nlohmann::json::parse(train_bench_json(rounded))["precision"] == "bfloat16");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
