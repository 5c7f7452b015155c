// tools/gpu_check.sh with programs that only say what real ones would: its lines, their order, what it counts as what.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/cli/fake_programs.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kWithDevice =
    "cat <<'END'\n{\n  \"cuda\": {\n    \"is_loaded\": true,\n    \"reason\": \"\"\n  }\n}\nEND\n";
constexpr const char* kWithoutDevice =
    "cat <<'END'\n{\n  \"cuda\": {\n    \"is_loaded\": true,\n"
    "    \"reason\": \"CUDA devices: no device answers\"\n  }\n}\nEND\n";

/// As Boost.Test lists suites and their cases.
constexpr const char* kListed =
    "printf 'update_kernels*\\n    steps*\\ncuda_norm_kernels*\\n    moments*: mean\\n' >&2\n";

/// Programs of a GPU's machine that is not there.
struct Place {
  TemporaryFolder folder;
  fs::path programs = folder.path() / "programs";
  fs::path output = folder.path() / "out";
  EnvironmentChanges environment{{"PENSTOCK_PROGRAMS", programs.native()},
                                 {"PENSTOCK_GPU_CHECK_DATA", (folder.path() / "data").native()},
                                 {"PENSTOCK_PYTHON", (programs / "python").native()},
                                 {"PENSTOCK_CUDA_LIBRARIES", "/nowhere"},
                                 {"PATH", path_with(programs)}};

  explicit Place(const std::string& info = kWithDevice) {
    fs::create_directories(programs);
    write_script(programs / "penstock", "[ \"$1\" != info ] || {\n" + info + "exit 0; }\nexit 0\n");
    write_script(programs / "nvidia-smi", "exit 1\n");
    write_script(programs / "python", "echo 'SKIPPED: no module torch: absent'; exit 77\n");
    write_script(programs / "compute-sanitizer", "echo sanitized \"$@\"\n");
    for (const char* const program :
         {"gpu_facts", "test_gpu_plans", "test_gpu_step", "model_probe"}) {
      write_script(programs / program, "echo 'FIGURES: {\"of\": \"" + std::string(program) +
                                           "\"}'; echo 'FIGURES: {\"more\": 1}'\n");
    }
    write_script(programs / "test_gpu_kernels",
                 "if [ \"$1\" = --list_content ]; then\n" + std::string(kListed) +
                     "else echo 'FIGURES: {\"of\": \"test_gpu_kernels\"}'; echo 'FIGURES: "
                     "{\"more\": 1}'; fi\n");
  }

  CommandResult run(const std::string& mode) const {
    return run_program(fs::path(PENSTOCK_TOOLS_FOLDER) / "gpu_check.sh", {mode, output.native()},
                       environment);
  }

  /// Every line is one JSON object.
  std::vector<Json> lines(const std::string& mode) const {
    std::vector<Json> found;
    std::istringstream text(read_text_file(output / (mode + ".jsonl")));
    for (std::string line; std::getline(text, line);) found.push_back(Json::parse(line));
    return found;
  }

  Json line_of(const std::string& mode, const std::string& item) const {
    for (const Json& line : lines(mode)) {
      if (line["item"] == item) return line;
    }
    BOOST_FAIL("no item " << item);
    return {};
  }
};

std::vector<std::string> items_of(const std::vector<Json>& lines) {
  std::vector<std::string> items;
  for (const Json& line : lines) items.push_back(line["item"]);
  return items;
}

BOOST_AUTO_TEST_SUITE(gpu_check)

BOOST_AUTO_TEST_CASE(truth_begins_with_what_tells_the_most) {
  const Place place;
  static_cast<void>(place.run("truth"));
  const std::vector<std::string> items = items_of(place.lines("truth"));
  const std::vector<std::string> expected = {"versions",
                                             "device",
                                             "kernels",
                                             "plans",
                                             "steps_of_test_models",
                                             "gradients_of_named_models",
                                             "steps_from_crops",
                                             "captured_or_not",
                                             "captured_with_trials",
                                             "extras",
                                             "memory",
                                             "torch_20_steps"};
  BOOST_REQUIRE(items.size() > expected.size());
  BOOST_TEST(std::vector<std::string>(items.begin(), items.begin() + expected.size()) == expected,
             boost::test_tools::per_element());
  BOOST_TEST(items.back() == "end");
}

