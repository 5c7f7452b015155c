#include "train/loss/custom_loss.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/loss/huber_loss.h"
#include "train/loss/batch_loss.h"

namespace penstock::train {
namespace {

/// Three samples, the last one of weight 0.
struct Problem {
  LossSpec spec{.kind = LossKind::kCustom, .custom = std::make_shared<tests::HuberLoss>()};
  ScoreShape shape{3, 3};
  std::vector<float> targets = {0, 1, 3, -1.5f, 0.25f, 2, 7, 7, 7};
  std::vector<float> weights = {1, 2, 0};

  SampleLabels labels() const { return {{}, targets, weights}; }
};

template <class T>
std::vector<T> scores() {
  return {T(0.5), T(-2), T(3.25), T(1), T(0.25), T(-0.75), T(0), T(0), T(0)};
}

BOOST_AUTO_TEST_SUITE(custom_loss)

// torch.nn.HuberLoss(delta=1, reduction='none') of PyTorch 2.15, means over the outputs: 0.885416666...,
// 1.416666666...; within 1 of their targets are the outputs 0 and 2 of the first sample.
BOOST_AUTO_TEST_CASE(a_loss_of_ones_own_is_summed_by_weight) {
  const Problem problem;
  const LossSums sums =
      batch_loss<double>(problem.spec, problem.shape, problem.labels(), scores<double>().data());
  BOOST_TEST(sums.weighted_loss_sum == 0.88541666666666663 + 2 * 1.4166666666666667,
             boost::test_tools::tolerance(1e-14));
  BOOST_TEST(sums.weight_sum == 3.0);
  BOOST_TEST(sums.num_counted == 2u);
  BOOST_TEST(sums.num_correct == 0u);
}

BOOST_AUTO_TEST_CASE(it_says_itself_which_samples_are_right) {
  Problem problem;
  problem.targets[1] = -1.5f;
  const std::vector<float> z = scores<float>();
  BOOST_TEST(
      batch_loss<float>(problem.spec, problem.shape, problem.labels(), z.data()).num_correct == 1u);
}

// By autograd of PyTorch 2.15, times weight / 3; written over the scores.
BOOST_AUTO_TEST_CASE(its_gradient_is_scaled_and_may_be_written_over_the_scores) {
  const Problem problem;
  std::vector<double> z = scores<double>();
  batch_loss_gradient<double>(problem.spec, problem.shape, problem.labels(), 1.0 / 3, z.data(),
                              z.data());
  const std::vector<double> by_autograd = {1.0 / 6, -1.0 / 3, 1.0 / 12, 1.0 / 3, 0, -1.0 / 3};
  for (std::size_t i = 0; i < 6; ++i) {
    const double weight = i < 3 ? 1 : 2;
    BOOST_TEST(z[i] == by_autograd[i] * weight / 3, boost::test_tools::tolerance(1e-14));
  }
  for (std::size_t i = 6; i < 9; ++i) BOOST_TEST(z[i] == 0.0);
}

BOOST_AUTO_TEST_CASE(a_label_is_a_target_of_1) {
  Problem problem;
  problem.targets = {0, 1, 0, 0, 0, 1, 1, 0, 0};
  const std::vector<std::uint32_t> labels = {1, 2, 0};
  const std::vector<float> z = scores<float>();
  const SampleLabels by_class{labels, {}, problem.weights};
  const LossSums a = batch_loss<float>(problem.spec, problem.shape, problem.labels(), z.data());
  const LossSums b = batch_loss<float>(problem.spec, problem.shape, by_class, z.data());
  BOOST_TEST(a.weighted_loss_sum == b.weighted_loss_sum);
}

BOOST_AUTO_TEST_CASE(a_kind_without_its_loss_and_a_loss_without_its_kind_are_refused) {
  BOOST_CHECK_THROW(LossSpec{.kind = LossKind::kCustom}.validate(), Error);
  BOOST_CHECK_THROW(LossSpec{.custom = std::make_shared<tests::HuberLoss>()}.validate(), Error);
  BOOST_CHECK_THROW(parse_loss("custom"), Error);  // a run file cannot bring one
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
