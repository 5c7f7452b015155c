// Runs on small shapes that are cut off and go on, and what the unbroken ones came to.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "fixtures/shapes_dataset.h"
#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// As run.toml writes it, so that model.json is the same whichever of the two it came from.
inline constexpr const char* kNet =
    "[[layer]]\nfilters = 4\ntype = \"conv2d\"\n\n[[layer]]\ntype = \"batch_norm\"\n\n"
    "[[layer]]\ntype = \"relu\"\n\n[[layer]]\ntype = \"global_avg_pool\"\n\n"
    "[[layer]]\nrate = 0.25\ntype = \"dropout\"\n\n"
    "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
inline constexpr int kEpochs = 12;

using Words = std::vector<std::string>;

/// 80 training and 40 validation pictures of ten classes, and unbroken runs on them; each made once.
struct Shapes {
  /// A run with these settings besides, and how long it took.
  struct Unbroken {
    fs::path folder;
    milliseconds took{};
  };

  TemporaryFolder folder;
  fs::path dataset = folder.path() / "shapes.ds";

  static const Shapes& get() {
    static const Shapes shapes;
    return shapes;
  }

  const Unbroken& unbroken(const Words& more = {}) const {
    const auto found = runs_.find(more);
    if (found != runs_.end()) return found->second;
    Unbroken& run = runs_[more];
    run.folder = folder.path() / ("unbroken-" + std::to_string(runs_.size()));
    const auto start = std::chrono::steady_clock::now();
    const CommandResult trained = run_penstock(line(run.folder, more));
    BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
    run.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    return run;
  }

  Words line(const fs::path& out, const Words& more = {}) const {
    Words words = {
        "train",       dataset, "-o",           out,  "--model",      folder.path() / "net.toml",
        "--optimizer", "adamw", "--image-size", "32", "--batch-size", "16",
        "--threads",   "1",     "--seed",       "3"};
    if (std::ranges::count(more, "--epochs") == 0) {
      words.insert(words.end(), {"--epochs", std::to_string(kEpochs)});
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
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
  }

  mutable std::map<Words, Unbroken> runs_;
};

inline std::string preloaded_sanitizer_options() {
  // AddressSanitizer wants to be the first library of all.
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  return (sanitizer == nullptr ? std::string() : std::string(sanitizer) + ":") +
         "verify_asan_link_order=0";
}

/// Bends system calls on files below `folder`, as tests/streamer/faults/faulty_calls.cpp says.
inline EnvironmentChanges fault(const std::string& plan, const fs::path& folder) {
  return {{"LD_PRELOAD", PENSTOCK_FAULTY_CALLS},
          {"PENSTOCK_FAULT", plan},
          {"PENSTOCK_FAULT_FOLDER", folder.native()},
          {"ASAN_OPTIONS", preloaded_sanitizer_options()}};
}

inline std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

/// The columns of metrics.csv that say who was seen and what was learnt: those that no clock measures.
inline std::string figures_of(const fs::path& run) {
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

/// A run of its own in a folder of its own.
struct CutOffRun {
  const Shapes& shapes = Shapes::get();
  TemporaryFolder folder;
  fs::path out = folder.path() / "run";

  Words line(const Words& more = {}) const { return shapes.line(out, more); }
  CommandResult resume(const Words& more = {}, const EnvironmentChanges& changes = {}) const {
    Words words = {"train", "-o", out, "--resume"};
    words.insert(words.end(), more.begin(), more.end());
    return run_penstock(words, changes);
  }
  /// The run is what the unbroken one with these settings came to.
  void check_as_unbroken(const Words& more = {}) const {
    const fs::path unbroken = shapes.unbroken(more).folder;
    for (const char* name : {"weights.safetensors", "model.json"}) {
      BOOST_TEST((read_text_file(out / name) == read_text_file(unbroken / name)), name);
    }
    BOOST_TEST(figures_of(out) == figures_of(unbroken));
    const std::string metrics = figures_of(out);
    BOOST_TEST(std::count(metrics.begin(), metrics.end(), '\n') >= 3);
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
};

}  // namespace penstock::tests
