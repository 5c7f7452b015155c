#include "train/run/memory/batch_planner.h"

#include <boost/test/unit_test.hpp>

#include <string>

#include "streamer/core/error.h"
#include "tests/train/loop/recording_backend.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {
namespace {

/// On the recording backend a sample takes 1,000 bytes, less 200 for each node that is computed again. kNorms does
/// that to the batch norm. kBlocks keeps of four nodes of 3 values each only the third (or of three the second): by
/// hand the fewest values at once, 3 + 6 + 2 of 14 (3 + 3 + 2 of 11).
ModelGraph pooled_model(bool has_norm) {
  ModelGraph graph("pooled", {3, 4, 4});
  NodeId x = graph.global_avg_pool("pool", graph.input());
  if (has_norm) x = graph.batch_norm("bn", x);
  x = graph.dense("first", x, {.units = 3});
  x = graph.dense("second", x, {.units = 3});
  graph.set_output(graph.dense("head", x, {.units = 2}));
  return graph;
}

struct Fixture {
  ModelGraph graph = pooled_model(true);
  tests::RecordingBackend backend;
  BatchWish wish{};
  std::uint64_t num_samples = 640;
  std::uint64_t bytes_per_lease_sample = 0;

  PlannedBatch plan(std::uint64_t limit_bytes) {
    return plan_batch({.backend = backend,
                       .graph = graph,
                       .programs = {},
                       .num_train_samples = num_samples,
                       .limit_bytes = limit_bytes,
                       .bytes_beside =
                           [&](const BatchChoice& choice) {
                             return bytes_per_lease_sample * choice.lease_batch;
                           }},
                      wish);
  }
  /// "11 of 32 from 32, blocks": at once, of a step, delivered.
  std::string choice(std::uint64_t limit_bytes) {
    const BatchChoice found = plan(limit_bytes).choice;
    return std::to_string(found.micro_batch) + " of " + std::to_string(found.step_samples) +
           " from " + std::to_string(found.lease_batch) + ", " +
           std::string(recompute_name(found.recompute));
  }
  std::string refusal(std::uint64_t limit_bytes) {
    try {
      plan(limit_bytes);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
      return std::string(error.what()) + " | " + error.hint();
    }
    return "planned";
  }
};

BOOST_FIXTURE_TEST_SUITE(batch_planner, Fixture)

BOOST_AUTO_TEST_CASE(parts_larger_than_the_step_are_said_to_do_nothing) {
  wish.batch_size = 32;
  wish.micro_batch = 50;
  BOOST_TEST(plan(1'000'000).note == "micro_batch 50 does nothing: a step has 32 samples");
  BOOST_TEST(plan(1'000'000).choice.micro_batch == 32u);
  wish.micro_batch = 32;
  BOOST_TEST(plan(1'000'000).note.empty());
  // What a run is stored with says the same of fewer samples than a batch.
  num_samples = 20;
  BOOST_TEST(plan(1'000'000).note.empty());
}

BOOST_AUTO_TEST_CASE(a_step_that_fits_is_left_alone_and_nothing_is_said) {
  BOOST_TEST(choice(32'000) == "32 of 32 from 32, none");
  BOOST_TEST(plan(32'000).note.empty());
  BOOST_TEST(plan(32'000).programs->train_batch() == 32u);
}

BOOST_AUTO_TEST_CASE(values_are_computed_again_before_a_step_is_cut) {
  BOOST_TEST(choice(31'999) == "32 of 32 from 32, norms");
  BOOST_TEST(choice(25'600) == "32 of 32 from 32, norms");
  BOOST_TEST(choice(25'599) == "32 of 32 from 32, blocks");
  BOOST_TEST(
      plan(25'599).note ==
      "batch 32 with blocks computed again: at once it takes 31.2 KiB, the limit is 25.0 KiB");
}

// 32,000 bytes with and without a batch norm to drop; blocks save 200 a node and sample.
BOOST_AUTO_TEST_CASE(a_level_that_was_asked_for_and_saves_nothing_is_said_to) {
  graph = pooled_model(false);
  wish.recompute = RecomputeWish::kNorms;
  BOOST_TEST(plan(1'000'000).note ==
             "batch 32 with norms computed again, as asked for; recompute norms saves nothing: the "
             "network takes 31.2 KiB with it, 31.2 KiB without");
  wish.recompute = RecomputeWish::kBlocks;
  BOOST_TEST(plan(1'000'000).note == "batch 32 with blocks computed again, as asked for");
  graph = pooled_model(true);
  wish.recompute = RecomputeWish::kNorms;
  BOOST_TEST(plan(1'000'000).note == "batch 32 with norms computed again, as asked for");
}

BOOST_AUTO_TEST_CASE(the_largest_part_that_fits_is_taken) {
  BOOST_TEST(choice(12'799) == "16 of 32 from 16, blocks");
  // 11, 11 and 10 do not make up the step of whole batches that the loader could deliver.
  BOOST_TEST(choice(6'399) == "11 of 32 from 32, blocks");
  BOOST_TEST(choice(4'399) == "8 of 32 from 8, blocks");
  BOOST_TEST(choice(400 * 2) == "2 of 32 from 2, blocks");
  BOOST_TEST(
      plan(12'799).note ==
      "batch 32 in parts of 16 and with blocks computed again: at once it takes 31.2 KiB, the "
      "limit is 12.5 KiB; batch norm sees 16 samples at a time");
}

// Its pool reads 48 values of 4 bytes a sample: 32 samples need more than 6,143 bytes whatever else, and are not tried.
BOOST_AUTO_TEST_CASE(of_a_step_far_beyond_the_limit_no_size_is_made_up) {
  BOOST_TEST(choice(6'143) == "11 of 32 from 32, blocks");
  BOOST_TEST(
      plan(6'143).note ==
      "batch 32 in parts of 11 and with blocks computed again: at once it takes more than the "
      "limit of 6.0 KiB; batch norm sees 11 samples at a time");
}

// 16 samples come with 16,000 bytes beside, the whole step with 32,000: 44,800 with the fewest values kept.
BOOST_AUTO_TEST_CASE(no_more_is_computed_again_than_the_largest_part_needs) {
  bytes_per_lease_sample = 1000;
  BOOST_TEST(choice(44'799) == "16 of 32 from 16, none");
  BOOST_TEST(choice(32'000) == "16 of 32 from 16, none");
  BOOST_TEST(choice(31'999) == "16 of 32 from 16, norms");
  BOOST_TEST(choice(28'800) == "16 of 32 from 16, norms");
  BOOST_TEST(choice(28'799) == "16 of 32 from 16, blocks");
  BOOST_TEST(
      plan(44'799).note ==
      "batch 32 in parts of 16: at once it takes 62.5 KiB, the limit is 43.7 KiB; batch norm sees "
      "16 samples at a time");
}

BOOST_AUTO_TEST_CASE(without_batch_norm_a_part_is_as_good_as_the_whole) {
  graph = pooled_model(false);
  BOOST_TEST(choice(31'999) == "32 of 32 from 32, blocks");
  BOOST_TEST(choice(19'199) == "16 of 32 from 16, none");
  BOOST_TEST(choice(999) == "1 of 32 from 1, blocks");
}

BOOST_AUTO_TEST_CASE(mixed_samples_stay_in_one_delivered_batch) {
  wish.mixes_samples = true;
  BOOST_TEST(choice(12'799) == "16 of 32 from 32, blocks");
}

BOOST_AUTO_TEST_CASE(what_lies_beside_the_network_counts) {
  bytes_per_lease_sample = 100;
  BOOST_TEST(choice(35'200) == "32 of 32 from 32, none");
  BOOST_TEST(choice(35'199) == "32 of 32 from 32, norms");
}

BOOST_AUTO_TEST_CASE(a_whole_epoch_is_a_step_of_delivered_parts) {
  wish.batch_size = kWholeEpoch;
  num_samples = 100;
  BOOST_TEST(choice(100'000) == "100 of 100 from 100, none");
  BOOST_TEST(choice(10'000) == "25 of 100 from 25, blocks");
  num_samples = 1'000'000;
  BOOST_TEST(plan(10'000).choice.step_samples == 1'000'000u);
  BOOST_TEST(plan(10'000).choice.micro_batch == 25u);
}

// A program takes 65,536 samples at most.
BOOST_AUTO_TEST_CASE(an_epoch_of_more_samples_than_a_program_takes_is_cut_whatever_fits) {
  wish.batch_size = kWholeEpoch;
  num_samples = 100'000;
  BOOST_TEST(choice(1'000'000'000) == "50000 of 100000 from 50000, none");
  BOOST_TEST(plan(1'000'000'000)
                 .note.starts_with("batch 100000 in parts of 50000: at most 65536 are computed at "
                                   "once; batch norm sees 50000 samples at a time; a step is"));
  BOOST_TEST(choice(49'999'999) == "50000 of 100000 from 50000, norms");
  BOOST_TEST(plan(49'999'999)
                 .note.starts_with("batch 100000 in parts of 50000 and with norms computed again: "
                                   "at once it takes more than "
                                   "the limit of 47.7 MiB; "));
  wish.may_cut = false;
  BOOST_CHECK_EXCEPTION(plan(1'000'000'000), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "batch_size: expected at most 65536 samples that are computed at once, found 100000";
  });
}

BOOST_AUTO_TEST_CASE(samples_of_a_whole_epoch_are_said_to_be_mixed_within_parts) {
  wish.batch_size = kWholeEpoch;
  wish.mixes_samples = true;
  num_samples = 100;
  BOOST_TEST(choice(10'000) == "25 of 100 from 25, blocks");
  const std::string said = "; samples are mixed within a part; ";
  BOOST_TEST(plan(10'000).note.find(said) != std::string::npos);
  BOOST_TEST(plan(100'000).note.find(said) == std::string::npos);  // one part
  wish.batch_size = 32;
  BOOST_TEST(plan(10'000).note.find(said) == std::string::npos);  // one delivered batch
}

BOOST_AUTO_TEST_CASE(an_epoch_smaller_than_a_batch_is_the_step) {
  num_samples = 7;
  BOOST_TEST(choice(7'000) == "7 of 7 from 7, none");
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_taken) {
  wish.micro_batch = 8;
  wish.recompute = RecomputeWish::kNorms;
  BOOST_TEST(choice(1'000'000) == "8 of 32 from 8, norms");
  BOOST_TEST(
      plan(1'000'000).note ==
      "batch 32 in parts of 8 and with norms computed again, as asked for; batch norm sees 8 "
      "samples at a time");
}

BOOST_AUTO_TEST_CASE(only_what_was_asked_for_is_said_to_have_been) {
  wish.micro_batch = 8;
  BOOST_TEST(plan(7'999).note ==
             "batch 32 in parts of 8 and with norms computed again: at once it takes more than the "
             "limit of 7.8 KiB; batch norm sees 8 samples at a time");
  wish.recompute = RecomputeWish::kNone;
  BOOST_TEST(plan(7'999).note ==
             "batch 32 in parts of 7: at once it takes more than the limit of 7.8 KiB; batch norm "
             "sees 7 samples at a time");
}

BOOST_AUTO_TEST_CASE(a_step_that_may_not_be_cut_is_refused) {
  wish.may_cut = false;
  BOOST_TEST(choice(12'800) == "32 of 32 from 32, blocks");
  BOOST_TEST(
      refusal(12'799) ==
      "memory: 32 of 32 samples at a time: expected at most 12799 B, found 12800 B: network "
      "and its activations 12.5 KiB (kept 0 B: nothing; passing 12.5 KiB: transient 18.8 KiB, "
      "sharing places), loaders and tally 0 B | one of: leave out --no-auto-batch; --memory 1M; a "
      "smaller --image-size; a smaller --model");
}

BOOST_AUTO_TEST_CASE(a_limit_below_one_sample_is_refused_with_what_the_least_takes) {
  graph = pooled_model(false);
  bytes_per_lease_sample = 100;
  BOOST_TEST(
      refusal(699) ==
      "memory: 1 of 32 samples at a time: expected at most 699 B, found 700 B: network and "
      "its activations 600 B (kept 0 B: nothing; passing 600 B: transient 800 B, sharing "
      "places), loaders and tally 100 B | one of: --memory 1M; a smaller --image-size; a smaller "
      "--model");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
