#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train {
namespace {

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

/// Two steps in one piece, and the same in micro-batches of 4, 4 and 2 samples.
void compare(std::string_view backend, const ModelGraph& graph) {
  constexpr std::uint32_t kBatch = 10;
  Bench whole(make_backend(backend, {.num_threads = 2}), graph, {{.batch = kBatch}});
  Bench parts(make_backend(backend, {.num_threads = 2}), graph,
              {{.batch = 4, .accumulates = true}, {.batch = 2, .accumulates = true}});
  for (unsigned step = 0; step < 2; ++step) {
    const StepScalars scalars{.learning_rate = 0.05, .step = step, .seed = 4};
    ToyBatch batch = whole.batch(kBatch, step);
    batch.weights()[3] = 0.25f;
    batch.labels()[7] = kUnlabelled;
    const StepReport expected = whole.forward_and_backward(batch, scalars);
    StepReport found;
    parts.backend().upload(batch.lease(), 0);
    for (std::uint32_t first = 0; first < kBatch; first += 4) {
      Program& program = parts.program(first < 8 ? 0 : 1);
      StepScalars own = scalars;
      own.first_sample = first;
      own.inv_weight_sum = batch.inv_weight_sum();
      parts.backend().set_scalars(own, 0);
      program.run(Phase::kForward, 0);
      const StepReport report = parts.backend().poll().value();
      found.weighted_loss_sum += report.weighted_loss_sum;
      found.weight_sum += report.weight_sum;
      found.num_counted += report.num_counted;
      found.num_correct += report.num_correct;
      program.run(first == 0 ? Phase::kBackward : Phase::kBackwardAdd, 0);
    }
    BOOST_TEST(found.weighted_loss_sum == expected.weighted_loss_sum,
               boost::test_tools::tolerance(1e-6));
    BOOST_TEST(found.weight_sum == expected.weight_sum);
    BOOST_TEST(found.num_counted == 9u);
    BOOST_TEST(found.num_correct == expected.num_correct);
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", step " << step) {
        BOOST_TEST(largest_difference(parts.read(i, ParamPart::kGrad),
                                      whole.read(i, ParamPart::kGrad)) < 2e-6);
      }
    }
    whole.update();
    parts.update();
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      BOOST_TEST(largest_difference(parts.read(i), whole.read(i)) < 1e-6);
    }
  }
}

BOOST_AUTO_TEST_SUITE(accumulation)

// Without batch norm a sample's gradient does not depend on the others of its batch. Sums in another order
// differ by rounding: gradients here are below 2 and have 24 bits.
BOOST_AUTO_TEST_CASE(micro_batches_add_up_to_one_batch) {
  for (const std::string_view backend : backend_names()) {
    for (const ModelGraph& graph : {strided_model(), mobile_model(), normed_samples_model()}) {
      BOOST_TEST_CONTEXT(backend << ", " << graph.name()) {
        compare(backend, graph);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_part_beyond_the_batch_is_refused) {
  for (const std::string_view backend : backend_names()) {
    Bench bench(make_backend(backend, {.num_threads = 1}), strided_model(), {{.batch = 4}});
    const ToyBatch batch = bench.batch(6, 1);
    bench.backend().upload(batch.lease(), 0);
    bench.backend().set_scalars({.first_sample = 3}, 0);
    BOOST_CHECK_EXCEPTION(bench.program().run(Phase::kForward, 0), Error, [](const Error& error) {
      return std::string(error.what()).find("from sample 3 on") != std::string::npos;
    });
    bench.backend().set_scalars({.first_sample = 2}, 0);
    bench.program().run(Phase::kForward, 0);
    BOOST_CHECK_EXCEPTION(
        bench.program().run(Phase::kBackwardAdd, 0), Error,
        [](const Error& error) { return error.hint() == "Lowering::accumulates"; });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
