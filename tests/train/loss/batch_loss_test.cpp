#include "train/loss/batch_loss.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tests/train/loss/loss_problem.h"

namespace penstock::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> gradient_of(const LossProblem& problem) {
  const std::vector<T> scores = problem.scores_as<T>();
  std::vector<T> gradient(scores.size());
  const T inverse = static_cast<T>(1.0 / problem.weight_sum);
  batch_loss_gradient<T>(problem.spec, problem.shape, problem.labels(), inverse, scores.data(),
                         gradient.data());
  return gradient;
}

// Both sides have the same values in double, so what differs is the order of additions.
template <class T>
void check_against_pytorch(double tolerance) {
  for (const LossProblem& problem : golden_losses()) {
    BOOST_TEST_CONTEXT(problem.name) {
      const std::vector<T> scores = problem.scores_as<T>();
      const LossSums sums =
          batch_loss<T>(problem.spec, problem.shape, problem.labels(), scores.data());
      BOOST_TEST(std::abs(sums.weighted_loss_sum - problem.loss_sum) <=
                 tolerance * (1 + std::abs(problem.loss_sum)));
      BOOST_TEST(std::abs(sums.weight_sum - problem.weight_sum) <= 1e-12);
      const std::vector<T> gradient = gradient_of<T>(problem);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        BOOST_TEST_CONTEXT("gradient " << i) {
          BOOST_TEST(std::abs(static_cast<double>(gradient[i]) - problem.gradient[i]) <= tolerance);
        }
      }
    }
  }
}

/// Scores of one sample, alone in its batch.
struct OneSample {
  LossSpec spec;
  std::vector<double> scores;
  std::vector<std::uint32_t> class_idx = {};
  std::vector<float> targets = {};
};

struct OneResult {
  double loss = 0;
  std::vector<double> gradient;
};

template <class T>
OneResult result_of(const OneSample& sample) {
  const ScoreShape shape{.batch = 1, .outputs = sample.scores.size()};
  const SampleLabels labels{.class_idx = sample.class_idx, .targets = sample.targets};
  std::vector<T> values(sample.scores.begin(), sample.scores.end());
  const double loss = batch_loss<T>(sample.spec, shape, labels, values.data()).weighted_loss_sum;
  // In place: the gradient may take the scores' memory.
  batch_loss_gradient<T>(sample.spec, shape, labels, T{1}, values.data(), values.data());
  return {loss, std::vector<double>(values.begin(), values.end())};
}

BOOST_AUTO_TEST_SUITE(batch_loss_test)

BOOST_AUTO_TEST_CASE(losses_and_gradients_in_double_are_those_of_pytorch) {
  BOOST_TEST(golden_losses().size() >= 20u);
  std::set<std::string_view> followed;
  for (const LossProblem& problem : golden_losses()) followed.insert(loss_name(problem.spec.kind));
  for (const std::string_view name : loss_names()) BOOST_TEST(followed.contains(name), name);
  check_against_pytorch<double>(1e-12);
}

BOOST_AUTO_TEST_CASE(losses_and_gradients_in_float_are_those_of_pytorch_to_rounding) {
  check_against_pytorch<float>(2e-6);
}

// A step of 1e-5 leaves a truncation error of about 1e-10 and a rounding error of about 1e-11.
BOOST_AUTO_TEST_CASE(gradients_are_central_differences) {
  for (const LossProblem& problem : golden_losses()) {
    const std::vector<double> gradient = gradient_of<double>(problem);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      std::vector<double> moved = problem.scores;
      const auto loss_at = [&](double score) {
        moved[i] = score;
        return batch_loss<double>(problem.spec, problem.shape, problem.labels(), moved.data())
            .weighted_loss_sum;
      };
      const double rise = loss_at(problem.scores[i] + 1e-5) - loss_at(problem.scores[i] - 1e-5);
      BOOST_TEST_CONTEXT(problem.name << " " << i) {
        BOOST_TEST(std::abs(rise / 2e-5 / problem.weight_sum - gradient[i]) < 1e-8);
      }
    }
  }
}

