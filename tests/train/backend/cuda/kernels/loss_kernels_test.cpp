// Against the loops of train/loss/batch_loss.h in double, over scores rounded to the type.
#include "train/backend/cuda/kernels/loss_kernels.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/loss/batch_loss.h"

namespace penstock::train::cuda {
namespace {

using tests::KernelValues;

constexpr float kLossScale = 512;

/// A batch with a loss, as kernels see it and as the host does.
struct LossBatch {
  LossSpec spec;
  ScoreShape shape;
  ValueType type = ValueType::kFloat32;
  std::vector<double> raw_scores;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> weights;
  std::vector<float> targets = {};

  KernelValues scores{type, raw_scores};
  RunReportBlock report{.weighted_loss_sum = NAN, .weight_sum = NAN, .is_finite = 7};
  ScalerBlock scaler{.loss_scale = kLossScale};

  SampleLabels labels() const { return {class_idx, targets, weights}; }

  DeviceLoss device_loss() const {
    const auto list = [](const std::vector<float>& values) {
      return values.empty() ? nullptr : values.data();
    };
    return {.kind = static_cast<KernelLoss>(spec.kind),
            .label_smoothing = static_cast<float>(spec.label_smoothing),
            .focal_gamma = static_cast<float>(spec.focal_gamma),
            .class_weights = list(spec.class_weights),
            .positive_weights = list(spec.positive_weights),
            .num_positive_weights = static_cast<std::uint32_t>(spec.positive_weights.size()),
            .focal_alpha = list(spec.focal_alpha),
            .num_focal_alpha = static_cast<std::uint32_t>(spec.focal_alpha.size())};
  }
  DeviceLabels device_labels() const {
    return {class_idx.data(), weights.data(), targets.empty() ? nullptr : targets.data()};
  }

  bool run_forward(bool has_scaler = true) {
    std::vector<double> sample_sums(2 * shape.batch, NAN);
    std::vector<std::uint32_t> sample_counts(2 * shape.batch, 77);
    const StepBlock step{.step = 19};
    return loss_forward({.loss = device_loss(),
                         .batch = static_cast<std::uint32_t>(shape.batch),
                         .outputs = static_cast<std::uint32_t>(shape.outputs),
                         .score_type = type,
                         .scores = scores.data(),
                         .labels = device_labels(),
                         .step = &step,
                         .sample_sums = sample_sums.data(),
                         .sample_counts = sample_counts.data(),
                         .report = &report,
                         .scaler = has_scaler ? &scaler : nullptr},
                        nullptr)
        .is_ok();
  }

  KernelValues run_backward(ValueType gradient_type, float inv_weight_sum) {
    KernelValues dscores(gradient_type, shape.batch * shape.outputs);
    const StepBlock step{.inv_weight_sum = inv_weight_sum};
    BOOST_TEST(loss_backward({.loss = device_loss(),
                              .batch = static_cast<std::uint32_t>(shape.batch),
                              .outputs = static_cast<std::uint32_t>(shape.outputs),
                              .score_type = type,
                              .scores = scores.data(),
                              .labels = device_labels(),
                              .step = &step,
                              .scaler = &scaler,
                              .gradient_type = gradient_type,
                              .dscores = dscores.data()},
                             nullptr)
                   .is_ok());
    return dscores;
  }
};

struct Draw {
  std::mt19937_64 random{11};

  std::vector<float> floats(std::size_t count, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(uniform(random));
    return values;
  }

  /// One sample of weight 0, and one without a label.
  LossBatch batch(const LossSpec& spec, const ScoreShape& shape, ValueType type, bool has_targets) {
    std::vector<std::uint32_t> class_idx(shape.batch);
    for (std::uint32_t& label : class_idx) {
      label = static_cast<std::uint32_t>(random() % shape.outputs);
    }
    std::vector<float> weights = floats(shape.batch, 0.5, 2);
    if (shape.batch > 2) {
      weights[1] = 0;
      class_idx[2] = kUnlabelled;
    }
    std::vector<double> scores = tests::normal_values(random, shape.batch * shape.outputs, 0, 2);
    // Half of the samples are right.
    for (std::size_t n = 0; n < shape.batch; n += 2) {
      if (class_idx[n] != kUnlabelled) scores[n * shape.outputs + class_idx[n]] = 5;
    }
    std::vector<float> targets;
    if (has_targets) targets = floats(shape.batch * shape.outputs, 0, 1);
    return {.spec = spec,
            .shape = shape,
            .type = type,
            .raw_scores = std::move(scores),
            .class_idx = std::move(class_idx),
            .weights = std::move(weights),
            .targets = std::move(targets)};
  }

