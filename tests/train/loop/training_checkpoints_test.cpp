// What a training of a program's own stores, and how it goes on. The unbroken training is the witness.
#include "train/loop/training_checkpoints.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <memory>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tools/examples/drawn_batches.h"
#include "train/loop/model_weights.h"
#include "train/loop/program_set.h"
#include "train/loop/trainer.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

constexpr std::uint32_t kBatch = 4;
constexpr std::uint64_t kSteps = 5;  // of one epoch
constexpr std::uint32_t kNumEpochs = 3;

ModelGraph small_network(std::uint32_t num_filters = 4) {
  ModelGraph graph("small", {.channels = 1, .height = 8, .width = 8});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = num_filters, .has_bias = false});
  x = graph.relu("relu", graph.batch_norm("norm", x));
  x = graph.dropout("dropout", graph.flatten("flatten", x), 0.25);
  graph.set_output(graph.dense("head", x, {.units = 2}));
  return graph;
}

/// A program's own training, made anew as when the program is started again.
struct Training {
  explicit Training(const OptimizerConfig& optimizer_config = adamw_with_ema(),
                    ModelGraph network = small_network())
      : optimizer(optimizer_config), graph(std::move(network)) {
    programs.bind();
    initialize_params(programs.any_program(), graph, 1);
  }

  static OptimizerConfig adamw_with_ema() {
    OptimizerConfig config = OptimizerConfig::of(OptimizerKind::kAdamw);
    config.ema_decay = 0.9;
    return config;
  }
  /// Every epoch has the same batches.
  void train_epochs(std::uint32_t num_epochs) {
    DrawnBatches batches(backend->input_spec(graph, kBatch),
                         {.num_batches = kSteps, .num_epochs = num_epochs});
    for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
      trainer.train_epoch({.source = batches, .num_samples = kSteps * kBatch});
    }
  }
  CheckpointedTraining stored_in(const fs::path& folder) {
    return {
        .folder = folder, .graph = graph, .backend = *backend, .program = programs.any_program()};
  }
  TrainingPlace place(std::uint64_t num_epochs, std::string own = {}) const {
    return {.loop = {.trainer = trainer.state()}, .num_epochs = num_epochs, .own = std::move(own)};
  }
  std::vector<std::vector<float>> weights() {
    std::vector<std::vector<float>> values;
    const TensorSource source = weights_source(programs.any_program());
    for (std::size_t i = 0; i < source.tensors.size(); ++i) {
      values.emplace_back(programs.any_program().params()[i].num_elements());
      source.fill(i, values.back());
    }
    return values;
  }

  OptimizerConfig optimizer;
  ModelGraph graph;
  std::unique_ptr<Backend> backend = make_backend("onednn", {.num_threads = 1});
  ProgramSet programs{
      *backend, graph, {.train_batch = kBatch, .evaluation_batch = 0, .optimizer = optimizer}};
  Trainer trainer{programs,
                  {.optimizer = optimizer,
                   .seed = 7,
                   .num_steps = kSteps * kNumEpochs,
                   .steps_per_epoch = kSteps}};
};

struct Fixture {
  penstock::tests::TemporaryFolder parent;
  fs::path folder = parent.path() / "checkpoints";

  /// Trains two epochs and stores after each.
  void train_two() {
    Training training;
    TrainingCheckpoints checkpoints(training.stored_in(folder));
    for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
      training.train_epochs(1);
      checkpoints.store(training.place(epoch + 1));
    }
  }
  void damage(const std::string& checkpoint) const {
    std::fstream file(folder / checkpoint / "model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
  }
  static Error refusal_of(const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "accepted"};
  }
};

BOOST_FIXTURE_TEST_SUITE(training_checkpoints, Fixture)

BOOST_AUTO_TEST_CASE(a_training_that_goes_on_comes_to_the_weights_of_the_unbroken_one) {
  for (const OptimizerConfig& optimizer :
       {Training::adamw_with_ema(), OptimizerConfig::of(OptimizerKind::kSgd)}) {
    Training unbroken(optimizer);
    unbroken.train_epochs(kNumEpochs);

    const fs::path own_folder = parent.path() / std::string(optimizer_name(optimizer.kind));
    {
      Training first(optimizer);
      first.train_epochs(1);
      TrainingCheckpoints(first.stored_in(own_folder)).store(first.place(1));
    }
    Training second(optimizer);
    TrainingCheckpoints checkpoints(second.stored_in(own_folder));
    const auto place = checkpoints.restore();
    BOOST_REQUIRE(place.has_value());
    BOOST_TEST(checkpoints.notes().empty());
    BOOST_TEST(place->num_epochs == 1u);
    BOOST_TEST(place->loop.trainer.num_steps == kSteps);
    second.trainer.restore(place->loop.trainer);
    second.train_epochs(kNumEpochs - 1);
    BOOST_TEST((second.weights() == unbroken.weights()));
    BOOST_TEST((second.trainer.state() == unbroken.trainer.state()));
  }
}

