// Training runs of the real program that are killed and stopped at random moments, and go on.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "tests/cli/cut_off_run.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"

namespace penstock::tests {
namespace {

/// What a run keeps from step to step, and when it stores it, drawn.
Words drawn_settings(std::mt19937& random) {
  const auto coin = [&] { return random() % 2 == 0; };
  Words words;
  if (coin()) words.insert(words.end(), {"--ema-decay", "0.9"});
  if (coin()) words.insert(words.end(), {"--micro-batch", "8"});
  if (coin()) words.insert(words.end(), {"--augment.mixup", "0.2"});
  if (coin()) words.insert(words.end(), {"--early-stopping.patience", "4"});
  if (coin()) words.insert(words.end(), {"--checkpoint.every-steps", "2"});
  return words;
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

struct Fixture : CutOffRun {
  struct Harness {
    std::vector<int> signals;
    /// Of a process whose handler has come to its end; 0 for one that has none.
    int exit_code = 0;
    const char* name = "";
  };
  /// Ends processes at random moments until ten were, each going on where the last one was; every second
  /// time the newest checkpoint is damaged besides, where there is one before it. What the run does, and when
  /// it stores it, is drawn.
  void end_and_resume(const Harness& harness) const {
    const unsigned seed = std::random_device()();
    std::mt19937 random(seed);
    const Words settings = drawn_settings(random);
    const milliseconds took = shapes.unbroken(settings).took;
    std::uniform_int_distribution<int> moment_ms(1, static_cast<int>(took.count()));
    int num_ended = 0;
    int num_damaged = 0;
    int num_runs = 0;
    std::string damaged;
    BOOST_TEST_CONTEXT("seed " << seed << ": " << joined(settings)) {
      for (int num_processes = 0; num_processes < 100; ++num_processes) {
        const bool is_enough = num_ended >= 10 && num_damaged > 0;
        Words words = settings;
        words.push_back("--resume");
        RunningCommand command(line(words));
        const int signal_number = harness.signals[random() % harness.signals.size()];
        if (!is_enough) {
          std::this_thread::sleep_for(milliseconds(moment_ms(random)));
          command.send(signal_number);
        }
        const CommandResult result = command.wait();
        if (result.exit_code == 0) {
          check_as_unbroken(settings);
          ++num_runs;
          if (is_enough) break;
          fs::remove_all(out);
          continue;
        }
        // Before main has come to its handler, a signal ends the process the ordinary way.
        const bool is_ended = (harness.exit_code != 0 && result.exit_code == harness.exit_code) ||
                              result.exit_code == 128 + signal_number;
        BOOST_REQUIRE_MESSAGE(is_ended, result.exit_code << ": " << result.err);
        ++num_ended;
        if (num_ended % 2 == 0 && damage_newest(damaged)) {
          damaged = checkpoints().front();
          ++num_damaged;
        }
      }
      BOOST_TEST(num_ended >= 10);
      BOOST_TEST(num_damaged > 0);
      BOOST_TEST(num_runs >= 1);
    }
    std::cout << "{\"harness\": \"" << harness.name << "\", \"seed\": " << seed
              << ", \"settings\": \"" << joined(settings) << "\", \"ended\": " << num_ended
              << ", \"damaged\": " << num_damaged << ", \"runs\": " << num_runs << "}\n";
  }
};

BOOST_FIXTURE_TEST_SUITE(resume_cli, Fixture)

BOOST_AUTO_TEST_CASE(a_run_that_is_killed_at_any_moment_comes_to_the_weights_of_the_unbroken_one) {
  end_and_resume({.signals = {SIGKILL}, .name = "training_kills"});
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_at_any_moment_comes_to_the_weights_of_the_unbroken_one) {
  end_and_resume({.signals = {SIGTERM, SIGINT}, .exit_code = 4, .name = "training_stops"});
}

// Two epochs change the folder some forty times; the first are those before and around the first weights and the
// first checkpoint, which by default are stored at the end of an epoch.
BOOST_AUTO_TEST_CASE(a_run_that_is_killed_at_any_of_its_first_changes_goes_on) {
  const Words two_epochs = {"--epochs", "2"};
  int num_killed = 0;
  int num_without_checkpoint = 0;
  for (int number = 1; number <= 40; ++number) {
    BOOST_TEST_CONTEXT("killed at change " << number) {
      fs::remove_all(out);
      const CommandResult killed =
          run_penstock(line(two_epochs), fault("change:" + std::to_string(number) + ":-1", out));
      if (killed.exit_code == 0) break;
      BOOST_REQUIRE(killed.exit_code == 128 + SIGKILL);
      ++num_killed;
      num_without_checkpoint += checkpoints().empty() ? 1 : 0;
      Words again = two_epochs;
      again.push_back("--resume");
      const CommandResult done = run_penstock(line(again));
      BOOST_TEST(done.exit_code == 0, done.err);
      check_as_unbroken(two_epochs);
    }
  }
  BOOST_TEST(num_killed > 20);
  BOOST_TEST(num_without_checkpoint > 5);
}

BOOST_AUTO_TEST_CASE(max_time_stores_the_run_and_prints_the_line_that_goes_on) {
  const CommandResult stopped = run_penstock(line({"--max-time", "1s"}));
  BOOST_TEST(stopped.exit_code == 4);
  const std::string hint = "\nhint: to go on: penstock train -o " + out.native() + " --resume\n";
  BOOST_TEST(contains(stopped.err,
                      "penstock: train: stopped after 0 whole epochs and 1 step (--max-time); "
                      "stored as of step 1" +
                          hint));
  BOOST_TEST(contains(read_text_file(out / "run.toml"), "max_time = \"1s\"\n"));
  const CommandResult again = resume({"--max-time", "1s"});
  BOOST_TEST(again.exit_code == 4);
  BOOST_TEST(contains(again.err,
                      "resume    after step 1 (0 epochs and 16 samples): continues bit for bit\n"));
  BOOST_TEST(contains(again.err, "stored as of step 2" + hint));
  // The limit was of that process: the line that it printed comes to the end.
  const CommandResult done = resume();
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  check_as_unbroken();
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  BOOST_TEST(resume({"--max-time", "1s"}).exit_code == 4);
  const std::vector<std::string> names = checkpoints();
  BOOST_REQUIRE(damage_newest(""));
  const CommandResult done = resume();
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  BOOST_TEST(contains(done.err, "resume    checkpoint " + names[0] + " is damaged ("));
  BOOST_TEST(contains(done.err, "): the one before is taken\nresume    after step 1 ("));
  check_as_unbroken();
}

// oneDNN's own limit makes of this machine a lesser one.
BOOST_AUTO_TEST_CASE(another_machine_goes_on_and_says_that_the_bits_are_others) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const CommandResult done = resume({}, {{"ONEDNN_MAX_CPU_ISA", "SSE41"}});
  BOOST_TEST(done.exit_code == 0, done.err);
  BOOST_TEST(
      contains(done.err, "): continues, no longer bit for bit, because instruction_set: expected "),
      done.err);
  BOOST_TEST(contains(done.err, ", found SSE4.1\n"), done.err);
}

BOOST_AUTO_TEST_CASE(another_seed_in_mid_epoch_is_refused) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const std::string run = out;
  check_refused_with(resume({"--seed", "4"}), 1,
                     "run: " + run + ": cannot continue: run.seed: expected 3, found 4; seed: ");
}

BOOST_AUTO_TEST_CASE(a_finished_run_goes_on_with_more_epochs) {
  fs::copy(shapes.unbroken().folder, out, fs::copy_options::recursive);
  check_refused(run_penstock(line()), 1,
                "run: " + out.native() + ": expected no such folder, found a finished run of " +
                    std::to_string(kEpochs) + " epochs",
                "to go on with it: penstock train -o " + out.native() + " --resume --epochs " +
                    std::to_string(2 * kEpochs) + "; or choose another folder with -o");
  const CommandResult longer = resume({"--epochs", std::to_string(kEpochs + 1)});
  BOOST_TEST(longer.exit_code == 0);
  BOOST_TEST(
      contains(longer.err, "no longer bit for bit, because run.epochs: expected 12, found 13"));
  BOOST_TEST(contains(longer.err, "epoch 13/13: 80 of 80 samples, each once, 0 skipped"));
  const std::string metrics = read_text_file(out / "metrics.csv");
  BOOST_TEST(std::count(metrics.begin(), metrics.end(), '\n') == kEpochs + 2);
}

BOOST_AUTO_TEST_CASE(a_run_without_its_run_file_goes_on_by_a_checkpoint_and_writes_it_again) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const std::string settings = read_text_file(out / "run.toml");
  const std::string newest = checkpoints().front();
  fs::remove(out / "run.toml");
  CommandResult again = resume({"--max-time", "1s"});
  BOOST_TEST(again.exit_code == 4, again.err);
  BOOST_TEST(contains(
      again.err,
      "resume    run.toml is missing: the settings are those in checkpoint " + newest + "\n"));
  BOOST_TEST(read_text_file(out / "run.toml") == settings);
  fixtures::truncate_file(out / "run.toml", 200);
  again = resume();
  BOOST_REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  BOOST_TEST(contains(again.err, "resume    run.toml is cut short: the settings are "));
  check_as_unbroken();
}

