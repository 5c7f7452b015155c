// Steps from crops on a real device beside those from the CPU's transform. Prints SKIPPED where no device answers.
#include <boost/test/unit_test.hpp>

#include "tests/train/backend/cuda/crop_steps.h"
#include "tests/train/backend/cuda/on_device/device_under_test.h"

namespace penstock::train::cuda {
namespace {

BOOST_FIXTURE_TEST_SUITE(gpu_crops, CropSteps)

// Values are equal to the bit, and deterministic engines make the same of them.
BOOST_AUTO_TEST_CASE(steps_from_crops_on_a_device_are_the_steps_from_the_cpus_transform) {
  const tests::DeviceUnderTest& device = tests::DeviceUnderTest::get();
  if (!device.is_there("steps_from_crops_on_a_device_are_the_steps_from_the_cpus_transform"))
    return;
  for (const std::uint32_t micro_batch : {kBatch, 2u}) {
    for (const ComputeType compute : {ComputeType::kFloat32, ComputeType::kFloat16}) {
      BOOST_TEST_CONTEXT(compute_type_name(compute) << ", micro-batches of " << micro_batch) {
        const auto run = [&](std::uint32_t crop_bytes) {
          return outcome_of(
              device.backend({.plan_limits = {.is_deterministic = true},
                              .batch_element = ElementType::kFloat32,
                              .crop_bytes = crop_bytes}),
              {.crop_bytes = crop_bytes, .micro_batch = micro_batch, .compute = compute});
        };
        BOOST_TEST((run(kLargeCropBytes) == run(0)));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
