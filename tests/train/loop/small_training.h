// What tests train with where the order of calls matters and the figures do not.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/loop/recording_backend.h"
#include "train/graph/model_graph.h"
#include "train/loop/program_set.h"
#include "train/loop/trainer.h"

namespace penstock::train::tests {

inline ModelGraph two_class_model() {
  ModelGraph graph("tiny", {.channels = 3, .height = 1, .width = 1});
  graph.set_output(graph.dense("head", graph.flatten("flat", graph.input()), {.units = 2}));
  return graph;
}

/// Of a model with one layer, on a backend that writes down what it is told to do.
struct SmallTraining {
  ModelGraph graph = two_class_model();
  RecordingBackend backend;
  ProgramSet programs{
      backend, graph, {.train_batch = 4, .num_train_samples = 6, .evaluation_batch = 4}};
  TrainerConfig config{.optimizer = {.learning_rate = 0.5, .momentum = 0.75, .weight_decay = 0.25},
                       .schedule = {.kind = ScheduleKind::kConstant},
                       .seed = 11,
                       .num_steps = 3};

  SmallTraining() { programs.bind(); }
  ListedBatches source(std::vector<std::vector<std::uint64_t>> batches) const {
    return {backend.input_spec(graph, 4), std::move(batches)};
  }
};

/// The text of the internal error that `action` ends in.
std::string internal_error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInternal));
    return error.what();
  }
  return "no error";
}

}  // namespace penstock::train::tests
