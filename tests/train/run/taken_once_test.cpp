// Which samples the steps of a run took that was killed and stopped: logged by each of its processes and merged
// here, so that nothing that the run counts itself is believed.
#include <signal.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tests/train/run/counted_steps.h"
#include "tests/train/run/logged_process.h"
#include "tests/train/run/tiny_run.h"
#include "tools/convert/convert_job.h"
#include "train/store/model_record.h"

namespace penstock::train::tests {
namespace {

constexpr int kStopped = 4;  // logged_run's exit code
constexpr std::uint64_t kNumSamples = 44;

/// A run of whole passes over the samples.
struct Kind {
  const char* name;
  const char* settings;
  std::uint64_t num_steps;
  std::uint64_t num_passes;
};

// By hand: 44 samples in steps of 8 are five steps and one of four samples.
constexpr Kind kWholeBatches = {"whole batches", "batch_size = 8\nepochs = 3\n", 18, 3};
constexpr Kind kWholePasses = {"passes as steps",
                               "batch_size = \"all\"\nmicro_batch = 11\nepochs = 3\n", 3, 3};
constexpr Kind kParts = {"batches in parts", "batch_size = 8\nmicro_batch = 3\nepochs = 3\n", 18,
                         3};
const std::vector<Kind> kKinds = {
    kWholeBatches,
    kWholePasses,
    kParts,
    {"steps of two batches", "batch_size = 8\nmicro_batch = 4\nepochs = 3\n", 18, 3},
    {"windows", "batch_size = 8\norder = \"windowed\"\nepochs = 3\n", 18, 3},
    {"epochs of given steps", "batch_size = 8\nsteps_per_epoch = 4\nepochs = 3\n", 12, 2},
    {"validations within epochs", "batch_size = 8\nvalidate_every_steps = 4\nepochs = 2\n", 12, 2},
};

/// The samples, and an unbroken run of each kind on them.
class Unbroken {
 public:
  struct Run {
    std::vector<std::string> lines;
    std::vector<TakenStep> steps;
    std::string weights;
  };

  static Unbroken& get() {
    static Unbroken unbroken;
    return unbroken;
  }

  fs::path dataset() const { return folder_.path() / "pets.ds"; }
  const Run& run(const Kind& kind);

 private:
  Unbroken() {
    for (std::uint32_t i = 0; i < kNumSamples / 2 + 4; ++i) {
      const char* const split = i < kNumSamples / 2 ? "train" : "validation";
      for (const char* pet : {"cat", "dog"}) {
        penstock::tests::write_picture(
            folder_.path() / "pets" / split / pet / (std::to_string(i) + ".jpg"),
            {.seed = 2 * i + (pet[0] == 'd' ? 1 : 0)});
      }
    }
    Quiet quiet;
    convert::convert_folder({.source = folder_.path() / "pets", .dataset = dataset()}, quiet, {});
  }

  penstock::tests::TemporaryFolder folder_;
  std::map<std::string, Run> runs_;
};

/// A run that processes end in, and what they said of it.
struct BrokenRun {
  penstock::tests::TemporaryFolder folder;
  fs::path out = folder.path() / "run";
  fs::path run_file = folder.path() / "run.toml";
  std::vector<TakenStep> counted;
  std::set<std::string> damaged;

  explicit BrokenRun(const Kind& kind, const std::string& more = {}) { write(kind, more); }

