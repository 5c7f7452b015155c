#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "tests/train/loss/huber_loss.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/loss/batch_loss.h"

namespace penstock::train {
namespace {

/// Some with settings of their own, and every one as it comes.
std::vector<LossSpec> losses() {
  std::vector<LossSpec> specs = {
      {.label_smoothing = 0.1, .class_weights = {0.5f, 2.0f, 1.0f}},
      {.kind = LossKind::kSoftmaxFocal, .focal_gamma = 1.5},
      {.kind = LossKind::kBinaryCrossEntropy, .positive_weights = {2.0f}},
      {.kind = LossKind::kBinaryFocal, .focal_alpha = {0.25f}},
      {.kind = LossKind::kCustom, .custom = std::make_shared<tests::HuberLoss>()}};
  for (const std::string_view name : loss_names()) specs.push_back({.kind = parse_loss(name)});
  return specs;
}

/// Targets of 0 and 1 for several labels; of regression any numbers.
ToyBatch batch_for(const Bench& bench, const LossSpec& loss, unsigned seed) {
  ToyBatch batch = bench.batch(4, seed);
  batch.weights() = {1.0f, 0.5f, 0.0f, 2.0f};
  if (is_softmax_loss(loss.kind)) {
    batch.set_targets(soft_targets(4, 3, seed));
    return batch;
  }
  std::vector<float> targets(12);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = is_binary_loss(loss.kind) ? static_cast<float>(i * 7 % 3 == 0)
                                           : 0.7f * static_cast<float>(i % 5) - 1.3f;
  }
  batch.set_targets(std::move(targets));
  return batch;
}

Lowering lowering_for(const LossSpec& loss) {
  return {.batch = 4, .loss = loss, .label_form = LabelForm::kTargets};
}

StepScalars scalars_for(const LossSpec& loss, const ToyBatch& batch) {
  const BatchLease lease = batch.lease();
  return {.inv_weight_sum =
              static_cast<float>(1.0 / batch_weight_sum(loss, {4, 3}, labels_of(lease.view(), 4)))};
}

double mean_loss(Bench& bench, const ToyBatch& batch, const StepScalars& scalars) {
  bench.backend().upload(batch.lease(), 0);
  bench.backend().set_scalars(scalars, 0);
  bench.program().run(Phase::kForward, 0);
  return bench.backend().poll().value().weighted_loss_sum *
         static_cast<double>(scalars.inv_weight_sum);
}

BOOST_AUTO_TEST_SUITE(losses_of_backends)

// As in reference_gradients_test.cpp, of the first layer's weights: a loss's own gradients are held to
// differences in tests/train/loss.
BOOST_AUTO_TEST_CASE(gradients_of_every_loss_agree_with_differences) {
  for (const LossSpec& loss : losses()) {
    Bench bench(make_reference_backend({}), strided_model(), {lowering_for(loss)});
    const ToyBatch batch = batch_for(bench, loss, 4);
    const StepScalars scalars = scalars_for(loss, batch);
    mean_loss(bench, batch, scalars);
    bench.program().run(Phase::kBackward, 0);
    const std::vector<float> gradient = bench.read(0, ParamPart::kGrad);
    const std::vector<float> original = bench.read(0);
    for (std::size_t i = 0; i < original.size(); i += 7) {
      const auto loss_at = [&](float value) {
        std::vector<float> moved = original;
        moved[i] = value;
        bench.program().import_param(0, ParamPart::kMaster, moved);
        return mean_loss(bench, batch, scalars);
      };
      const float above = original[i] + 1e-4f;
      const float below = original[i] - 1e-4f;
      const double slope = (loss_at(above) - loss_at(below)) /
                           (static_cast<double>(above) - static_cast<double>(below));
      BOOST_TEST_CONTEXT(loss_name(loss.kind) << " " << i) {
        BOOST_TEST(std::abs(slope - static_cast<double>(gradient[i])) <
                   2e-6 + 1e-5 * std::abs(slope));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_loss_equals_the_reference) {
  for (const LossSpec& loss : losses()) {
    Bench fast(make_onednn_backend({.num_threads = 2}), strided_model(), {lowering_for(loss)});
    Bench slow(make_reference_backend({}), strided_model(), {lowering_for(loss)});
    const ToyBatch a = batch_for(fast, loss, 4);
    const ToyBatch b = batch_for(slow, loss, 4);
    BOOST_TEST_CONTEXT(loss_name(loss.kind)) {
      BOOST_TEST(
          mean_loss(fast, a, scalars_for(loss, a)) == mean_loss(slow, b, scalars_for(loss, b)),
          boost::test_tools::tolerance(1e-5));
      fast.program().run(Phase::kBackward, 0);
      slow.program().run(Phase::kBackward, 0);
      for (std::size_t i = 0; i < fast.graph().parameters().size(); ++i) {
        BOOST_TEST(relative_l2(fast.read(i, ParamPart::kGrad), slow.read(i, ParamPart::kGrad)) <
                   1e-4);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_loss_that_does_not_fit_the_network_is_refused) {
  for (const std::string_view name : backend_names()) {
    const auto backend = make_backend(name, {.num_threads = 1});
    BOOST_CHECK_THROW(
        backend->lower(strided_model(), {.batch = 2, .loss = {.class_weights = {1, 2}}}), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
