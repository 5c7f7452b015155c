// Runs of a small network that are cut off and go on, and what they leave behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/session.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train::tests {

// Everything that a step leaves to the next one: statistics, moments, draws of dropout and augmentation.
inline constexpr const char* kResumedNet =
    "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"batch_norm\"\n"
    "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"flatten\"\n"
    "[[layer]]\ntype = \"dropout\"\nrate = 0.25\n"
    "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";

/// The table and the events of a run, without what a clock measures.
std::string figures_of(const fs::path& run);

/// What a run came to, clocks apart.
struct LeftBehind {
  std::string weights;
  std::string record;
  std::string figures;

  explicit LeftBehind(const fs::path& run);
};

void check_equal(const LeftBehind& found, const LeftBehind& expected);

/// A run that tests cut off and let go on.
struct ResumedRun : TinyRun {
  std::vector<std::string> notes;

  RunConfig net() const {
    RunConfig config = this->config();
    config.model = "net";
    config.model_layers = kResumedNet;
    config.optimizer = OptimizerConfig::of(OptimizerKind::kAdam);
    config.augment.mixup = 0.2;
    config.batch_size = 20;
    config.checkpoint.every_minutes = 0;
    return config;
  }
  RunConfig net_at(const fs::path& place) const {
    RunConfig config = net();
    config.out = place;
    return config;
  }
  RunOutcome train(const RunConfig& config, RunStart start, std::stop_token token = {}) {
    watcher.at_start = [&](const RunOverview& overview) { notes = overview.resume_notes; };
    return train_run(config, watcher, token, start);
  }
  RunOutcome resume(const RunConfig& config) {
    watcher = {};
    return train(config, RunStart::kResume);
  }
  /// Ends the run after its first `num_steps` steps of this process.
  RunOutcome stop_after(const RunConfig& config, std::uint64_t num_steps,
                        RunStart start = RunStart::kNew) {
    std::stop_source source;
    std::uint64_t taken = 0;
    watcher = {};
    watcher.at_train_step = [&](const EpochReport&) {
      if (++taken == num_steps) source.request_stop();
    };
    return train(config, start, source.get_token());
  }
  Error refusal_of(const RunConfig& config, RunStart start) {
    try {
      train(config, start);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
  /// The unbroken run of net(), made once.
  const LeftBehind& unbroken() {
    static const LeftBehind left = [this] {
      const RunConfig config = net_at(folder.path() / "unbroken");
      train(config, RunStart::kNew);
      return LeftBehind(config.out);
    }();
    return left;
  }
  /// Newest first.
  std::vector<fs::path> checkpoints() const {
    std::vector<fs::path> paths;
    for (const CheckpointEntry& entry : list_checkpoints(out / kCheckpointsName)) {
      paths.push_back(entry.path);
    }
    return paths;
  }
};

}  // namespace penstock::train::tests
