// What a training on a device stores beside its tensors: the scale of losses, the plans of products.
#include <boost/test/unit_test.hpp>

#include "tests/temporary_folder.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/stand_in/stand_in_backend.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/cuda/plan_book.h"
#include "train/loop/training_checkpoints.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::PlainProducts;
using penstock::tests::StandInDevice;

/// A training in float16, as when its program is started again.
struct Training {
  explicit Training(const PlanBook& plans) {
    bench.emplace(
        make_device_backend(
            {.api = device, .kernels = kernel_table(), .products = products, .plans = &plans}),
        graph, std::vector<Lowering>{{.batch = 4, .compute = ComputeType::kFloat16}}, 4);
  }
  CheckpointedTraining in(const std::filesystem::path& folder) {
    return {
        .folder = folder, .graph = graph, .backend = bench->backend(), .program = bench->program()};
  }

  StandInDevice device{1};
  PlainProducts products{device};
  ModelGraph graph = residual_model();
  std::optional<Bench> bench;
};

BOOST_AUTO_TEST_SUITE(device_checkpoints)

BOOST_AUTO_TEST_CASE(the_scale_of_losses_and_the_plans_come_back) {
  const penstock::tests::TemporaryFolder place;
  const std::filesystem::path folder = place.path() / "checkpoints";
  BOOST_TEST(stored_plans(folder).empty());
  PlanBook plans;
  plans.set("conv a", "engine 7");
  {
    Training first(plans);
    BOOST_TEST(first.bench->program().export_loss_scaling().scale == 65536.0f);
    first.bench->program().import_loss_scaling({.scale = 1024, .num_good_steps = 77});
    TrainingCheckpoints(first.in(folder)).store({});
  }
  BOOST_TEST(stored_plans(folder) == plans.text());
  const PlanBook again(stored_plans(folder));
  Training second(again);
  TrainingCheckpoints checkpoints(second.in(folder));
  BOOST_REQUIRE(checkpoints.restore().has_value());
  BOOST_TEST(checkpoints.notes().empty());
  const LossScaling scaling = second.bench->program().export_loss_scaling();
  BOOST_TEST(scaling.scale == 1024.0f);
  BOOST_TEST(scaling.num_good_steps == 77u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
