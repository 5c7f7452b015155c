// A small dataset of shapes and a run on it, made once for all tests of a program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {

/// 80 training, 40 validation and 40 test pictures of ten classes, made by fixtures, converted and
/// trained for two epochs at 32 x 32 by the program itself.
class TrainedShapes {
 public:
  static const TrainedShapes& get();

  std::filesystem::path pictures() const { return folder_.path() / "pictures"; }
  std::filesystem::path dataset() const { return folder_.path() / "shapes.ds"; }
  std::filesystem::path run() const { return folder_.path() / "run"; }
  /// What the training wrote to stderr and stdout.
  const std::string& train_err() const { return train_err_; }
  const std::string& train_out() const { return train_out_; }

 private:
  TrainedShapes();

  TemporaryFolder folder_;
  std::string train_err_;
  std::string train_out_;
};

/// A run of a test's own beside it.
struct ShapesRun {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;
  std::filesystem::path out = folder.path() / "run";

  /// Trains into `out`, at 32 x 32 on two threads, with `settings` and then `more`.
  CommandResult train(const std::filesystem::path& dataset,
                      const std::vector<std::string>& settings,
                      const std::vector<std::string>& more = {}) const;
};

}  // namespace penstock::tests
