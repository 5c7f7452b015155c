#include "tools/run_screen.h"

#include <boost/test/unit_test.hpp>

namespace penstock::tools {
namespace {

train::PassReport half_done() {
  train::PassReport pass;
  pass.num_samples = 1534;
  pass.num_distinct = 1534;
  pass.num_expected = 3068;
  pass.elapsed_s = 765;
  pass.waiting_s = 76.5;
  pass.totals = {.weighted_loss_sum = 1.2345 * 1534,
                 .weight_sum = 1534,
                 .num_counted = 1000,
                 .num_correct = 769};
  return pass;
}

// 812 MiB of 2 GiB.
constexpr MemoryUse kMemory{.held_bytes = 851443712, .limit_bytes = 2147483648};

BOOST_AUTO_TEST_SUITE(run_screen)

BOOST_AUTO_TEST_CASE(each_once_is_said_only_when_the_tally_found_it) {
  train::PassReport pass = half_done();
  BOOST_TEST(samples_text(pass) == "1,534 of 3,068 samples, 0 skipped");
  pass.num_samples = pass.num_distinct = 3068;
  pass.num_skipped = 2;
  BOOST_TEST(samples_text(pass) == "3,068 of 3,068 samples, each once, 2 skipped");
  pass.num_left_out = 32;
  BOOST_TEST(samples_text(pass) ==
             "3,068 of 3,100 samples, each once, 32 left out by drop_remainder, 2 skipped");
  pass.num_left_out = 0;
  pass.num_distinct = 3000;
  BOOST_TEST(samples_text(pass) == "3,068 of 3,068 samples, 68 of them again, 2 skipped");
}

BOOST_AUTO_TEST_CASE(progress_shows_bar_counts_and_speed) {
  BOOST_TEST(progress_text(half_done()) == "[##########..........] 1,534/3,068  2 images/s");
}

// 79 of 80 columns: a terminal wraps when the last one is written.
BOOST_AUTO_TEST_CASE(everything_fits_into_80_columns) {
  train::EpochReport report{.epoch_idx = 29, .num_epochs = 30, .train = half_done()};
  BOOST_TEST(train_progress_text(report, kMemory, 79) ==
             "epoch 30/30 1,534/3,068 2/s loss 1.234 acc 76.9% 12m45s left 812M/2.0G wait 10%");
  report.train.num_samples = 3068;
  report.train.elapsed_s = 1.5;
  report.train.waiting_s = 1.5;
  report.train.totals.num_correct = 1000;
  const std::string full = train_progress_text(report, kMemory, 79);
  BOOST_TEST(full.size() <= 79u);
  BOOST_TEST(full.find(" 3,068/3,068 2045/s loss ") != std::string::npos);
  BOOST_TEST(full.find("acc 100% 0s left 812M/2.0G wait 100%") != std::string::npos);
  // The longest of each: hours left, four digits a second.
  report.train.num_samples = 3;
  report.train.elapsed_s = 12.3;
  report.train.num_expected = 3068;
  report.train.totals.weighted_loss_sum = 9.9999 * 1534;
  BOOST_TEST(train_progress_text(report, kMemory, 79).size() <= 79u);
}

// The bar goes before the memory does.
BOOST_AUTO_TEST_CASE(a_narrow_terminal_gets_what_fits) {
  const train::EpochReport report{.epoch_idx = 29, .num_epochs = 30, .train = half_done()};
  BOOST_TEST(
      train_progress_text(report, kMemory, 85) ==
      "epoch 30/30 [#..] 1,534/3,068 2/s loss 1.234 acc 76.9% 12m45s left 812M/2.0G wait 10%");
  BOOST_TEST(train_progress_text(report, kMemory, 78) ==
             "epoch 30/30 [###...] 1,534/3,068 2/s loss 1.234 acc 76.9% 12m45s left wait 10%");
}

BOOST_AUTO_TEST_CASE(memory_is_told_in_the_unit_that_suits_it) {
  const train::EpochReport report{.epoch_idx = 0, .num_epochs = 1, .train = half_done()};
  const std::string small =
      train_progress_text(report, {.held_bytes = 3u << 20, .limit_bytes = 512u << 20}, 200);
  BOOST_TEST(small.find(" left 3M/512M wait ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_wide_terminal_gets_a_longer_bar) {
  const train::EpochReport report{.epoch_idx = 0, .num_epochs = 30, .train = half_done()};
  BOOST_TEST(train_progress_text(report, kMemory, 200).find("[##########..........]") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
