// Programs fed by crops, from a dataset on disk: the steps of programs that are fed by the CPU's transform, to the bit.
#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/train/backend/cuda/crop_steps.h"
#include "tests/train/backend/cuda/stand_in/stand_in_backend.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::StandIn;

struct Fixture : CropSteps {
  std::vector<std::vector<float>> outcome_of(const Fed& fed, std::uint64_t order_seed = 1) const {
    StandIn stand_in(order_seed);
    const auto outcome =
        CropSteps::outcome_of(stand_in.backend({.crop_bytes = fed.crop_bytes}), fed);
    BOOST_TEST(stand_in.device.faults().empty());
    return outcome;
  }
};

BOOST_FIXTURE_TEST_SUITE(device_crops, Fixture)

BOOST_AUTO_TEST_CASE(steps_from_crops_are_the_steps_from_the_cpus_transform) {
  for (const ComputeType compute :
       {ComputeType::kFloat32, ComputeType::kFloat16, ComputeType::kBfloat16}) {
    const auto expected = outcome_of({.compute = compute});
    const auto found = outcome_of({.crop_bytes = kLargeCropBytes, .compute = compute});
    BOOST_TEST((found == expected), compute_type_name(compute));
  }
}

BOOST_AUTO_TEST_CASE(partners_in_another_micro_batch_are_found) {
  const auto expected = outcome_of({.micro_batch = 2});
  BOOST_TEST((outcome_of({.crop_bytes = kLargeCropBytes, .micro_batch = 2}) == expected));
}

BOOST_AUTO_TEST_CASE(the_order_of_blocks_warps_and_streams_changes_no_bit_of_steps_from_crops) {
  const auto first = outcome_of({.crop_bytes = kCropBytes, .micro_batch = 3});
  for (std::uint64_t seed = 2; seed < 8; ++seed) {
    BOOST_TEST((outcome_of({.crop_bytes = kCropBytes, .micro_batch = 3}, seed) == first));
  }
}

// The means that contrast needs differ in their last bits.
BOOST_AUTO_TEST_CASE(steps_with_contrast_are_those_of_the_cpus_transform_but_for_roundings) {
  AugmentConfig config = moving_config();
  config.contrast_range = {.lo = 0.2, .hi = 2.5};
  for (const std::uint32_t micro_batch : {kBatch, 2u}) {
    const auto expected = outcome_of({.micro_batch = micro_batch, .config = config});
    const auto found =
        outcome_of({.crop_bytes = kLargeCropBytes, .micro_batch = micro_batch, .config = config});
    BOOST_TEST(relative_l2(found.front(), expected.front()) < 1e-5);  // weights of the first layer
    BOOST_TEST(relative_l2(found.back(), expected.back()) < 1e-5);    // logits
  }
  const auto without = outcome_of({});
  BOOST_TEST(relative_l2(outcome_of({.config = config}).back(), without.back()) > 1e-3);
}

// A level of a byte, by which crops that do not fit may be off, moves a weight by little.
BOOST_AUTO_TEST_CASE(crops_that_do_not_fit_give_nearly_the_same_steps) {
  const auto expected = outcome_of({});
  const auto found = outcome_of({.crop_bytes = kCropBytes});
  BOOST_TEST((found != expected));
  BOOST_TEST(relative_l2(found.front(), expected.front()) < 0.01);  // weights of the first layer
  BOOST_TEST(relative_l2(found.back(), expected.back()) < 0.01);    // logits
}

BOOST_AUTO_TEST_CASE(a_program_that_takes_crops_takes_finished_pixels_that_fit_as_well) {
  const ModelGraph graph = small_model();
  StandIn stand_in(1);
  Bench crops(stand_in.backend({.crop_bytes = kCropBytes}), graph, {{.batch = kBatch}});
  StandIn other(1);
  Bench plain(other.backend(), graph, {{.batch = kBatch}});
  BatchSpec spec = crops.backend().input_spec(graph, kBatch);
  BOOST_TEST(spec.crop_bytes == kCropBytes);
  BOOST_TEST((spec.element == ElementType::kFloat32));
  spec.crop_bytes = 0;
  const ToyBatch batch(spec, 2, 1);  // 12 x 16 x 3 floats are 2304 bytes
  crops.forward(crops.program(), batch);
  plain.forward(plain.program(), batch);
  BOOST_TEST(crops.logits() == plain.logits(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(crops_are_refused_by_a_program_that_was_not_made_for_them) {
  const ModelGraph graph = small_model();
  const auto check_refused = [&](std::uint32_t of_backend, std::uint32_t of_batch,
                                 const std::string& message) {
    StandIn stand_in(1);
    Bench bench(stand_in.backend({.crop_bytes = of_backend}), graph,
                {{.batch = kBatch, .label_form = LabelForm::kTargets}});
    BatchSpec spec = bench.backend().input_spec(graph, kBatch);
    spec.element = ElementType::kFloat32;
    spec.crop_bytes = of_batch;
    MemoryBudget budget(64u << 20);
    Loader batches = loader(spec, budget, moving_config());
    const auto run = [&] {
      bench.backend().upload(batches.next(), 0);
      bench.program().run(Phase::kForward, 0);
    };
    BOOST_CHECK_EXCEPTION(run(), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == message);
      return error.code() == ErrorCode::kInvalidArgument;
    });
  };
  // A place of the ring: 6 x 12 x 16 x 3 floats, 256 bytes for each of labels, weights and targets.
  check_refused(0, kCropBytes,
                "program: batch: expected at most 14592 bytes, as the programs were lowered, found "
                "16896");
  check_refused(
      0, 1024,
      "program: batch: expected 6 x 3 x 12 x 16 nhwc float32, 2 targets a sample, found 6 x "
      "3 x 12 x 16 nhwc float32, crops of 1024 bytes, 2 targets a sample");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
