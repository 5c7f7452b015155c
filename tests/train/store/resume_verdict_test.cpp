#include "train/store/resume_verdict.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "tests/train/store/small_checkpoint.h"

namespace penstock::train {
namespace {

struct Fixture {
  RunFacts stored = {{"dataset.id", "d1"},
                     {"model.identity", "conv2d 64\nconv2d 64\ndense 10\n"},
                     {"seed", "1"},
                     {"instruction_set", "avx512_core"},
                     {"num_compute_threads", "8"},
                     {"run.batch_size", "32"},
                     {"run.drop_remainder", "false"},
                     {"run.augment.zoom_range", "0.1"},
                     {"run.learning_rate", "0.1"},
                     {"run.out", "a"}};
  RunFacts present = stored;

  ResumeVerdict between_epochs() const {
    return judge_resume({.stored = stored, .present = present});
  }
  ResumeVerdict inside_one() const {
    return judge_resume({.stored = stored, .present = present, .is_mid_epoch = true});
  }
};

BOOST_FIXTURE_TEST_SUITE(resume_verdict, Fixture)

BOOST_AUTO_TEST_CASE(the_same_run_on_the_same_machine_continues_bit_for_bit) {
  BOOST_TEST(inside_one().text() == "continues bit for bit");
  BOOST_TEST(inside_one().reasons.empty());
}

BOOST_AUTO_TEST_CASE(another_place_changes_nothing) {
  present["run.out"] = "b";
  present["num_loader_threads"] = "3";
  present["run.checkpoint.every_steps"] = "100";
  BOOST_TEST((inside_one().outcome == ResumeOutcome::kBitForBit));
}

// A run is stored with the settings that its schedule reads.
BOOST_AUTO_TEST_CASE(what_another_setting_brings_and_takes_is_not_named_beside_it) {
  stored["run.schedule"] = "one_cycle";
  stored["run.div_factor"] = "25.0";
  stored["run.early_stopping.patience"] = "0";
  stored["run.gamma"] = "0.1";
  present = stored;
  present["run.schedule"] = "cosine";
  present.erase("run.div_factor");
  present["run.end_learning_rate"] = "0.0";
  BOOST_TEST(between_epochs().text() ==
             "continues, no longer bit for bit, because run.schedule: expected one_cycle, found "
             "cosine");
  present["run.gamma"] = "0.5";  // both have it
  present["run.early_stopping.patience"] = "3";
  present["run.early_stopping.monitor"] = "val_loss";
  BOOST_TEST(between_epochs().text() ==
             "continues, no longer bit for bit, because run.early_stopping.patience: expected 0, "
             "found 3; run.gamma: expected 0.1, found 0.5; run.schedule: expected one_cycle, found "
             "cosine");
  // Of a version that did not have the setting yet.
  present = stored;
  present["run.power"] = "2.0";
  BOOST_TEST(between_epochs().text() ==
             "continues, no longer bit for bit, because run.power: expected nothing, found 2.0");
}

BOOST_AUTO_TEST_CASE(another_size_of_validation_steps_changes_nothing) {
  present["run.validation_batch_size"] = "8";
  BOOST_TEST((inside_one().outcome == ResumeOutcome::kBitForBit));
}

BOOST_AUTO_TEST_CASE(another_machine_continues_no_longer_bit_for_bit) {
  present["instruction_set"] = "avx2";
  present["num_compute_threads"] = "4";
  BOOST_TEST((inside_one().outcome == ResumeOutcome::kNoLongerBitForBit));
  BOOST_TEST(
      inside_one().text() ==
      "continues, no longer bit for bit, because instruction_set: expected avx512_core, found "
      "avx2; num_compute_threads: expected 8, found 4");
}

BOOST_AUTO_TEST_CASE(another_dataset_or_model_is_refused_with_the_difference_alone) {
  present["dataset.id"] = "d2";
  present["model.identity"] = "conv2d 64\nconv2d 128\ndense 10\n";
  present["run.learning_rate"] = "0.2";
  BOOST_TEST((between_epochs().outcome == ResumeOutcome::kRefused));
  BOOST_TEST(between_epochs().text() ==
             "cannot continue: dataset.id: expected d1, found d2; model.identity: line 2: expected "
             "\"conv2d 64\", found \"conv2d 128\"");
}

// What is frozen for good has no states of the optimizer in a checkpoint.
BOOST_AUTO_TEST_CASE(other_frozen_weights_are_refused_and_other_statistics_lose_bits) {
  present["run.freeze"] = "[\"*\", \"!head\"]";
  BOOST_TEST(between_epochs().text() ==
             "cannot continue: run.freeze: expected nothing, found [\"*\", \"!head\"]");
  present = stored;
  present["run.freeze_norm"] = "false";
  BOOST_TEST((between_epochs().outcome == ResumeOutcome::kNoLongerBitForBit));
}

BOOST_AUTO_TEST_CASE(other_weights_in_the_loss_are_refused) {
  present["run.loss_weights"] = "weights of XXH3-64 12";
  BOOST_TEST(between_epochs().text() ==
             "cannot continue: run.loss_weights: expected nothing, found weights of XXH3-64 12");
}

BOOST_AUTO_TEST_CASE(what_decides_the_samples_may_change_between_two_epochs_only) {
  for (const char* name :
       {"seed", "run.batch_size", "run.drop_remainder", "run.augment.zoom_range"}) {
    const std::string before = present[name];
    present[name] = "9";
    const std::string reason = std::string(name) + ": expected " + before + ", found 9";
    BOOST_TEST(inside_one().text() == "cannot continue: " + reason);
    BOOST_TEST(between_epochs().text() == "continues, no longer bit for bit, because " + reason);
    present[name] = before;
  }
}

BOOST_AUTO_TEST_CASE(a_name_on_one_side_only_is_a_difference) {
  present.erase("dataset.id");
  BOOST_TEST(between_epochs().text() == "cannot continue: dataset.id: expected d1, found nothing");
  present = stored;
  present["run.novel"] = "";
  BOOST_TEST(
      between_epochs().text() ==
      "continues, no longer bit for bit, because run.novel: expected nothing, found an empty "
      "text");
}

BOOST_AUTO_TEST_CASE(texts_that_differ_in_length_are_told_apart) {
  present["model.identity"] = "conv2d 64\nconv2d 64\n";
  BOOST_TEST(between_epochs().text() ==
             "cannot continue: model.identity: line 3: expected \"dense 10\", found no such line");
  present["model.identity"] = "conv2d 64\nconv2d 64\ndense 10";
  BOOST_TEST(between_epochs().text() ==
             "cannot continue: model.identity: expected another end of its last line");
  present.erase("model.identity");
  BOOST_TEST(between_epochs().text() ==
             "cannot continue: model.identity: expected a text of several lines, found nothing");
}

BOOST_AUTO_TEST_CASE(a_message_stays_a_line_of_some_differences) {
  for (int i = 0; i < 20; ++i) present["run.new" + std::to_string(i)] = std::string(1000, 'x');
  const std::string text = between_epochs().text();
  BOOST_TEST(between_epochs().reasons.size() == 20u);
  BOOST_TEST(text.ends_with("; and 12 more"));
  BOOST_TEST(text.size() < 2000u);
  BOOST_TEST(text.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_longest_rule_that_fits_counts) {
  const FactRule rules[] = {{"run.", FactEffect::kRefuses}, {"run.out", FactEffect::kNone}};
  present["run.out"] = "b";
  BOOST_TEST((judge_resume({.stored = stored, .present = present}, rules).outcome ==
              ResumeOutcome::kBitForBit));
  present["run.learning_rate"] = "1";
  BOOST_TEST((judge_resume({.stored = stored, .present = present}, rules).outcome ==
              ResumeOutcome::kRefused));
}

BOOST_AUTO_TEST_CASE(the_table_has_each_name_once) {
  std::set<std::string_view> names;
  for (const FactRule& rule : resume_rules()) BOOST_TEST(names.insert(rule.name).second, rule.name);
}

BOOST_AUTO_TEST_CASE(facts_are_those_of_the_state) {
  const RunFacts facts = facts_of(tests::small_checkpoint(5).state);
  BOOST_TEST(facts.at("dataset.id") == "0123456789abcdef");
  BOOST_TEST(facts.at("seed") == "18446744073709551615");
  BOOST_TEST(facts.at("micro_batch") == "16");
  BOOST_TEST(facts.at("run.batch_size") == "32");
  BOOST_TEST(facts.size() == 11u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