BOOST_AUTO_TEST_CASE(a_finished_run_that_is_resumed_says_nothing_of_a_loader) {
  fs::copy(shapes.unbroken().folder, out, fs::copy_options::recursive);
  const CommandResult again = resume();
  BOOST_TEST(again.exit_code == 0, again.err);
  BOOST_TEST(!contains(again.out, "loader:"), again.out);
  BOOST_TEST(contains(again.out, "weights after 12 epochs: "), again.out);
}

BOOST_AUTO_TEST_CASE(the_colour_mode_of_a_run_stays) {
  fs::copy(shapes.unbroken().folder, out, fs::copy_options::recursive);
  const std::string message =
      "train: --resume: color_mode: expected rgb, as the run was begun, found grayscale";
  const std::string hint = "leave it as it was, or start another run with another -o";
  check_refused(resume({"--color-mode", "grayscale"}), 1, message, hint);
  publish_file(folder.path() / "gray.toml", "color_mode = \"grayscale\"\n");
  check_refused(resume({"--config", folder.path() / "gray.toml"}), 1, message, hint);
}

BOOST_AUTO_TEST_CASE(what_is_no_run_cannot_be_resumed) {
  check_refused(resume(), 2, "train: --resume: " + out.native() + ": expected a run, found none",
                "penstock train DATASET -o " + out.native());
  fs::create_directory(out);
  publish_file(out / "photo.jpg", "x");
  check_refused(resume(), 2, "train: --resume: " + out.native() + ": expected a run, found none",
                "check the path of -o; a new run needs a folder of its own: penstock train "
                "DATASET -o OTHER");
}