// By hand: with scores so far apart every sigmoid and softmax is 0 or 1, and a wrong side costs its
// distance.
BOOST_AUTO_TEST_CASE(scores_of_ten_thousand_give_finite_losses_and_gradients) {
  const double far = 1e4;
  struct Case {
    const char* what;
    OneSample sample;
    double loss;
    std::vector<double> gradient;
  };
  const LossSpec softmax{}, binary{.kind = LossKind::kBinaryCrossEntropy};
  const LossSpec focal{.kind = LossKind::kSoftmaxFocal, .focal_gamma = 0.5};
  const LossSpec binary_focal{.kind = LossKind::kBinaryFocal, .focal_gamma = 0.5};
  const Case cases[] = {
      {"softmax, wrong", {softmax, {far, -far}, {1}}, 2 * far, {1, -1}},
      {"softmax, right", {softmax, {far, -far}, {0}}, 0, {0, 0}},
      {"softmax, smoothed, right",
       {{.label_smoothing = 0.5}, {far, -far}, {0}},
       0.25 * 2 * far,
       {0.25, -0.25}},
      {"focal, wrong", {focal, {far, -far}, {1}}, 2 * far, {1, -1}},
      {"focal, right", {focal, {far, -far}, {0}}, 0, {0, 0}},
      {"binary, wrong", {binary, {far, -far}, {}, {0, 1}}, far, {0.5, -0.5}},
      {"binary, right", {binary, {far, -far}, {}, {1, 0}}, 0, {0, 0}},
      {"binary focal, wrong", {binary_focal, {far, -far}, {}, {0, 1}}, far, {0.5, -0.5}},
      {"binary focal, right", {binary_focal, {far, -far}, {}, {1, 0}}, 0, {0, 0}},
      {"squared",
       {{.kind = LossKind::kMeanSquaredError}, {far, -far}, {}, {0, 0}},
       far * far,
       {far, -far}},
      {"absolute",
       {{.kind = LossKind::kMeanAbsoluteError}, {far, -far}, {}, {0, 0}},
       far,
       {0.5, -0.5}},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.what) {
      for (const OneResult& result : {result_of<double>(c.sample), result_of<float>(c.sample)}) {
        BOOST_TEST(result.loss == c.loss);
        BOOST_TEST(result.gradient == c.gradient, boost::test_tools::per_element());
      }
    }
  }
}

