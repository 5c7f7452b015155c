// Commands on a GPU, as far as they are the same without one: on the stand-in device, whose module runs the kernels on
// the CPU and ends the process with 70 for what CUDA forbids.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "fixtures/shapes_dataset.h"
#include "streamer/core/file.h"
#include "tests/cli/json_events.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr const char* kNet =
    "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n\n[[layer]]\ntype = \"batch_norm\"\n\n"
    "[[layer]]\ntype = \"relu\"\n\n[[layer]]\ntype = \"global_avg_pool\"\n\n"
    "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";

struct Dataset {
  TemporaryFolder folder;
  fs::path path = folder.path() / "shapes.ds";
  fs::path net = folder.path() / "net.toml";

  static const Dataset& get() {
    static const Dataset dataset;
    return dataset;
  }

 private:
  Dataset() {
    publish_file(net, kNet);
    fixtures::make_shapes(folder.path() / "pictures", {.num_train = 20,
                                                       .num_validation = 10,
                                                       .num_test = 10,
                                                       .min_side_px = 32,
                                                       .max_side_px = 36});
    const CommandResult converted = run_penstock({"convert", folder.path() / "pictures", path});
    BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  }
};

struct Fixture {
  const Dataset& dataset = Dataset::get();
  TemporaryFolder folder;

  static EnvironmentChanges with_gpu(EnvironmentChanges more = {}) {
    more["PENSTOCK_CUDA_MODULE"] = PENSTOCK_STAND_IN_MODULE;
    return more;
  }