  /// The run with these settings from now on; tables stand behind keys.
  void write(const Kind& kind, const std::string& more = {}) const {
    publish_file(
        run_file,
        "dataset = \"" + Unbroken::get().dataset().native() + "\"\n" + kind.settings +
            "image_size = 16\nthreads = 1\nseed = 5\nmemory = \"128M\"\nmodel = \"net\"\n" + more +
            "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"relu\"\n"
            "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dropout\"\nrate = 0.25\n"
            "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n");
  }
  /// Names of the whole checkpoints, newest first: SERIAL-step-STEP (CHECKPOINT.md).
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    if (!fs::exists(out / "checkpoints")) return names;
    for (const auto& entry : fs::directory_iterator(out / "checkpoints")) {
      const std::string name = entry.path().filename();
      if (!name.ends_with(".tmp") && !damaged.contains(name)) names.push_back(name);
    }
    std::ranges::sort(names, std::greater());
    return names;
  }
  std::uint64_t checkpoint_step() const {
    const std::vector<std::string> names = checkpoints();
    return names.empty() ? 0 : std::stoull(names[0].substr(names[0].rfind('-') + 1));
  }
  /// Damages the newest checkpoint where there is one before it.
  bool damage_newest() {
    const std::vector<std::string> names = checkpoints();
    if (names.size() < 2) return false;
    const fs::path file = out / "checkpoints" / names[0] / "model.safetensors";
    fixtures::flip_byte(file, fs::file_size(file) / 2);
    damaged.insert(names[0]);
    return true;
  }
  /// One more process, whose steps are counted.
  EndedProcess go_on(const std::optional<Ending>& ending = {}) {
    const std::uint64_t num_steps_before = checkpoint_step();
    EndedProcess ended = run_logged(run_file, out, ending);
    add_steps(counted, logged_steps(ended.lines), num_steps_before);
    return ended;
  }
  void check_as_unbroken(const Kind& kind) const {
    const Unbroken::Run& unbroken = Unbroken::get().run(kind);
    BOOST_TEST(counted.size() == kind.num_steps);
    BOOST_TEST(not_once(counted, {kind.num_passes, kNumSamples}) == "");
    BOOST_CHECK(counted == unbroken.steps);
    BOOST_CHECK(read_text_file(out / kWeightsName) == unbroken.weights);
  }
};

const Unbroken::Run& Unbroken::run(const Kind& kind) {
  const auto found = runs_.find(kind.name);
  if (found != runs_.end()) return found->second;
  BrokenRun run(kind);
  const EndedProcess ended = run.go_on();
  BOOST_REQUIRE(ended.exit_code == 0);
  return runs_[kind.name] = {.lines = ended.lines,
                             .steps = run.counted,
                             .weights = read_text_file(run.out / kWeightsName)};
}

/// Between none and so many steps: nothing but what epochs and stops store, or more.
std::string drawn_checkpoints(std::mt19937& random) {
  const std::uint32_t every_steps = std::array{0u, 0u, 1u, 2u, 5u}[random() % 5];
  return "checkpoint = { every_steps = " + std::to_string(every_steps) + " }\n";
}

/// Ends processes at drawn lines of their logs, each going on where it can, until ten were ended and three have
/// gone on within a pass. What stores checkpoints is drawn, and whether the newest one is damaged between two
/// processes.
void end_and_go_on(int signal_number, int exit_code) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  std::vector<Kind> kinds = kKinds;
  std::ranges::shuffle(kinds, random);
  int num_ended = 0;
  int num_ended_within_steps = 0;
  int num_begun_within_passes = 0;
  int num_damaged = 0;
  std::size_t num_runs = 0;
  const auto is_enough = [&] { return num_ended >= 10 && num_begun_within_passes >= 3; };
  BOOST_TEST_CONTEXT("seed " << seed) {
    for (; !is_enough() && num_runs < 100; ++num_runs) {
      const Kind& kind = kinds[num_runs % kinds.size()];
      const std::size_t num_lines = Unbroken::get().run(kind).lines.size();
      BrokenRun run(kind, drawn_checkpoints(random));
      BOOST_TEST_CONTEXT(kind.name) {
        while (true) {
          std::optional<Ending> ending;
          if (!is_enough()) {
            ending = {.signal_number = signal_number,
                      .num_lines = 1 + random() % (num_lines / 2),
                      .holds_still = random() % 2 == 0};
          }
          const bool begins_within_pass =
              run.checkpoint_step() % (kind.num_steps / kind.num_passes) != 0;
          num_begun_within_passes += begins_within_pass ? 1 : 0;
          const EndedProcess ended = run.go_on(ending);
          if (ended.exit_code == 0) break;
          BOOST_REQUIRE(ended.exit_code == exit_code);
          ++num_ended;
          num_ended_within_steps += logged_steps(ended.lines).open.empty() ? 0 : 1;
          if (random() % 2 == 0 && run.damage_newest()) ++num_damaged;
        }
        run.check_as_unbroken(kind);
      }
    }
    BOOST_TEST(is_enough());
  }
  std::cout << "{\"harness\": \"taken_once\", \"signal\": " << signal_number
            << ", \"seed\": " << seed << ", \"ended\": " << num_ended
            << ", \"ended_within_steps\": " << num_ended_within_steps
            << ", \"begun_within_passes\": " << num_begun_within_passes
            << ", \"damaged\": " << num_damaged << ", \"runs\": " << num_runs << "}\n";
}

