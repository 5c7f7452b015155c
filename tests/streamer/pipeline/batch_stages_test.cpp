#include "streamer/pipeline/batch_stages.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(batch_stages)

const BatchSpec kSpec{.batch = 4, .height_px = 2, .width_px = 2, .element = ElementType::kUint8};

// A ring of two slots whose pixels are full of an old batch.
struct DirtyRing {
  DirtyRing() {
    std::memset(ring->slot(0).pixels, 0x55, kSpec.pixels_bytes());
    ring->slot(0).weights.assign(4, 9.0f);
    ring->slot(0).events.resize(3);
  }
  MemoryBudget budget{1 << 20};
  std::shared_ptr<BatchRing> ring = std::make_shared<BatchRing>(
      BatchRing::Config{.spec = kSpec, .num_slots = 2}, budget, page_aligned_memory());
};

BOOST_AUTO_TEST_CASE(a_short_batch_is_padded_with_nothing_of_the_batch_before) {
  DirtyRing dirty;
  BatchSlot& slot = dirty.ring->slot(0);
  slot.stamp.num_valid = 2;
  slot.tasks[0].info = {.sample_id = 7, .class_idx = 3};
  slot.tasks[0].position = 100;
  slot.tasks[1].info = {.sample_id = 8, .class_idx = 4};
  slot.tasks[1].fault = {SampleStatus::kDecodeFailed, "no picture"};
  finish_batch(slot, kSpec);

  const std::vector<std::uint32_t> class_idx = {3, 4, kUnlabelled, kUnlabelled};
  const std::vector<float> weights = {1, 0, 0, 0};
  BOOST_TEST(slot.class_idx == class_idx, boost::test_tools::per_element());
  BOOST_TEST(slot.weights == weights, boost::test_tools::per_element());
  BOOST_TEST(slot.sample_ids[0] == 7u);
  BOOST_TEST(slot.positions[0] == 100u);
  BOOST_TEST(slot.events.size() == 1u);
  BOOST_TEST(slot.events[0].slot_idx == 1u);
  BOOST_TEST(slot.events[0].sample_id == 8u);
  BOOST_TEST(slot.events[0].fault.detail() == "no picture");
  for (std::size_t i = 0; i < kSpec.pixels_bytes(); ++i) {
    const bool is_padding = i >= 2 * kSpec.sample_bytes();
    BOOST_REQUIRE((slot.pixels[i] == std::byte{is_padding ? std::uint8_t{0} : std::uint8_t{0x55}}));
  }
}

// By id: 7 weighs 0.5 and 8 nothing; 9 failed, whatever it weighs.
BOOST_AUTO_TEST_CASE(samples_have_the_weights_that_they_were_given) {
  DirtyRing dirty;
  BatchSlot& slot = dirty.ring->slot(0);
  slot.stamp.num_valid = 3;
  for (std::uint32_t i = 0; i < 3; ++i) slot.tasks[i].info = {.sample_id = 7 + i, .class_idx = 1};
  slot.tasks[2].fault = {SampleStatus::kDecodeFailed, "no picture"};
  const std::vector<float> loss_weights = {9, 9, 9, 9, 9, 9, 9, 0.5f, 0, 4};
  finish_batch(slot, kSpec, loss_weights);
  const std::vector<float> weights = {0.5f, 0, 0, 0};
  BOOST_TEST(slot.weights == weights, boost::test_tools::per_element());
  BOOST_REQUIRE(slot.events.size() == 1u);
  BOOST_TEST(slot.events[0].sample_id == 9u);
}

BOOST_AUTO_TEST_CASE(targets_are_one_hot_and_zero_where_there_is_no_sample_or_no_label) {
  BatchSpec spec = kSpec;
  spec.label_form = LabelForm::kTargets;
  spec.num_targets = 3;
  MemoryBudget budget(1 << 20);
  const auto ring = std::make_shared<BatchRing>(BatchRing::Config{.spec = spec, .num_slots = 2},
                                                budget, page_aligned_memory());
  BatchSlot& slot = ring->slot(0);
  BOOST_REQUIRE(slot.targets.size() == 12u);
  slot.targets.assign(12, 0.5f);  // of the batch before
  slot.stamp.num_valid = 3;
  slot.tasks[0].info.class_idx = 2;
  slot.tasks[1].info.class_idx = 1;
  slot.tasks[1].fault = {SampleStatus::kDecodeFailed, "no picture"};
  slot.tasks[2].info.class_idx = kUnlabelled;
  finish_batch(slot, spec);
  const std::vector<float> expected = {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  BOOST_TEST(slot.targets == expected, boost::test_tools::per_element());
  const std::vector<std::uint32_t> class_idx = {2, 1, kUnlabelled, kUnlabelled};
  BOOST_TEST(slot.class_idx == class_idx, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_batch_is_complete_with_its_last_run_whatever_the_order) {
  DirtyRing dirty;
  BatchSlot& slot = dirty.ring->slot(1);
  slot.places_left = 4;
  const auto run = [&](std::size_t first, std::size_t count) {
    return SampleRun{
        .tasks = std::span(slot.tasks).subspan(first, count), .slot_idx = 1, .batch_seq = 11};
  };
  BOOST_TEST(!collate_run(run(3, 1), *dirty.ring).has_value());
  BOOST_TEST(!collate_run(run(0, 2), *dirty.ring).has_value());
  const auto filled = collate_run(run(2, 1), *dirty.ring);
  BOOST_REQUIRE(filled.has_value());
  BOOST_TEST(filled->seq == 11u);
  BOOST_TEST(filled->slot_idx == 1u);
}

BOOST_AUTO_TEST_CASE(a_batch_without_samples_is_complete_with_its_empty_run) {
  DirtyRing dirty;
  dirty.ring->slot(0).places_left = 0;
  BOOST_TEST(collate_run(SampleRun{.slot_idx = 0, .batch_seq = 5}, *dirty.ring)->seq == 5u);
}

std::uint32_t failures_allowed(double max_fraction, std::uint64_t samples_per_epoch) {
  DirtyRing dirty;
  BadSampleLimit limit({.max_fraction = max_fraction, .samples_per_epoch = samples_per_epoch});
  BatchSlot& slot = dirty.ring->slot(0);
  slot.events.assign(1, {});
  for (std::uint32_t count = 0; count < 1000; ++count) {
    try {
      limit.count(slot);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kTooManyBad));
      return count;
    }
  }
  return 1000;
}

BOOST_AUTO_TEST_CASE(the_share_of_failures_is_of_the_epoch_and_at_least_one_sample_unless_zero) {
  BOOST_TEST(failures_allowed(0.001, 3068) == 3u);
  BOOST_TEST(failures_allowed(0.001, 100) == 1u);
  BOOST_TEST(failures_allowed(0.0, 100'000) == 0u);
  BOOST_TEST(failures_allowed(1.0, 1000) == 1000u);
}

BOOST_AUTO_TEST_CASE(every_epoch_is_counted_anew) {
  DirtyRing dirty;
  BadSampleLimit limit({.max_fraction = 0.001, .samples_per_epoch = 100});
  BatchSlot& slot = dirty.ring->slot(0);
  slot.events.assign(1, {});
  for (std::uint32_t epoch = 0; epoch < 5; ++epoch) {
    slot.stamp.epoch = epoch;
    BOOST_CHECK_NO_THROW(limit.count(slot));
  }
  BOOST_CHECK_THROW(limit.count(slot), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
