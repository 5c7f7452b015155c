// Training runs of the real program that are killed and stopped at random moments, and go on.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>

#include "fixtures/damage.h"
#include "fixtures/shapes_dataset.h"
#include "streamer/core/file.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// As run.toml writes it, so that model.json is the same whichever of the two it came from.
constexpr const char* kNet =
    "[[layer]]\nfilters = 4\ntype = \"conv2d\"\n\n[[layer]]\ntype = \"batch_norm\"\n\n"
    "[[layer]]\ntype = \"relu\"\n\n[[layer]]\ntype = \"global_avg_pool\"\n\n"
    "[[layer]]\nrate = 0.25\ntype = \"dropout\"\n\n"
    "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
constexpr int kEpochs = 12;

/// 80 training and 40 validation pictures of ten classes, and the unbroken run on them; made once.
struct Shapes {
  TemporaryFolder folder;
  fs::path dataset = folder.path() / "shapes.ds";
  fs::path unbroken = folder.path() / "unbroken";
  milliseconds took{};

  static const Shapes& get() {
    static const Shapes shapes;
    return shapes;
  }

  std::vector<std::string> line(const fs::path& out) const {
    return {"train",
            dataset,
            "-o",
            out,
            "--model",
            folder.path() / "net.toml",
            "--optimizer",
            "adamw",
            "--image-size",
            "32",
            "--batch-size",
            "16",
            "--epochs",
            std::to_string(kEpochs),
            "--threads",
            "1",
            "--seed",
            "3",
            "--checkpoint.every-steps",
            "2"};
  }

 private:
  Shapes() {
    publish_file(folder.path() / "net.toml", kNet);
    fixtures::make_shapes(folder.path() / "pictures", {.num_train = 80,
                                                       .num_validation = 40,
                                                       .num_test = 0,
                                                       .min_side_px = 32,
                                                       .max_side_px = 40});
    const CommandResult converted = run_penstock({"convert", folder.path() / "pictures", dataset});
    BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
    const auto start = std::chrono::steady_clock::now();
    const CommandResult trained = run_penstock(line(unbroken));
    BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
    took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  }
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

/// The columns of metrics.csv that say who was seen and what was learnt: those that no clock measures.
std::string figures_of(const fs::path& run) {
  std::istringstream lines(read_text_file(run / "metrics.csv"));
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> names = fields_of(line);
  std::string kept = line + "\n";
  while (std::getline(lines, line)) {
    const std::vector<std::string> fields = fields_of(line);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const bool is_of_a_clock =
          names[i] == "train_s" || names[i] == "images_per_s" || names[i] == "waiting_share";
      if (!is_of_a_clock) kept += fields[i] + ",";
    }
    kept += "\n";
  }
  return kept;
}

struct Fixture {
  const Shapes& shapes = Shapes::get();
  TemporaryFolder folder;
  fs::path out = folder.path() / "run";

  std::vector<std::string> line(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = shapes.line(out);
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  CommandResult resume(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"train", "-o", out, "--resume"};
    words.insert(words.end(), more.begin(), more.end());
    return run_penstock(words);
  }
  void check_as_unbroken() const {
    for (const char* name : {"weights.safetensors", "model.json"}) {
      BOOST_TEST((read_text_file(out / name) == read_text_file(shapes.unbroken / name)), name);
    }
    BOOST_TEST(figures_of(out) == figures_of(shapes.unbroken));
    const std::string metrics = figures_of(out);
    BOOST_TEST(std::count(metrics.begin(), metrics.end(), '\n') == kEpochs + 1);
  }
  /// Names of the checkpoints, newest first.
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    if (!fs::exists(out / "checkpoints")) return names;
    for (const auto& entry : fs::directory_iterator(out / "checkpoints")) {
      if (entry.path().extension() != ".tmp") names.push_back(entry.path().filename());
    }
    std::sort(names.rbegin(), names.rend());
    return names;
  }
  /// Flips a byte in the middle of the newest checkpoint; false where there is none before it.
  bool damage_newest(const std::string& but) const {
    const std::vector<std::string> names = checkpoints();
    if (names.size() < 2 || names[0] == but) return false;
    const fs::path file = out / "checkpoints" / names[0] / "optimizer.safetensors";
    fixtures::flip_byte(file, fs::file_size(file) / 2);
    return true;
  }

  struct Harness {
    int signal_number = SIGKILL;
    int exit_code = 128 + SIGKILL;
    const char* name = "training_kills";
  };
  /// Ends processes at random moments until ten were, each going on where the last one was; every second
  /// time the newest checkpoint is damaged besides.
  void end_and_resume(const Harness& harness) const {
    const unsigned seed = std::random_device()();
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> moment_ms(1, static_cast<int>(shapes.took.count()));
    int num_ended = 0;
    int num_damaged = 0;
    int num_runs = 0;
    std::string damaged;
    BOOST_TEST_CONTEXT("seed " << seed) {
      for (int num_processes = 0; num_processes < 100; ++num_processes) {
        RunningCommand command(line({"--resume"}));
        if (num_ended < 10) {
          std::this_thread::sleep_for(milliseconds(moment_ms(random)));
          command.send(harness.signal_number);
        }
        const CommandResult result = command.wait();
        if (result.exit_code == 0) {
          check_as_unbroken();
          ++num_runs;
          if (num_ended >= 10) break;
          fs::remove_all(out);
          continue;
        }
        // Before main has come to its handler, SIGTERM ends the process the ordinary way.
        const bool is_ended = result.exit_code == harness.exit_code ||
                              result.exit_code == 128 + harness.signal_number;
        BOOST_REQUIRE_MESSAGE(is_ended, result.exit_code << ": " << result.err);
        ++num_ended;
        if (num_ended % 2 == 0 && damage_newest(damaged)) {
          damaged = checkpoints().front();
          ++num_damaged;
        }
      }
      BOOST_TEST(num_ended == 10);
      BOOST_TEST(num_runs >= 1);
    }
    std::cout << "{\"harness\": \"" << harness.name << "\", \"seed\": " << seed
              << ", \"ended\": " << num_ended << ", \"damaged\": " << num_damaged
              << ", \"runs\": " << num_runs << "}\n";
  }
};

