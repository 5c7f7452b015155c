// Named models give torchvision's logits, with weights and a picture that a formula gives on both sides:
// torchvision_logits.txt, which tests/interop/torchvision_logits.py writes.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/train/backend/even_parameters.h"
#include "tests/train/backend/even_values.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/graph/model_summary.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {
namespace {

constexpr TensorShape kPicture{3, 64, 40};
/// Float32 sums in another order, some fifty layers deep.
constexpr double kTolerance = 1e-4;

std::vector<float> logits_of(Backend& backend, const ModelGraph& graph) {
  std::optional<BoundArena> arena;  // outlives the program
  const auto program = backend.lower(graph, {.batch = 1, .mode = Mode::kEvaluate});
  Program* const programs[] = {program.get()};
  arena.emplace(backend, programs, plan_programs(programs));
  set_even_parameters(*program, graph);
  ToyBatch batch(backend.input_spec(graph, 1), graph.num_classes(), 0);
  const EvenValues even("input");
  for (std::size_t c = 0; c < kPicture.channels; ++c) {
    for (std::size_t i = 0; i < kPicture.area(); ++i) {
      batch.values()[batch.place(0, c, i)] = static_cast<float>(even.at(c * kPicture.area() + i));
    }
  }
  backend.upload(batch.lease(), 0);
  backend.set_scalars({.inv_weight_sum = batch.inv_weight_sum()}, 0);
  program->run(Phase::kForward, 0);
  backend.finish();
  std::vector<float> logits(graph.num_classes());
  program->read_logits(logits);
  return logits;
}

std::map<std::string, std::vector<float>> read_torchvision_logits() {
  std::ifstream file(std::filesystem::path(PENSTOCK_SOURCE_DIR) /
                     "tests/train/backend/torchvision_logits.txt");
  std::map<std::string, std::vector<float>> logits;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (float logit = 0; words >> logit;) logits[name].push_back(logit);
  }
  BOOST_REQUIRE(logits.size() == 9u);
  return logits;
}

BOOST_AUTO_TEST_SUITE(torchvision_logits)

BOOST_AUTO_TEST_CASE(named_models_give_torchvisions_logits) {
  for (const auto& [name, expected] : read_torchvision_logits()) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_REQUIRE(expected.size() == 10u);
      const ModelGraph graph = build_model(name, kPicture, 10);
      BOOST_TEST(relative_l2(logits_of(*make_onednn_backend({.num_threads = 1}), graph), expected) <
                 kTolerance);
      // Plain loops take their time with the large ones.
      constexpr std::uint64_t kMostParams = 8'000'000;
      if (summarize(graph).total.num_params > kMostParams) continue;
      BOOST_TEST(relative_l2(logits_of(*make_reference_backend({}), graph), expected) < kTolerance);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