  Words line(const std::string& out, const Words& more) const {
    Words words = {"train",        dataset.path, "-o",     folder.path() / out,
                   "--model",      dataset.net,  "--seed", "3",
                   "--batch-size", "8",          "--json"};
    const auto add_unless_given = [&](const std::string& flag, const std::string& value) {
      if (std::ranges::count(more, flag) == 0) words.insert(words.end(), {flag, value});
    };
    add_unless_given("--epochs", "2");
    add_unless_given("--image-size", "16");
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::vector<Json> train(const std::string& out, const Words& more,
                          const EnvironmentChanges& changes = with_gpu()) const {
    const CommandResult trained = run_penstock(line(out, more), changes);
    BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
    return events_of(trained.out);
  }

  std::string weights_of(const std::string& out) const {
    return read_text_file(folder.path() / out / "weights.safetensors");
  }
};

double loss_of(const std::vector<Json>& events) {
  return of_kind(events, "end").front()["train"]["loss"].get<double>();
}

Json start_of(const std::vector<Json>& events) {
  return of_kind(events, "start").front();
}

BOOST_FIXTURE_TEST_SUITE(gpu_cli, Fixture)

BOOST_AUTO_TEST_CASE(a_gpu_that_answers_is_taken_and_learns_as_the_cpu_does) {
  const Words values = {"--batch-element", "float32", "--learning-rate", "0.01"};
  const std::vector<Json> on_gpu = train("gpu", values);
  BOOST_TEST(start_of(on_gpu)["device"] == "cuda");
  BOOST_TEST(start_of(on_gpu)["backend"].get<std::string>().starts_with("Stand-in"));
  BOOST_TEST(start_of(on_gpu)["batch_memory"] == "pinned (cudaHostAlloc)");
  Words on_cpu = values;
  on_cpu.insert(on_cpu.end(), {"--backend", "reference"});
  const std::vector<Json> slow = train("cpu", on_cpu);
  BOOST_TEST(start_of(slow)["device"] == "cpu");
  // Products and norms are summed up in other orders; two epochs are five steps.
  BOOST_TEST(loss_of(on_gpu) == loss_of(slow), boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(pixels_go_there_as_bytes_and_are_normalised_there) {
  const Words slowly = {"--learning-rate", "0.01"};
  const std::vector<Json> bytes = train("bytes", slowly);
  Words values = slowly;
  values.insert(values.end(), {"--batch-element", "float32"});
  const std::vector<Json> floats = train("floats", values);
  BOOST_TEST(loss_of(bytes) != loss_of(floats));  // sampled values are rounded to whole ones
  BOOST_TEST(loss_of(bytes) == loss_of(floats), boost::test_tools::tolerance(0.02));
  Words erasing = slowly;
  erasing.insert(erasing.end(), {"--augment.random-erasing", "0.5", "--batch-element", "uint8"});
  const CommandResult refused = run_penstock(line("erased", erasing), with_gpu());
  check_refused_with(refused, 1, "expected float16 or float32 with augment.random_erasing");
}

BOOST_AUTO_TEST_CASE(pixels_made_on_the_gpu_are_those_of_the_cpu) {
  const auto with = [](Words more) {
    more.insert(more.end(), {"--deterministic", "true", "--augment.rotation-range", "20",
                             "--augment.random-erasing", "0.5", "--augment.cutmix", "1"});
    return more;
  };
  // Crops of at most 36 x 36 fit into places of four pictures of 24 x 24.
  train("there", with({"--augment-on", "gpu", "--image-size", "24"}));
  train("here", with({"--batch-element", "float32", "--image-size", "24"}));
  BOOST_TEST((weights_of("there") == weights_of("here")));
  // Those that do not are sampled on the CPU, to whole numbers.
  const double there = loss_of(train("large_there", with({"--augment-on", "gpu"})));
  const double here = loss_of(train("large_here", with({"--batch-element", "float32"})));
  BOOST_TEST(there == here, boost::test_tools::tolerance(0.02));
  const CommandResult refused =
      run_penstock(line("hue", {"--augment-on", "gpu", "--augment.hue-range", "0.1"}), with_gpu());
  check_refused_with(refused, 1, "hue_range");
  BOOST_TEST(contains(refused.err, "hint: --augment-on cpu"));
}

BOOST_AUTO_TEST_CASE(a_deterministic_run_goes_on_bit_for_bit_whatever_the_order_of_the_streams) {
  const Words always = {"--deterministic", "true",     "--precision", "float16",
                        "--schedule",      "constant", "--optimizer", "adamw",
                        "--ema-decay",     "0.5"};
  const auto with = [&](Words more) {
    more.insert(more.end(), always.begin(), always.end());
    return more;
  };
  train("whole", with({"--epochs", "4"}));
  train("cut", with({}), with_gpu({{"STAND_IN_SEED", "7"}}));
  const CommandResult resumed =
      run_penstock({"train", "-o", folder.path() / "cut", "--resume", "--epochs", "4"},
                   with_gpu({{"STAND_IN_SEED", "8"}}));
  BOOST_REQUIRE_MESSAGE(resumed.exit_code == 0, resumed.err);
  BOOST_TEST(contains(resumed.err, "continues bit for bit"));
  BOOST_TEST((weights_of("cut") == weights_of("whole")));
}

BOOST_AUTO_TEST_CASE(without_determinism_a_run_that_goes_on_says_what_it_cannot_promise) {
  train("run", {"--schedule", "constant"});
  const CommandResult resumed =
      run_penstock({"train", "-o", folder.path() / "run", "--resume", "--epochs", "3"}, with_gpu());
  BOOST_TEST(resumed.exit_code == 0);
  BOOST_TEST(
      contains(resumed.err, "no longer bit for bit, because the GPU may add up in another order"));
}

BOOST_AUTO_TEST_CASE(a_run_of_a_gpu_goes_on_and_is_evaluated_on_the_cpu) {
  train("run", {"--precision", "float16", "--schedule", "constant"});
  const fs::path run = folder.path() / "run";
  const CommandResult on_gpu = run_penstock({"evaluate", run, "--json"}, with_gpu());
  const CommandResult on_cpu = run_penstock({"evaluate", run, "--json", "--device", "cpu"});
  BOOST_REQUIRE_MESSAGE(on_gpu.exit_code == 0, on_gpu.err);
  BOOST_REQUIRE_MESSAGE(on_cpu.exit_code == 0, on_cpu.err);
  const Json there = Json::parse(on_gpu.out);
  const Json here = Json::parse(on_cpu.out);
  BOOST_TEST(there["precision"] == "float16");
  BOOST_TEST(here["precision"] == "float32");
  BOOST_TEST(there["loss"].get<double>() == here["loss"].get<double>(),
             boost::test_tools::tolerance(0.02));
  const CommandResult without_gpu = run_penstock({"train", "-o", run, "--resume", "--epochs", "3"});
  check_refused_with(without_gpu, 1, "CUDA module");
  const CommandResult resumed = run_penstock({"train", "-o", run, "--resume", "--epochs", "3",
                                              "--device", "cpu", "--precision", "float32"});
  BOOST_TEST(resumed.exit_code == 0, resumed.err);
}

BOOST_AUTO_TEST_CASE(a_stated_limit_of_the_gpus_memory_holds) {
  const Json free = start_of(train("free", {}))["gpu_memory"];
  const std::uint64_t whole = free["arena_bytes"].get<std::uint64_t>();
  BOOST_TEST(free["used_bytes"].get<std::uint64_t>() >= whole);
  const std::string limit = std::to_string(whole * 3 / 4);
  const Json start = start_of(train("limited", {"--memory-gpu", limit}));
  BOOST_TEST(start["gpu_memory"]["limit_bytes"] == whole * 3 / 4);
  BOOST_TEST(start["gpu_memory"]["used_bytes"].get<std::uint64_t>() <= whole * 3 / 4);
  BOOST_TEST(start["micro_batch"].get<int>() < 8);
  BOOST_TEST(contains(start["batch_note"].get<std::string>(), "batch 8 in parts of"));
  const CommandResult refused = run_penstock(line("refused", {"--memory-gpu", "4K"}), with_gpu());
  check_refused_with(refused, 1, "on the GPU");
  BOOST_TEST(contains(refused.err, "--memory-gpu "));
}

BOOST_AUTO_TEST_CASE(where_memory_runs_out_all_the_same_the_parts_are_halved) {
  const std::uint64_t whole =
      start_of(train("free", {}))["gpu_memory"]["arena_bytes"].get<std::uint64_t>();
  // The forecast sees all of it; half an arena of it can be had.
  const EnvironmentChanges short_of_memory = with_gpu(
      {{"STAND_IN_HIDDEN_BYTES", std::to_string((std::uint64_t{1} << 30) - whole * 3 / 4)}});
  const Json start = start_of(train("halved", {"--device", "cuda"}, short_of_memory));
  BOOST_TEST(start["micro_batch"] == 4);
  const std::string note = start["batch_note"].get<std::string>();
  BOOST_TEST(note.starts_with("batch 8 in parts of 4: the GPU had no room for more"), note);
  BOOST_TEST(contains(note, "; no room for 8 at a time: "));
  const CommandResult refused =
      run_penstock(line("refused", {"--device", "cuda", "--auto-batch", "false"}), short_of_memory);
  check_refused_with(refused, 1, "cudaMalloc");
}

BOOST_AUTO_TEST_CASE(
    a_gpu_that_is_lost_ends_the_run_and_a_new_process_goes_on_as_if_nothing_had_been) {
  const Words always = {"--deterministic", "true", "--checkpoint.every-steps", "1"};
  train("whole", always);
  // Three graphs a step, from the second time on that each part of it is run.
  const CommandResult lost =
      run_penstock(line("lost", always), with_gpu({{"STAND_IN_LOST_AFTER_LAUNCHES", "8"}}));
  BOOST_TEST(lost.exit_code == 1);
  BOOST_TEST_CONTEXT(lost.err) {
    BOOST_TEST(contains(lost.err, "cudaErrorIllegalAddress"));
    BOOST_TEST(contains(lost.err, "the newest checkpoint is whole"));
  }
  const CommandResult resumed =
      run_penstock({"train", "-o", folder.path() / "lost", "--resume"}, with_gpu());
  BOOST_REQUIRE_MESSAGE(resumed.exit_code == 0, resumed.err);
  BOOST_TEST(contains(resumed.err, "continues bit for bit"));
  BOOST_TEST((weights_of("lost") == weights_of("whole")));
}

BOOST_AUTO_TEST_CASE(a_gpu_without_room_is_left_alone_unless_it_is_asked_for) {
  const Json start =
      start_of(train("full", {}, with_gpu({{"STAND_IN_HIDDEN_BYTES", "1073741824"}})));
  BOOST_TEST(start["device"] == "cpu");
  BOOST_TEST(start["device_note"].get<std::string>().starts_with("the GPU is not taken: "));
}

BOOST_AUTO_TEST_CASE(a_plan_counts_what_lies_on_the_gpu_apart) {
  const auto planned = [&](const Words& more) {
    Words words = {"plan", dataset.path, "--model", dataset.net, "--image-size", "24", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult result = run_penstock(words, with_gpu());
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return Json::parse(result.out);
  };
  const auto ring_bytes = [](const Json& plan) {
    for (const Json& line : plan["lines"]) {
      if (line["what"] == "batch ring") return line["bytes"].get<std::uint64_t>();
    }
    return std::uint64_t{0};
  };
  const Json bytes = planned({});
  BOOST_TEST(bytes["network"]["gpu_limit_bytes"].is_number());
  BOOST_TEST(bytes["network"]["total_bytes"] == bytes["network"]["bookkeeping_bytes"]);
  BOOST_TEST(ring_bytes(planned({"--device", "cpu"})) > 2 * ring_bytes(bytes));
  BOOST_TEST(ring_bytes(planned({"--augment-on", "gpu"})) > ring_bytes(bytes));
}

BOOST_AUTO_TEST_CASE(a_gpu_that_is_asked_for_and_not_there_is_refused_with_the_reason) {
  const CommandResult refused = run_penstock(line("run", {"--device", "cuda"}));
  check_refused_with(refused, 1, "CUDA module");
  BOOST_TEST(contains(refused.err, "hint: --device cpu"));
  const CommandResult precise = run_penstock(line("run", {"--precision", "tf32"}));
  check_refused_with(precise, 1, "which takes a GPU");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