BOOST_AUTO_TEST_CASE(an_item_has_its_figures_and_what_it_printed_is_in_the_log) {
  const Place place;
  static_cast<void>(place.run("truth"));
  const Json kernels = place.line_of("truth", "kernels");
  BOOST_TEST(kernels["outcome"] == "passed");
  BOOST_TEST(kernels["figures"] == Json::parse(R"([{"of": "test_gpu_kernels"}, {"more": 1}])"));
  BOOST_TEST(contains(read_text_file(place.output / "truth.log"), "== kernels: "));
}

BOOST_AUTO_TEST_CASE(what_is_not_installed_is_skipped_with_the_reason) {
  const Place place;
  static_cast<void>(place.run("truth"));
  const Json torch = place.line_of("truth", "torch_20_steps");
  BOOST_TEST(torch["outcome"] == "skipped");
  BOOST_TEST(torch["reason"] == "no module torch: absent");
}

BOOST_AUTO_TEST_CASE(an_item_that_fails_says_why_and_the_others_go_on) {
  const Place place;
  write_script(place.programs / "test_gpu_kernels",
               "echo 'x.cpp(7): error: in \"a/b\": off by \"3\"\tand \\'; exit 201\n");
  const CommandResult result = place.run("truth");
  BOOST_TEST(result.exit_code == 1);
  const Json kernels = place.line_of("truth", "kernels");
  BOOST_TEST(kernels["outcome"] == "failed");
  BOOST_TEST(kernels["reason"] ==
             "exit code 201: x.cpp(7): error: in \"a/b\": off by \"3\" and \\");
  BOOST_TEST(place.line_of("truth", "plans")["outcome"] == "passed");
}

BOOST_AUTO_TEST_CASE(an_item_that_hangs_is_cut_off_and_what_comes_behind_is_not_reached) {
  Place place;
  place.environment["PENSTOCK_GPU_CHECK_SECONDS"] = "2";
  write_script(place.programs / "test_gpu_kernels", "exec sleep 100\n");
  const CommandResult result = place.run("truth");
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(place.line_of("truth", "kernels")["outcome"] == "cut_off");
  BOOST_TEST(place.line_of("truth", "plans")["outcome"] == "not_reached");
}