BOOST_AUTO_TEST_CASE(damaged_weights_are_brought_back_by_the_line_that_is_printed) {
  fs::copy(shapes.unbroken().folder, out, fs::copy_options::recursive);
  fixtures::flip_byte(out / "weights.safetensors", fs::file_size(out / "weights.safetensors") / 2);
  const CommandResult refused = run_penstock({"evaluate", out});
  BOOST_TEST(refused.exit_code == 3);  // damaged data
  BOOST_TEST(
      contains(refused.err, "\nhint: to bring it back from a checkpoint: penstock train -o " +
                                out.native() + " --resume\n"),
      refused.err);
  BOOST_TEST(resume().exit_code == 0);
  check_as_unbroken();
}

// On the reference a step of this network takes many times the seconds that are waited for.
constexpr const char* kSlowNet =
    "[[layer]]\nfilters = 48\ntype = \"conv2d\"\n\n[[layer]]\nfilters = 48\ntype = \"conv2d\"\n\n"
    "[[layer]]\ntype = \"global_avg_pool\"\n\n[[layer]]\ntype = \"dense\"\nunits = "
    "\"num_classes\"\n";

BOOST_AUTO_TEST_CASE(a_second_signal_ends_at_once_and_damages_nothing) {
  publish_file(folder.path() / "slow.toml", kSlowNet);
  const CommandResult begun = run_penstock(
      {"train", shapes.dataset, "-o", out, "--model", folder.path() / "slow.toml", "--image-size",
       "96", "--batch-size", "40", "--epochs", "1", "--threads", "1", "--max-time", "1s"});
  BOOST_REQUIRE_MESSAGE(begun.exit_code == 4, begun.err);
  const Words slow = {"train", "-o", out, "--resume", "--backend", "reference"};
  RunningCommand command(slow);
  const auto wait_until = [](const std::function<bool()>& is_so) {
    for (int i = 0; i < 24'000 && !is_so(); ++i) {
      std::this_thread::sleep_for(milliseconds(5));  // two minutes: then it has failed
    }
    BOOST_REQUIRE(is_so());
  };
  wait_until([&] { return contains(command.err_so_far(), "resume    "); });
  const milliseconds at_start = command.cpu_time();
  wait_until([&] { return command.cpu_time() > at_start + milliseconds(1500); });
  command.send(SIGTERM);
  wait_until([&] { return !command.is_pending(SIGTERM); });
  BOOST_TEST(!command.has_ended_within(milliseconds(500)));  // it waits for its step
  command.send(SIGTERM);
  BOOST_TEST(command.has_ended_within(std::chrono::seconds(5)));  // while the step goes on
  BOOST_TEST(command.wait().exit_code == 128 + SIGTERM);
  const CommandResult done = resume({"--backend", "onednn"});
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  BOOST_TEST(!contains(done.err, "is damaged"));
  BOOST_TEST(contains(done.err, "after step 1 (0 epochs and 40 samples): continues bit for bit\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