  /// Each kind plain, and with all its settings.
  std::vector<LossSpec> specs(std::size_t outputs) {
    std::vector<LossSpec> specs;
    for (const LossKind kind :
         {LossKind::kSoftmaxCrossEntropy, LossKind::kSoftmaxFocal, LossKind::kBinaryCrossEntropy,
          LossKind::kBinaryFocal, LossKind::kMeanSquaredError, LossKind::kMeanAbsoluteError}) {
      LossSpec spec{.kind = kind};
      specs.push_back(spec);
      if (!is_softmax_loss(kind) && !is_binary_loss(kind)) continue;
      spec.label_smoothing = 0.125;
      if (is_softmax_loss(kind)) spec.class_weights = floats(outputs, 0.2, 3);
      if (kind == LossKind::kSoftmaxFocal) spec.focal_alpha = floats(outputs, 0.1, 0.9);
      if (kind == LossKind::kBinaryFocal) spec.focal_alpha = {0.25f};
      if (kind == LossKind::kBinaryCrossEntropy) spec.positive_weights = floats(outputs, 0.5, 4);
      spec.focal_gamma = 1.5;
      specs.push_back(spec);
    }
    return specs;
  }
};

void check_against_host(LossBatch batch) {
  const std::vector<double> scores = batch.scores.values();
  const LossSums expected =
      batch_loss<double>(batch.spec, batch.shape, batch.labels(), scores.data());
  BOOST_TEST(batch.run_forward());
  BOOST_TEST(batch.report.step == 19u);
  // Each sample is computed in float32, their sum in double.
  BOOST_TEST(batch.report.weighted_loss_sum == expected.weighted_loss_sum,
             boost::test_tools::tolerance(1e-5));
  BOOST_TEST(batch.report.weight_sum == expected.weight_sum, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(batch.report.num_counted == expected.num_counted);
  BOOST_TEST(batch.report.num_correct == expected.num_correct);
  BOOST_TEST(batch.report.is_finite == 1u);
  BOOST_TEST(batch.scaler.has_bad_loss == 0u);

  const float inv_weight_sum = static_cast<float>(1 / std::max(expected.weight_sum, 1.0));
  std::vector<double> gradient(scores.size());
  batch_loss_gradient<double>(batch.spec, batch.shape, batch.labels(),
                              static_cast<double>(inv_weight_sum), scores.data(), gradient.data());
  for (double& value : gradient) value *= static_cast<double>(kLossScale);
  for (const ValueType gradient_type : {batch.type, ValueType::kFloat32}) {
    const KernelValues dscores = batch.run_backward(gradient_type, inv_weight_sum);
    BOOST_TEST(tests::relative_l2(dscores.values(), gradient) < tests::bound_of(gradient_type));
    BOOST_TEST(dscores.is_kept_behind());
    if (batch.shape.batch > 2) BOOST_TEST(dscores[batch.shape.outputs] == 0);
  }
}

BOOST_FIXTURE_TEST_SUITE(loss_kernels, Draw)

BOOST_AUTO_TEST_CASE(every_loss_and_its_gradient_are_those_of_the_host) {
  std::uint64_t seed = 0;
  for (const std::size_t outputs : {1, 2, 10, 35, 128, 129, 1000}) {
    const std::size_t batch_size = outputs == 10 ? 600 : outputs == 35 ? 1 : 7;
    for (const LossSpec& spec : specs(outputs)) {
      if (outputs == 1 && is_softmax_loss(spec.kind)) continue;  // all gradients are 0
      for (const bool has_targets : {false, true}) {
        // A type each: the arithmetic is the same.
        const ValueType type = tests::kValueTypes[++seed % 3];
        BOOST_TEST_CONTEXT(loss_name(spec.kind)
                           << ", " << outputs << " outputs, " << tests::name_of(type)
                           << ", targets " << has_targets << ", smoothing "
                           << spec.label_smoothing) {
          tests::seed_host_gpu(seed);
          check_against_host(batch(spec, {batch_size, outputs}, type, has_targets));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(targets_need_no_class_indices) {
  LossBatch labelled = batch({}, {5, 10}, ValueType::kFloat32, true);
  labelled.class_idx.clear();
  check_against_host(labelled);
}

// log(1 + exp(-20000)) is 0, and the gradient of a score that is all wrong is 1.
BOOST_AUTO_TEST_CASE(scores_of_ten_thousand_give_finite_losses) {
  LossBatch sure{.spec = {},
                 .shape = {2, 3},
                 .raw_scores = {1e4, -1e4, 0, 1e4, -1e4, 0},
                 .class_idx = {0, 1},
                 .weights = {1, 1}};
  BOOST_TEST(sure.run_forward());
  BOOST_TEST(sure.report.weighted_loss_sum == 2e4);
  const std::vector<double> expected{0, 0, 0, kLossScale, -kLossScale, 0};
  BOOST_TEST(sure.run_backward(ValueType::kFloat32, 1).values() == expected,
             boost::test_tools::per_element());
}

// The first of equal scores, and of equal targets, decides.
BOOST_AUTO_TEST_CASE(ties_go_to_the_first) {
  std::vector<double> scores(2 * 300, 1.0);
  scores[3] = scores[299] = 2.0;
  LossBatch tied{
      .spec = {}, .shape = {2, 300}, .raw_scores = scores, .class_idx = {3, 0}, .weights = {1, 1}};
  BOOST_TEST(tied.run_forward());
  BOOST_TEST(tied.report.num_correct == 2u);
  tied.class_idx = {299, 1};
  BOOST_TEST(tied.run_forward());
  BOOST_TEST(tied.report.num_correct == 0u);
  tied.targets.assign(2 * 300, 0.0f);
  tied.targets[3] = tied.targets[4] = 0.5f;
  tied.targets[300] = tied.targets[599] = 0.5f;
  BOOST_TEST(tied.run_forward());
  BOOST_TEST(tied.report.num_correct == 2u);
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_no_number_is_told_of) {
  for (const LossSpec& spec : specs(10)) {
    BOOST_TEST_CONTEXT(loss_name(spec.kind)) {
      LossBatch bad = batch(spec, {300, 10}, ValueType::kFloat32, false);
      std::vector<double> scores = bad.raw_scores;
      scores[1 * 10 + 3] = NAN;  // of a sample that does not count
      bad.scores = KernelValues(bad.type, scores);
      BOOST_TEST(bad.run_forward());
      BOOST_TEST(bad.report.is_finite == 1u);
      BOOST_TEST(bad.scaler.has_bad_loss == 0u);
      BOOST_TEST(bad.run_backward(ValueType::kFloat32, 1)[13] == 0);
      scores[299 * 10 + 9] = NAN;
      bad.scores = KernelValues(bad.type, scores);
      BOOST_TEST(bad.run_forward());
      BOOST_TEST(bad.report.is_finite == 0u);
      BOOST_TEST(bad.scaler.has_bad_loss == 1u);
      BOOST_TEST(bad.run_forward(false));  // evaluation
      BOOST_TEST(bad.report.is_finite == 0u);
    }
  }
}

// Of a step's runs one bad one is enough.
BOOST_AUTO_TEST_CASE(a_good_run_does_not_forgive_a_bad_one) {
  LossBatch good = batch({}, {5, 10}, ValueType::kFloat32, false);
  good.scaler.has_bad_loss = 1;
  BOOST_TEST(good.run_forward());
  BOOST_TEST(good.scaler.has_bad_loss == 1u);
}

BOOST_AUTO_TEST_CASE(a_loss_gives_the_same_bits_in_any_order_of_threads) {
  LossSpec spec{.kind = LossKind::kSoftmaxFocal};
  LossBatch drawn = batch(spec, {700, 200}, ValueType::kFloat16, true);
  std::optional<double> sum;
  std::optional<KernelValues> gradient;
  for (const std::uint64_t seed : {1, 77}) {
    tests::seed_host_gpu(seed);
    BOOST_TEST(drawn.run_forward());
    const KernelValues dscores = drawn.run_backward(ValueType::kFloat32, 1);
    if (!sum) sum = drawn.report.weighted_loss_sum;
    if (!gradient) gradient = dscores;
    BOOST_TEST(*sum == drawn.report.weighted_loss_sum);
    BOOST_TEST(gradient->has_bits_of(dscores));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