BOOST_AUTO_TEST_CASE(without_a_device_everything_is_skipped_and_nothing_failed) {
  const Place place(kWithoutDevice);
  for (const char* const mode : {"truth", "sanitize", "bench"}) {
    const CommandResult result = place.run(mode);
    BOOST_TEST(result.exit_code == 0);
    BOOST_TEST(result.out.ends_with("\nskipped: CUDA devices: no device answers\n"));
    const std::vector<Json> lines = place.lines(mode);
    BOOST_TEST(lines.front()["outcome"] == "passed");
    for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
      BOOST_TEST(lines[i]["outcome"] == "skipped", mode << ": " << lines[i]["item"]);
      BOOST_TEST(lines[i]["reason"] == "CUDA devices: no device answers");
    }
    BOOST_TEST(lines.back()["failed"] == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_module_that_does_not_find_the_device_of_nvidia_smi_is_a_failure) {
  const Place place(kWithoutDevice);
  write_script(place.programs / "nvidia-smi", "echo 'NVIDIA H100, 580.1, 81559 MiB'\n");
  BOOST_TEST(place.run("truth").exit_code == 1);
  BOOST_TEST(place.lines("truth").front()["outcome"] == "failed");
  BOOST_TEST(contains(place.lines("truth").front()["reason"].get<std::string>(),
                      "nvidia-smi names NVIDIA H100"));
}

/// Suites that an item of `sanitize` was made for, by its tool.
std::set<std::string> suites_of(const Place& place, const std::string& tool) {
  std::set<std::string> suites;
  for (const std::string& item : items_of(place.lines("sanitize"))) {
    if (item.starts_with(tool + " ") && item.ends_with("_kernels")) {
      suites.insert(item.substr(tool.size() + 1));
    }
  }
  return suites;
}

BOOST_AUTO_TEST_CASE(sanitize_asks_for_races_and_for_memory_of_every_suite) {
  const Place place;
  BOOST_TEST(place.run("sanitize").exit_code == 0);
  const std::string log = read_text_file(place.output / "sanitize.log");
  const std::set<std::string> listed = {"cuda_norm_kernels", "update_kernels"};
  BOOST_TEST((suites_of(place, "racecheck") == listed));
  BOOST_TEST((suites_of(place, "memcheck") == listed));
  for (const std::string& suite : listed) {
    BOOST_TEST(contains(log, "--tool racecheck --racecheck-report analysis " +
                                 (place.programs / "test_gpu_kernels").native() +
                                 " --color_output=no --run_test=" + suite + "\n"));
    BOOST_TEST(contains(log, "--tool memcheck " + (place.programs / "test_gpu_kernels").native() +
                                 " --color_output=no --run_test=" + suite + "\n"));
  }
}

BOOST_AUTO_TEST_CASE(sanitize_fails_where_no_suite_is_listed) {
  const Place place;
  write_script(place.programs / "test_gpu_kernels", "echo 'no such library' >&2; exit 127\n");
  BOOST_TEST(place.run("sanitize").exit_code == 1);
  BOOST_TEST(place.line_of("sanitize", "suites")["outcome"] == "failed");
}

#ifdef PENSTOCK_GPU_KERNELS_TEST
BOOST_AUTO_TEST_CASE(sanitize_finds_the_suites_of_the_real_program_without_a_device) {
  const Place place;
  write_script(place.programs / "test_gpu_kernels",
               "exec '" PENSTOCK_GPU_KERNELS_TEST "' \"$@\"\n");
  BOOST_TEST(place.run("sanitize").exit_code == 0);
  const std::set<std::string> suites = suites_of(place, "racecheck");
  BOOST_TEST(suites.contains("cuda_crop_kernels"));
  BOOST_TEST(suites.contains("update_kernels"));
  BOOST_TEST(suites.size() >= 10u);
}
#endif

/// `train` writes weights, `train --resume` those and `said`.
std::string training(const std::string& said, const std::string& resumed_weights) {
  return "if [ \"$1\" = info ]; then\n" + std::string(kWithDevice) +
         "fi\n[ \"$1\" = train ] || exit 0\n"
         "all=\"$*\"; weights=whole; while [ $# -gt 0 ]; do [ \"$1\" != -o ] || out=$2; shift; "
         "done\n"
         "mkdir -p \"$out\"\n"
         "case $all in *--resume*--epochs\\ 6*) echo '" +
         said + "' >&2; weights=" + resumed_weights +
         ";; *--schedule\\ constant*) ;; *) weights=other;; esac\n"
         "echo $weights >\"$out/weights.safetensors\"\n";
}

BOOST_AUTO_TEST_CASE(a_run_that_went_on_must_say_so_and_have_the_same_weights) {
  Place place;
  place.environment["PENSTOCK_GPU_CHECK_ITEMS"] = "resumed";
  const auto resumed = [&](const std::string& said, const std::string& weights) {
    write_script(place.programs / "penstock", training(said, weights));
    static_cast<void>(place.run("truth"));
    return place.line_of("truth", "resumed");
  };
  const std::string bits = "resume  continues bit for bit";
  BOOST_TEST(resumed(bits, "whole")["outcome"] == "passed");
  const Json other = resumed(bits, "other");
  BOOST_TEST(other["outcome"] == "failed");
  BOOST_TEST(
      contains(other["reason"].get<std::string>(), "weights of the run that went on differ"));
  const Json silent = resumed("the run is complete", "whole");
  BOOST_TEST(silent["outcome"] == "failed");
  BOOST_TEST(contains(silent["reason"].get<std::string>(), "continues bit for bit"));
}

BOOST_AUTO_TEST_CASE(bench_stores_what_the_program_prints_as_json) {
  const Place place;
  write_script(place.programs / "penstock",
               "if [ \"$1\" = info ]; then\n" + std::string(kWithDevice) +
                   "else printf '{\\n  \"line\": \"%s\"\\n}\\n' \"$*\"; fi\n");
  BOOST_TEST(place.run("bench").exit_code == 0);
  const std::vector<std::string> items = items_of(place.lines("bench"));
  BOOST_TEST(items.at(2) == "resnet50");
  BOOST_TEST(place.line_of("bench", "resnet50")["figures"] ==
             Json::parse(R"([{"line": "bench train --device cuda --precision float16 --json )"
                         R"(--rounds 5 --model resnet50 --image-size 224 --batch-size 256"}])"));
}

BOOST_AUTO_TEST_CASE(items_can_be_chosen) {
  Place place;
  place.environment["PENSTOCK_GPU_CHECK_ITEMS"] = "*compiled";
  BOOST_TEST(place.run("bench").exit_code == 0);
  const std::vector<std::string> expected = {"versions", "resnet50 torch compiled",
                                             "resnet18 torch compiled", "resnet9 torch compiled",
                                             "end"};
  BOOST_TEST(items_of(place.lines("bench")) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_mode_must_be_named) {
  const Place place;
  BOOST_TEST(place.run("everything").exit_code == 2);
  BOOST_TEST(!fs::exists(place.output));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