// log(1 + exp(-30)) and its softmax form, from the series exp(-30) - exp(-60) / 2.
BOOST_AUTO_TEST_CASE(small_losses_keep_their_digits) {
  const double expected = 9.357622968839737e-14;
  for (const OneSample& sample :
       {OneSample{{}, {30, 0}, {0}},
        OneSample{{.kind = LossKind::kBinaryCrossEntropy}, {30}, {}, {1}}}) {
    BOOST_TEST(result_of<double>(sample).loss == expected, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(result_of<float>(sample).loss == expected, boost::test_tools::tolerance(1e-6));
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_of_an_absolute_error_is_0_where_the_error_is) {
  const OneResult result = result_of<double>(
      {{.kind = LossKind::kMeanAbsoluteError}, {2.5, 3.0, 2.0, 2.5}, {}, {2.5f, 2.5f, 2.5f, 2.5f}});
  BOOST_TEST(result.gradient == (std::vector<double>{0, 0.25, -0.25, 0}),
             boost::test_tools::per_element());
}

// Lin et al. 2017: with gamma 0 the focal loss is the cross-entropy.
BOOST_AUTO_TEST_CASE(a_focal_loss_with_gamma_0_is_the_cross_entropy) {
  const auto check = [](LossSpec plain, const std::vector<std::uint32_t>& label,
                        const std::vector<float>& targets) {
    const std::vector<double> scores = {0.5, -1.25, 3.0};
    const OneResult expected = result_of<double>({plain, scores, label, targets});
    plain.kind = is_softmax_loss(plain.kind) ? LossKind::kSoftmaxFocal : LossKind::kBinaryFocal;
    plain.focal_gamma = 0;
    const OneResult found = result_of<double>({plain, scores, label, targets});
    BOOST_TEST(found.loss == expected.loss, boost::test_tools::tolerance(1e-14));
    for (std::size_t k = 0; k < scores.size(); ++k) {
      BOOST_TEST(std::abs(found.gradient[k] - expected.gradient[k]) < 1e-15);
    }
  };
  check({.label_smoothing = 0.1, .class_weights = {1, 2, 3}}, {1}, {});
  check({.kind = LossKind::kBinaryCrossEntropy, .label_smoothing = 0.1}, {}, {1, 0, 1});
}

BOOST_AUTO_TEST_CASE(samples_without_label_or_weight_count_nowhere_whatever_their_scores) {
  const std::vector<double> scores = {1, 2, kNan, kNan, 0, 1, kNan, 5};
  const std::vector<std::uint32_t> class_idx = {0, kUnlabelled, 1, 0};
  const std::vector<float> weights = {1, 1, 3, 0};
  const ScoreShape shape{.batch = 4, .outputs = 2};
  const SampleLabels labels{.class_idx = class_idx, .weights = weights};
  const LossSums sums = batch_loss<double>({}, shape, labels, scores.data());
  // ln(1 + e) for the first, ln(1 + 1 / e) for the third.
  BOOST_TEST(sums.weighted_loss_sum == 1.3132616875182228 + 3 * 0.31326168751822286,
             boost::test_tools::tolerance(1e-14));
  BOOST_TEST(sums.weight_sum == 4.0);
  BOOST_TEST(sums.num_counted == 2u);
  BOOST_TEST(sums.num_correct == 1u);
  std::vector<double> gradient(8, kNan);
  batch_loss_gradient<double>({}, shape, labels, 0.25, scores.data(), gradient.data());
  for (const std::size_t i : {2u, 3u, 6u, 7u}) BOOST_TEST(gradient[i] == 0.0);
  BOOST_TEST(gradient[5] == 0.75 * (0.7310585786300049 - 1), boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(a_score_that_is_no_number_makes_a_sum_that_is_not_finite) {
  const std::vector<float> targets = {1, 0};
  for (const std::string_view name : loss_names()) {
    const LossKind kind = parse_loss(name);
    for (const std::vector<double>& scores : {std::vector<double>{kNan, 1}, {1, kNan}}) {
      BOOST_TEST_CONTEXT(name) {
        BOOST_TEST(!batch_loss<double>({.kind = kind}, {1, 2}, {.targets = targets}, scores.data())
                        .is_finite());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(right_samples_are_counted_as_each_kind_of_loss_understands_it) {
  const std::vector<double> scores = {1, 1, 0, -1, 2, -3};
  const ScoreShape shape{.batch = 2, .outputs = 3};
  const std::vector<float> targets = {1, 1, 1, 0, 1, 1};
  const std::vector<std::uint32_t> first = {0, 1}, second = {1, 2};
  const auto num_correct = [&](LossKind kind, const SampleLabels& labels) {
    return batch_loss<double>({.kind = kind}, shape, labels, scores.data()).num_correct;
  };
  // Of tied scores the first is the predicted class.
  BOOST_TEST(num_correct(LossKind::kSoftmaxCrossEntropy, {.class_idx = first}) == 2u);
  BOOST_TEST(num_correct(LossKind::kSoftmaxFocal, {.class_idx = second}) == 0u);
  BOOST_TEST(num_correct(LossKind::kSoftmaxCrossEntropy, {.targets = targets}) == 2u);
  // A score of 0 is a probability of 0.5, which predicts the label, and a target of half is one; the
  // second sample misses its last.
  BOOST_TEST(num_correct(LossKind::kBinaryCrossEntropy, {.targets = targets}) == 1u);
  const std::vector<float> halves = {0.5f, 0.5f, 0.5f, 0.25f, 0.5f, 0.25f};
  BOOST_TEST(num_correct(LossKind::kBinaryFocal, {.targets = halves}) == 2u);
  BOOST_TEST(num_correct(LossKind::kMeanSquaredError, {.targets = targets}) == 0u);
}

BOOST_AUTO_TEST_CASE(labels_that_do_not_fit_are_refused_before_anything_is_written) {
  const std::vector<double> scores = {0, 0};
  std::vector<double> gradient = {7, 7};
  const std::vector<std::uint32_t> class_idx = {2};
  const SampleLabels labels{.class_idx = class_idx};
  BOOST_CHECK_THROW(batch_loss<double>({}, {1, 2}, labels, scores.data()), Error);
  BOOST_CHECK_THROW(
      batch_loss_gradient<double>({}, {1, 2}, labels, 1, scores.data(), gradient.data()), Error);
  BOOST_TEST(gradient[0] == 7.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
