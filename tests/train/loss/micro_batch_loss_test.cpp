// A batch that is cut into micro-batches: what is given the weight sum of the whole must add up to it.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "tests/train/loss/loss_problem.h"

namespace penstock::train {
namespace {

/// Samples [first, first + num) of a problem.
SampleLabels slice(const LossProblem& problem, std::size_t first, std::size_t num) {
  const std::size_t outputs = problem.shape.outputs;
  SampleLabels part = problem.labels();
  if (!part.class_idx.empty()) part.class_idx = part.class_idx.subspan(first, num);
  if (!part.targets.empty()) part.targets = part.targets.subspan(first * outputs, num * outputs);
  if (!part.weights.empty()) part.weights = part.weights.subspan(first, num);
  return part;
}

void check_cut(const LossProblem& problem, const std::vector<std::size_t>& sizes) {
  const std::size_t outputs = problem.shape.outputs;
  const double weight_sum = batch_weight_sum(problem.spec, problem.shape, problem.labels());
  std::vector<double> whole(problem.scores.size()), parts(problem.scores.size());
  batch_loss_gradient<double>(problem.spec, problem.shape, problem.labels(), 1 / weight_sum,
                              problem.scores.data(), whole.data());
  LossSums sums;
  std::size_t first = 0;
  for (const std::size_t size : sizes) {
    const SampleLabels labels = slice(problem, first, size);
    const ScoreShape shape{.batch = size, .outputs = outputs};
    const double* const scores = problem.scores.data() + first * outputs;
    const LossSums part = batch_loss<double>(problem.spec, shape, labels, scores);
    sums.weighted_loss_sum += part.weighted_loss_sum;
    sums.weight_sum += part.weight_sum;
    sums.num_counted += part.num_counted;
    sums.num_correct += part.num_correct;
    batch_loss_gradient<double>(problem.spec, shape, labels, 1 / weight_sum, scores,
                                parts.data() + first * outputs);
    first += size;
  }
  const LossSums all =
      batch_loss<double>(problem.spec, problem.shape, problem.labels(), problem.scores.data());
  // Sums are added in another order; rows of the gradient are the same arithmetic.
  BOOST_TEST(sums.weighted_loss_sum == all.weighted_loss_sum, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(sums.weighted_loss_sum == problem.loss_sum, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sums.weight_sum == weight_sum, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(sums.num_counted == all.num_counted);
  BOOST_TEST(sums.num_correct == all.num_correct);
  BOOST_TEST(parts == whole, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(micro_batch_loss)

BOOST_AUTO_TEST_CASE(micro_batches_add_up_to_the_whole_batch_for_every_loss) {
  for (const LossProblem& problem : golden_losses()) {
    BOOST_TEST_REQUIRE(problem.shape.batch == 6u);
    for (const std::vector<std::size_t>& sizes :
         {std::vector<std::size_t>{6}, {1, 1, 1, 1, 1, 1}, {2, 1, 3}, {4, 2}}) {
      BOOST_TEST_CONTEXT(problem.name << " in " << sizes.size()) {
        check_cut(problem, sizes);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_micro_batch_without_a_label_adds_nothing) {
  const std::vector<std::uint32_t> class_idx = {kUnlabelled, kUnlabelled};
  const std::vector<double> scores = {1, 2, 3, 4};
  const LossSums sums = batch_loss<double>({}, {2, 2}, {.class_idx = class_idx}, scores.data());
  BOOST_TEST(sums.weighted_loss_sum == 0.0);
  BOOST_TEST(sums.weight_sum == 0.0);
  std::vector<double> gradient(4, 1.0);
  batch_loss_gradient<double>({}, {2, 2}, {.class_idx = class_idx}, 0.125, scores.data(),
                              gradient.data());
  BOOST_TEST(gradient == std::vector<double>(4, 0.0), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
