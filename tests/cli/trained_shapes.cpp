#include "tests/cli/trained_shapes.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/shapes_dataset.h"

namespace penstock::tests {

const TrainedShapes& TrainedShapes::get() {
  static const TrainedShapes shapes;
  return shapes;
}

TrainedShapes::TrainedShapes() {
  fixtures::make_shapes(pictures(), {.num_train = 80,
                                     .num_validation = 40,
                                     .num_test = 40,
                                     .min_side_px = 40,
                                     .max_side_px = 64});
  const CommandResult converted = run_penstock({"convert", pictures(), dataset()});
  BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  const CommandResult trained =
      run_penstock({"train", dataset(), "-o", run(), "--image-size", "32", "--epochs", "2",
                    "--batch-size", "16", "--seed", "3", "--threads", "2"});
  BOOST_REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
  train_err_ = trained.err;
  train_out_ = trained.out;
}

CommandResult ShapesRun::train(const std::filesystem::path& dataset,
                               const std::vector<std::string>& settings,
                               const std::vector<std::string>& more) const {
  std::vector<std::string> line = {"train",        dataset, "-o",        out,
                                   "--image-size", "32",    "--threads", "2"};
  line.insert(line.end(), settings.begin(), settings.end());
  line.insert(line.end(), more.begin(), more.end());
  return run_penstock(line);
}

}  // namespace penstock::tests
