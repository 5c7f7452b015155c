// A run of a network with one layer on a few pictures, for the tests of what a run leaves and depends on.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "train/run/folder/run_folder.h"
#include "train/run/session.h"
#include "train/store/model_record.h"

namespace penstock::train::tests {

namespace fs = std::filesystem;

struct Quiet final : convert::ConvertObserver {
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {}
};

/// 64 pictures of cats and dogs to train on and 16 or so to validate with.
inline const fs::path& pets() {
  static const penstock::tests::TemporaryFolder folder;
  static const fs::path dataset = [] {
    penstock::tests::write_cats_and_dogs(folder.path() / "pets", 60);
    Quiet quiet;
    convert::convert_folder({.source = folder.path() / "pets",
                             .dataset = folder.path() / "pets.ds",
                             .split = {.validation_fraction = 0.3, .test_fraction = {}, .seed = 0}},
                            quiet, {});
    return folder.path() / "pets.ds";
  }();
  return dataset;
}

/// Does something at the first step or end that a test chooses.
struct Watcher final : RunObserver {
  std::function<void(const RunOverview&)> at_start = [](const RunOverview&) {};
  std::function<void(const EpochReport&)> at_train_step = [](const EpochReport&) {};
  std::function<void(const BatchView&)> at_train_batch = [](const BatchView&) {};
  std::function<void(const EpochReport&)> at_validation_step = [](const EpochReport&) {};
  std::function<void(const EpochReport&)> at_epoch = [](const EpochReport&) {};
  std::function<void(const EpochReport&)> at_validation = [](const EpochReport&) {};
  std::function<void(const std::string&)> at_note = [](const std::string&) {};
  std::function<void(const SkippedStep&)> at_skipped_step = [](const SkippedStep&) {};
  std::vector<std::string> warnings = {};

  void on_start(const RunOverview& overview) override { at_start(overview); }
  void on_train_step(const EpochReport& so_far) override { at_train_step(so_far); }
  void on_train_batch(const BatchView& batch) override { at_train_batch(batch); }
  void on_validation_step(const EpochReport& done, const PassReport&) override {
    at_validation_step(done);
  }
  void on_epoch(const EpochReport& report) override { at_epoch(report); }
  void on_skipped(const SkippedSample&) override {}
  void on_validation(const EpochReport& so_far, const MetricTable&) override {
    at_validation(so_far);
  }
  void on_note(const std::string& line) override { at_note(line); }
  void on_skipped_step(const SkippedStep& step) override { at_skipped_step(step); }
  void on_warning(const std::string& text) override { warnings.push_back(text); }
};

inline constexpr const char* kTinyNet =
    "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";

/// Three epochs on pets() into a folder of its own; a test changes what it tests.
struct TinyRun {
  penstock::tests::TemporaryFolder folder;
  fs::path out = folder.path() / "run";
  Watcher watcher;
  std::stop_source stop;

  RunConfig config() const {
    RunConfig config;
    config.dataset = pets();
    config.out = out;
    config.model = "tiny";
    config.model_layers = kTinyNet;
    config.image_height_px = config.image_width_px = 16;
    config.batch_size = 8;
    config.epochs = 3;
    config.threads = 1;
    config.memory_bytes = 128u << 20;
    return config;
  }
  RunOutcome run() { return train_run(config(), watcher, stop.get_token()); }
  Error failure_of(const RunConfig& given) {
    try {
      train_run(given, watcher, stop.get_token());
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
  std::size_t num_metric_lines() const {
    const std::string text = read_text_file(out / kMetricsName);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1;
  }
  nlohmann::json record() const {
    return nlohmann::json::parse(read_text_file(out / kModelRecordName));
  }
};

}  // namespace penstock::train::tests
