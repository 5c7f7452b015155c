// What `penstock train` does in place of a run: a search for its learning rate, one batch learned by heart, a
// dry run. They leave nothing behind.
#pragma once

#include <cstdint>
#include <stop_token>

#include "tools/run_screen.h"
#include "tools/terminal.h"
#include "train/run/run_start.h"
#include "train/run/settings/run_config.h"

namespace penstock::tools {

struct TrialScreen {
  Verbosity verbosity = Verbosity::kNormal;
  /// Prints the outcome as JSON on standard output, in place of text.
  bool is_json = false;
};

/// Draws the losses over the rates and prints the one to take. Returns kExitFailed when the loss falls nowhere.
int run_learning_rate_search(const train::RunConfig& config, const TrialScreen& screen,
                             const std::stop_token& stop);

/// Says whether the loss of one batch goes to near 0. Returns kExitFailed when it does not.
int run_overfit_check(const train::RunConfig& config, std::uint32_t num_steps,
                      const TrialScreen& screen, const std::stop_token& stop);

/// Shows the plan on `start_screen`, takes a few steps and says how long the run will take.
int run_dry_run(const train::RunConfig& config, train::RunStart start, RunScreen& start_screen,
                const TrialScreen& screen, const std::stop_token& stop);

}  // namespace penstock::tools
