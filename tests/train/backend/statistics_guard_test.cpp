#include "train/backend/statistics_guard.h"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kMean = 2;  // parameters of the norm: scale, shift, mean, variance
constexpr std::size_t kVariance = 3;

/// The norm sees the pixels themselves, so its statistics are theirs.
ModelGraph pixel_norm_model() {
  ModelGraph graph("pixel_norm", {2, 3, 3});
  NodeId x = graph.batch_norm("bn", graph.input(), {.momentum = 0.25});
  x = graph.dense("head", graph.flatten("flat", x), {.units = 3});
  graph.set_output(x);
  return graph;
}

/// Mean of a channel over some samples of a batch.
double mean_of(ToyBatch& batch, std::size_t first, std::size_t num_samples, std::size_t channel) {
  double sum = 0;
  for (std::size_t n = first; n < first + num_samples; ++n) {
    for (std::size_t i = 0; i < 9; ++i) {
      sum += static_cast<double>(batch.values()[batch.place(n, channel, i)]);
    }
  }
  return sum / static_cast<double>(num_samples * 9);
}

/// One step in micro-batches of 4 samples on program 0 and 2 on program 1.
UpdateReport step_in_parts(Bench& bench, const ToyBatch& batch, std::uint64_t step) {
  bench.backend().upload(batch.lease(), 0);
  for (const std::uint32_t first : {0u, 4u}) {
    Program& program = bench.program(first == 0 ? 0 : 1);
    bench.backend().set_scalars({.learning_rate = 0.01,
                                 .inv_weight_sum = batch.inv_weight_sum(),
                                 .first_sample = first,
                                 .step = step},
                                0);
    program.run(Phase::kForward, 0);
    program.run(first == 0 ? Phase::kBackward : Phase::kBackwardAdd, 0);
    bench.backend().poll();
  }
  return bench.update(1);
}

/// Both statistics of both channels.
std::vector<float> statistics(Bench& bench) {
  std::vector<float> values = bench.read(kMean);
  for (const float value : bench.read(kVariance)) values.push_back(value);
  return values;
}

BOOST_AUTO_TEST_SUITE(statistics_guard)

BOOST_AUTO_TEST_CASE(running_statistics_of_a_step_that_is_not_finite_are_those_before) {
  for (const std::string_view name : backend_names()) {
    BOOST_TEST_CONTEXT(name) {
      Bench bench(make_backend(name, {.num_threads = 2}), normalized_model(), {{.batch = 4}});
      bench.step(bench.batch(4, 1), {.learning_rate = 0.01});
      const std::size_t num_params = bench.graph().parameters().size();
      std::vector<std::vector<float>> before;
      for (std::size_t i = 0; i < num_params; ++i) before.push_back(bench.read(i));
      ToyBatch bad = bench.batch(4, 2);
      bad.values()[5] = kInfinity;
      for (std::uint64_t step = 1; step < 3; ++step) {  // twice in a row
        bench.forward_and_backward(bad, {.learning_rate = 0.01, .step = step});
        BOOST_TEST(!bench.update().is_finite);
        for (std::size_t i = 0; i < num_params; ++i) {
          BOOST_TEST_CONTEXT(bench.graph().parameters()[i].name) {
            BOOST_TEST(bench.read(i) == before[i], boost::test_tools::per_element());
          }
        }
      }
      // As if the bad ones had not been.
      Bench other(make_backend(name, {.num_threads = 2}), normalized_model(), {{.batch = 4}});
      other.step(other.batch(4, 1), {.learning_rate = 0.01});
      for (Bench* one : {&bench, &other}) {
        one->step(one->batch(4, 3), {.learning_rate = 0.01, .step = 3});
      }
      for (std::size_t i = 0; i < num_params; ++i) BOOST_TEST((bench.read(i) == other.read(i)));
    }
  }
}