BOOST_AUTO_TEST_CASE(where_nothing_was_stored_nothing_is_changed) {
  Training training;
  const auto before = training.weights();
  TrainingCheckpoints checkpoints(training.stored_in(folder));
  BOOST_TEST(!checkpoints.restore().has_value());
  BOOST_TEST((training.weights() == before));
  BOOST_TEST(!fs::exists(folder));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_refused_before_the_first_epoch) {
  Training training;
  const Error error =
      refusal_of([&] { TrainingCheckpoints{training.stored_in(folder / "deeper")}; });
  BOOST_TEST((error.code() == ErrorCode::kNotFound));
  BOOST_TEST(
      contains(error.what(), "expected a folder to make it in, found no " + folder.native()));
  TrainingCheckpoints(training.stored_in(folder)).store(training.place(0));
  TrainingCheckpoints{training.stored_in(folder / "deeper")};
  const fs::path here = fs::current_path();
  fs::current_path(parent.path());
  TrainingCheckpoints{training.stored_in("checkpoints")};  // in the working folder
  fs::current_path(here);
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_passed_over_and_goes_with_the_next) {
  train_two();
  damage("000002-step-000000010");
  Training training;
  TrainingCheckpoints checkpoints(training.stored_in(folder));
  const auto place = checkpoints.restore();
  BOOST_REQUIRE(place.has_value());
  BOOST_TEST(place->num_epochs == 1u);
  BOOST_REQUIRE(checkpoints.notes().size() == 1u);
  BOOST_TEST(contains(checkpoints.notes()[0], "checkpoint 000002-step-000000010 is damaged ("));
  training.trainer.restore(place->loop.trainer);
  training.train_epochs(1);
  checkpoints.store(training.place(2));
  BOOST_TEST(fs::exists(folder / "000001-step-000000005"));
  BOOST_TEST(!fs::exists(folder / "000002-step-000000010"));
  BOOST_TEST(fs::exists(folder / "000003-step-000000010"));
}

BOOST_AUTO_TEST_CASE(the_newest_stay_as_many_as_were_asked_for) {
  Training training;
  CheckpointedTraining one = training.stored_in(folder);
  one.num_kept = 1;
  TrainingCheckpoints checkpoints(one);
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) checkpoints.store(training.place(epoch));
  BOOST_TEST(penstock::tests::count_entries(folder) == 1u);
  one.num_kept = 0;
  BOOST_TEST(contains(refusal_of([&] { TrainingCheckpoints{one}; }).what(), "num_newest"));
}

BOOST_AUTO_TEST_CASE(what_is_of_another_network_or_optimizer_is_refused) {
  train_two();
  Training wider(Training::adamw_with_ema(), small_network(5));
  const auto before = wider.weights();
  Error error = refusal_of([&] { TrainingCheckpoints(wider.stored_in(folder)).restore(); });
  BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
  BOOST_TEST(contains(error.what(), "cannot continue: model.identity: line "));
  BOOST_TEST((wider.weights() == before));
  Training other(OptimizerConfig::of(OptimizerKind::kSgd));
  error = refusal_of([&] { TrainingCheckpoints(other.stored_in(folder)).restore(); });
  BOOST_TEST(contains(error.what(), "run.optimizer: expected adamw, found sgd"));
}

BOOST_AUTO_TEST_CASE(another_backend_is_told_of) {
  train_two();
  Training training;
  const auto other = make_backend("reference");
  TrainingCheckpoints checkpoints({.folder = folder,
                                   .graph = training.graph,
                                   .backend = *other,
                                   .program = training.programs.any_program()});
  BOOST_TEST(checkpoints.restore().has_value());
  BOOST_REQUIRE(checkpoints.notes().size() == 1u);
  BOOST_TEST(contains(checkpoints.notes()[0], "no longer bit for bit, because backend: "));
}

BOOST_AUTO_TEST_CASE(the_programs_own_text_comes_back_as_it_was) {
  Training training;
  TrainingCheckpoints checkpoints(training.stored_in(folder));
  const std::string own = "{\"camera\": 3, \"frame\": 1200}\n\"\\ und mehr: \xC3\xA4";
  checkpoints.store(training.place(0, own));
  BOOST_TEST(checkpoints.restore().value().own == own);
  const Error bytes = refusal_of([&] { checkpoints.store(training.place(0, "\xFF")); });
  BOOST_TEST(bytes.what() ==
             std::string("checkpoint: own: expected UTF-8 of at most 1048576 bytes, found other "
                         "bytes"));
  const Error length =
      refusal_of([&] { checkpoints.store(training.place(0, std::string(1048577, 'x'))); });
  BOOST_TEST(contains(length.what(), "found 1048577 bytes"));
  // The longest, and the one that takes most as JSON.
  checkpoints.store(training.place(0, std::string(1048576, '\x01')));
  BOOST_TEST((checkpoints.restore().value().own == std::string(1048576, '\x01')));
  BOOST_TEST(penstock::tests::count_entries(folder) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