BOOST_FIXTURE_TEST_SUITE(resume_cli, Fixture)

BOOST_AUTO_TEST_CASE(a_run_that_is_killed_at_any_moment_comes_to_the_weights_of_the_unbroken_one) {
  end_and_resume({});
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_at_any_moment_comes_to_the_weights_of_the_unbroken_one) {
  end_and_resume({.signal_number = SIGTERM, .exit_code = 4, .name = "training_stops"});
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
  // The limit is one of the run's settings; the same again takes one more step.
  const CommandResult again = resume();
  BOOST_TEST(again.exit_code == 4);
  BOOST_TEST(contains(again.err,
                      "resume    after step 1 (0 epochs and 16 samples): continues bit for bit\n"));
  BOOST_TEST(contains(again.err, "stored as of step 2" + hint));
  const CommandResult done = resume({"--max-time", "0"});
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  check_as_unbroken();
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  BOOST_TEST(resume().exit_code == 4);
  const std::vector<std::string> names = checkpoints();
  BOOST_REQUIRE(damage_newest(""));
  const CommandResult done = resume({"--max-time", "0"});
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  BOOST_TEST(contains(done.err, "resume    checkpoint " + names[0] + " is damaged ("));
  BOOST_TEST(contains(done.err, "): the one before is taken\nresume    after step 1 ("));
  check_as_unbroken();
}

BOOST_AUTO_TEST_CASE(other_threads_go_on_and_say_that_the_bits_are_others) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const CommandResult done = resume({"--max-time", "0", "--threads", "2"});
  BOOST_TEST(done.exit_code == 0);
  BOOST_TEST(contains(done.err,
                      "): continues, no longer bit for bit, because num_compute_threads: "
                      "expected 1, found 2\n"));
}

BOOST_AUTO_TEST_CASE(another_seed_in_mid_epoch_is_refused) {
  BOOST_TEST(run_penstock(line({"--max-time", "1s"})).exit_code == 4);
  const std::string run = out;
  check_refused_with(resume({"--seed", "4"}), 1,
                     "run: " + run + ": cannot continue: run.seed: expected 3, found 4; seed: ");
}

BOOST_AUTO_TEST_CASE(a_finished_run_goes_on_with_more_epochs) {
  fs::copy(shapes.unbroken, out, fs::copy_options::recursive);
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

BOOST_AUTO_TEST_CASE(what_is_no_run_cannot_be_resumed) {
  check_refused(resume(), 2, "train: --resume: " + out.native() + ": expected a run, found none",
                "penstock train DATASET -o " + out.native());
}

// The disk is full for checkpoints alone, and from the first on.
BOOST_AUTO_TEST_CASE(a_disk_that_takes_no_checkpoint_costs_warnings_and_no_run) {
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  const EnvironmentChanges full = {
      {"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
      {"PENSTOCK_FAULT", "pwrite:1+:" + std::to_string(ENOSPC)},
      {"PENSTOCK_FAULT_FOLDER", (out / "checkpoints").native()},
      // AddressSanitizer wants to be the first library of all.
      {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                           "verify_asan_link_order=0"}};
  const CommandResult result = run_penstock(line({"--quiet"}), full);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(contains(result.err, "warning   checkpoint: "));
  BOOST_TEST(contains(result.err, "No space left on device"));
  BOOST_TEST(checkpoints().empty());
  check_as_unbroken();
}

// It is full for everything, for as long as one call takes.
BOOST_AUTO_TEST_CASE(a_disk_that_is_full_for_a_moment_costs_no_run) {
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  int num_warned = 0;
  for (const int number : {2, 5, 8, 11, 14, 40}) {
    fs::remove_all(out);
    const CommandResult result = run_penstock(
        line({"--quiet"}),
        {{"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
         {"PENSTOCK_FAULT", "pwrite:" + std::to_string(number) + ":" + std::to_string(ENOSPC)},
         {"PENSTOCK_FAULT_FOLDER", out.native()},
         {"ASAN_OPTIONS", (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
                              "verify_asan_link_order=0"}});
    BOOST_TEST_CONTEXT("call " << number << ": " << result.err) {
      BOOST_TEST(result.exit_code == 0);
      num_warned += contains(result.err, "warning   ") ? 1 : 0;
      check_as_unbroken();
    }
  }
  BOOST_TEST(num_warned == 6);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_at_once_and_damages_nothing) {
  RunningCommand command(line());
  for (int i = 0; i < 12000 && checkpoints().empty(); ++i) {
    std::this_thread::sleep_for(milliseconds(5));  // a minute: then it has failed
  }
  BOOST_REQUIRE(!checkpoints().empty());
  command.send(SIGTERM);
  command.send(SIGTERM);
  const CommandResult ended = command.wait();
  BOOST_TEST((ended.exit_code == 128 + SIGTERM || ended.exit_code == 4));
  const CommandResult done = resume();
  BOOST_REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  BOOST_TEST(!contains(done.err, "is damaged"));
  check_as_unbroken();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