BOOST_AUTO_TEST_SUITE(taken_once)

BOOST_AUTO_TEST_CASE(an_unbroken_run_takes_every_sample_of_every_pass_once) {
  for (const Kind& kind : kKinds) {
    BOOST_TEST_CONTEXT(kind.name) {
      const std::vector<TakenStep>& steps = Unbroken::get().run(kind).steps;
      BOOST_TEST(steps.size() == kind.num_steps);
      BOOST_TEST(not_once(steps, {kind.num_passes, kNumSamples}) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_is_killed_ten_times_takes_every_sample_of_every_pass_once) {
  end_and_go_on(SIGKILL, 128 + SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_ten_times_takes_every_sample_of_every_pass_once) {
  end_and_go_on(SIGTERM, kStopped);
}

/// Number of the line that says so for the second time, from 1.
std::uint64_t second_line(const std::vector<std::string>& lines, const std::string& begin) {
  for (std::size_t i = 0, num_found = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with(begin) && ++num_found == 2) return i + 1;
  }
  BOOST_FAIL("no second " << begin);
  return 0;
}

// When the second batch of the second pass has come. It is the second of four whose gradients add up, or is cut
// into parts itself.
BOOST_AUTO_TEST_CASE(a_step_that_is_ended_within_is_taken_again_as_a_whole) {
  struct Expected {
    const Kind& kind;
    std::size_t num_steps;
    std::size_t num_open;
    std::uint64_t last_epoch_end;
  };
  for (const Expected& expected : {Expected{kWholePasses, 1, 22, 1}, Expected{kParts, 7, 8, 6}}) {
    const std::uint64_t num_lines =
        second_line(Unbroken::get().run(expected.kind).lines, "batch 1 ");
    for (const int signal_number : {SIGKILL, SIGTERM}) {
      BOOST_TEST_CONTEXT(expected.kind.name << ", signal " << signal_number) {
        BrokenRun run(expected.kind);
        const EndedProcess ended = run.go_on(
            Ending{.signal_number = signal_number, .num_lines = num_lines, .holds_still = true});
        const bool is_kill = signal_number == SIGKILL;
        BOOST_TEST(ended.exit_code == (is_kill ? 128 + SIGKILL : kStopped));
        BOOST_TEST(logged_steps(ended.lines).steps.size() == expected.num_steps);
        BOOST_TEST(logged_steps(ended.lines).open.size() == expected.num_open);
        BOOST_TEST(run.checkpoint_step() ==
                   (is_kill ? expected.last_epoch_end : expected.num_steps));
        BOOST_TEST(run.go_on().exit_code == 0);
        run.check_as_unbroken(expected.kind);
      }
    }
  }
}

// The limit is less than a checkpoint is taken to last, so each process takes one step.
BOOST_AUTO_TEST_CASE(a_run_that_is_out_of_time_after_every_step_takes_every_sample_once) {
  BrokenRun run(kWholeBatches, "max_time = \"1s\"\n");
  for (std::uint64_t num_steps = 1; num_steps <= 4; ++num_steps) {
    BOOST_TEST(run.go_on().exit_code == kStopped);
    BOOST_TEST(run.checkpoint_step() == num_steps);
    BOOST_TEST(run.counted.size() == num_steps);
  }
  run.write(kWholeBatches);
  BOOST_TEST(run.go_on().exit_code == 0);
  run.check_as_unbroken(kWholeBatches);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::tests