// PyTorch's rule for each micro-batch in turn: running = 0.75 running + 0.25 mean.
BOOST_AUTO_TEST_CASE(every_micro_batch_moves_the_statistics_and_a_bad_one_undoes_the_whole_step) {
  for (const std::string_view name : backend_names()) {
    BOOST_TEST_CONTEXT(name) {
      Bench bench(make_backend(name, {.num_threads = 2}), pixel_norm_model(),
                  {{.batch = 4, .accumulates = true}, {.batch = 2, .accumulates = true}});
      ToyBatch batch = bench.batch(6, 1);
      BOOST_TEST(step_in_parts(bench, batch, 0).is_finite);
      for (std::size_t c = 0; c < 2; ++c) {
        const double expected =
            0.75 * 0.25 * mean_of(batch, 0, 4, c) + 0.25 * mean_of(batch, 4, 2, c);
        BOOST_TEST(static_cast<double>(bench.read(kMean)[c]) == expected,
                   boost::test_tools::tolerance(1e-5));
      }
      const std::vector<float> before = statistics(bench);
      ToyBatch bad = bench.batch(6, 2);
      bad.values()[bad.place(5, 1, 0)] = kInfinity;  // in the second part
      BOOST_TEST(!step_in_parts(bench, bad, 1).is_finite);
      BOOST_TEST(statistics(bench) == before, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(statistics_that_are_imported_stay_whatever_the_step_under_way_comes_to) {
  for (const std::string_view name : backend_names()) {
    Bench bench(make_backend(name, {.num_threads = 1}), pixel_norm_model(), {{.batch = 4}});
    ToyBatch bad = bench.batch(4, 2);
    bad.values()[0] = kInfinity;
    bench.forward_and_backward(bad, {.learning_rate = 0.01});
    bench.program().import_param(kMean, ParamPart::kMaster, std::vector{3.0f, 4.0f});
    BOOST_TEST(!bench.update().is_finite);
    BOOST_TEST((bench.read(kMean) == std::vector{3.0f, 4.0f}));
    BOOST_TEST((bench.read(kVariance) == std::vector{1.0f, 1.0f}));  // initial ones
  }
}

BOOST_AUTO_TEST_CASE(a_step_that_is_given_up_leaves_the_statistics_as_they_were) {
  for (const std::string_view name : backend_names()) {
    Bench bench(make_backend(name, {.num_threads = 1}), pixel_norm_model(),
                {{.batch = 4, .accumulates = true}});
    bench.step(bench.batch(4, 1), {.learning_rate = 0.01});
    const std::vector<float> before = statistics(bench);
    for (std::uint32_t run = 0; run < 2; ++run) {
      bench.forward_and_backward(bench.batch(4, 2 + run), {.learning_rate = 0.01, .step = 1});
    }
    BOOST_TEST((statistics(bench) != before));
    bench.program().run(Phase::kDrop, 0);
    BOOST_TEST((statistics(bench) == before));
    bench.step(bench.batch(4, 5), {.learning_rate = 0.01, .step = 1});
    BOOST_TEST((statistics(bench) != before));
  }
}

struct GuardFixture {
  std::vector<float> running{1, 2};
  std::vector<float> before_step = std::vector<float>(2);
  StepUnderWay step;
  StatisticsGuard<float> guard{step, {{2, running.data(), before_step.data()}}};

  /// A forward run that leaves these statistics.
  void run(std::vector<float> moved, bool is_loss_finite) {
    guard.begin_run();
    std::ranges::copy(moved, running.begin());
    guard.end_run(is_loss_finite);
  }
};

BOOST_FIXTURE_TEST_CASE(one_bad_loss_among_good_ones_makes_the_step_bad, GuardFixture) {
  run({3, 4}, true);
  BOOST_TEST(guard.is_finite());
  run({5, 6}, false);
  run({7, 8}, true);
  BOOST_TEST(!guard.is_finite());
  guard.end_step(false);
  BOOST_TEST((running == std::vector<float>{1, 2}));
  run({3, 4}, true);  // the next step is judged by itself
  BOOST_TEST(guard.is_finite());
  guard.end_step(true);
  BOOST_TEST((running == std::vector<float>{3, 4}));
}

// A variance beyond float's range hides behind normalized values that are all 0.
BOOST_FIXTURE_TEST_CASE(statistics_that_are_no_numbers_make_a_step_bad, GuardFixture) {
  run({3, kInfinity}, true);
  BOOST_TEST(!guard.is_finite());
  guard.end_step(false);
  BOOST_TEST((running == std::vector<float>{1, 2}));
}

BOOST_FIXTURE_TEST_CASE(an_update_without_a_forward_run_puts_nothing_back, GuardFixture) {
  guard.end_step(false);
  BOOST_TEST((running == std::vector<float>{1, 2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
