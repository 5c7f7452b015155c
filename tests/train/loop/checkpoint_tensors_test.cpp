#include "train/loop/checkpoint_tensors.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/store/checkpoint_writer.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

std::vector<OptimizerConfig> optimizers() {
  std::vector<OptimizerConfig> configs;
  for (const std::string_view name : optimizer_names()) {
    const OptimizerKind kind = parse_optimizer(name);
    configs.push_back(OptimizerConfig::of(kind));
    configs.push_back(OptimizerConfig::of(kind));
    configs.back().ema_decay = 0.9;
    configs.back().ema_warmup = true;
  }
  configs.push_back(OptimizerConfig::of(OptimizerKind::kSgd));
  configs.back().momentum = 0;  // no state at all
  configs.back().nesterov = false;
  return configs;
}

struct Fixture {
  penstock::tests::TemporaryFolder folder;

  static CheckpointState state(std::uint64_t step) {
    return {.step = step,
            .configuration = "",
            .dataset_id = "dataset",
            .model_identity = "model",
            .backend = "backend",
            .instruction_set = ""};
  }
  CheckpointReader stored(Program& program, std::uint64_t step) const {
    CheckpointContent content{.state = state(step),
                              .model = tensor_source(program, TensorGroup::kModel),
                              .optimizer = tensor_source(program, TensorGroup::kOptimizer)};
    if (keeps_ema(program)) content.ema = tensor_source(program, TensorGroup::kEma);
    return CheckpointReader::open(write_checkpoint(folder.path() / "c", content).path);
  }
  static void take_step(Bench& bench, unsigned step) {
    bench.step(bench.batch(6, step), {.learning_rate = 0.01, .step = step, .seed = 9});
  }
  static std::vector<std::uint64_t> num_steps(Program& program) {
    std::vector<std::uint64_t> counts(program.params().size());
    program.export_num_steps(counts);
    return counts;
  }
};

/// Every bit that a program keeps from step to step.
std::vector<std::vector<float>> all_of(Program& program) {
  std::vector<std::vector<float>> all;
  for (const TensorGroup group : kTensorGroups) {
    if (group == TensorGroup::kEma && !keeps_ema(program)) continue;
    const TensorSource source = tensor_source(program, group);
    for (std::size_t i = 0; i < source.tensors.size(); ++i) {
      std::size_t num_values = 1;
      for (const std::uint64_t side : source.tensors[i].shape) num_values *= side;
      all.emplace_back(num_values);
      source.fill(i, all.back());
    }
  }
  return all;
}

BOOST_FIXTURE_TEST_SUITE(checkpoint_tensors, Fixture)

// The unbroken run takes five steps; the other three, is stored, and takes two in programs of their own.
BOOST_AUTO_TEST_CASE(a_program_goes_on_from_its_tensors_bit_for_bit) {
  const std::map<std::string, std::unique_ptr<Backend> (*)()> backends = {
      {"onednn", [] { return make_onednn_backend({.num_threads = 2}); }},
      {"reference", &make_float_reference_backend}};
  for (const auto& [name, make] : backends) {
    for (const OptimizerConfig& optimizer : optimizers()) {
      BOOST_TEST_CONTEXT(name << ", " << optimizer_name(optimizer.kind) << ", EMA "
                              << optimizer.ema_decay << ", momentum " << optimizer.momentum) {
        const std::vector<Lowering> lowerings{{.batch = 6, .optimizer = optimizer}};
        const ModelGraph graph = mobile_model();
        Bench unbroken(make(), graph, lowerings);
        BOOST_TEST(unbroken.backend().keeps_float32());
        for (unsigned step = 0; step < 3; ++step) take_step(unbroken, step);
        const CheckpointReader checkpoint = stored(unbroken.program(), 3);
        const std::vector<std::uint64_t> counts = num_steps(unbroken.program());

        Bench resumed(make(), graph, lowerings, 77);
        BOOST_TEST((all_of(resumed.program()) != all_of(unbroken.program())));
        restore_tensors(resumed.program(), checkpoint);
        resumed.program().import_num_steps(counts);
        BOOST_TEST((all_of(resumed.program()) == all_of(unbroken.program())));
        for (unsigned step = 3; step < 5; ++step) {
          take_step(unbroken, step);
          take_step(resumed, step);
        }
        BOOST_TEST((all_of(resumed.program()) == all_of(unbroken.program())));
        BOOST_TEST(num_steps(resumed.program()) == num_steps(unbroken.program()),
                   boost::test_tools::per_element());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_backend_that_computes_in_double_says_that_it_loses_bits) {
  BOOST_TEST(!make_backend("reference")->keeps_float32());
}

// state_names() of adam; frozen parameters and running statistics have none.
BOOST_AUTO_TEST_CASE(only_what_learns_has_state) {
  const OptimizerConfig adam = OptimizerConfig::of(OptimizerKind::kAdam);
  const ModelGraph graph = mobile_model();
  std::vector<bool> frozen(graph.parameters().size());
  frozen[0] = true;
  Bench bench(make_backend("onednn", {.num_threads = 1}), graph,
              {{.batch = 6, .optimizer = adam, .frozen_params = frozen}});
  const TensorSource source = tensor_source(bench.program(), TensorGroup::kOptimizer);
  std::size_t num_learning = 0;
  for (const auto& parameter : graph.parameters()) num_learning += parameter.is_trainable;
  BOOST_TEST(source.tensors.size() == 2 * (num_learning - 1));
  BOOST_TEST(source.tensors[1].name ==
             source.tensors[0].name.substr(0, source.tensors[0].name.rfind('.')) + ".exp_avg_sq");
  for (const TensorSpec& tensor : source.tensors) {
    BOOST_TEST(!tensor.name.starts_with(graph.parameters()[0].name + "."));
  }
  BOOST_TEST(tensor_source(bench.program(), TensorGroup::kModel).tensors.size() ==
             graph.parameters().size());
}

/// The tensors of a group by name.
std::map<std::string, std::vector<float>> tensors_of(Program& program, TensorGroup group) {
  std::map<std::string, std::vector<float>> tensors;
  const TensorSource source = tensor_source(program, group);
  for (std::size_t i = 0; i < source.tensors.size(); ++i) {
    std::size_t num_values = 1;
    for (const std::uint64_t side : source.tensors[i].shape) num_values *= side;
    std::vector<float>& values = tensors[source.tensors[i].name];
    values.resize(num_values);
    source.fill(i, values);
  }
  return tensors;
}

bool are_zero(const std::map<std::string, std::vector<float>>& tensors, std::string_view state) {
  return std::ranges::all_of(tensors, [&](const auto& tensor) {
    return !tensor.first.ends_with(state) ||
           std::ranges::all_of(tensor.second, [](float value) { return value == 0; });
  });
}

// sgd has "momentum" or nothing, rmsprop "square_avg" with or without it (optimizer_config.h).
BOOST_AUTO_TEST_CASE(momentum_that_is_new_starts_at_zero_and_one_that_is_not_kept_is_left_out) {
  const ModelGraph graph = mobile_model();
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kRmsprop}) {
    BOOST_TEST_CONTEXT(optimizer_name(kind)) {
      OptimizerConfig without = OptimizerConfig::of(kind);
      without.momentum = 0;
      without.nesterov = false;
      OptimizerConfig with = without;
      with.momentum = 0.9;
      Bench plain(make_backend("reference"), graph, {{.batch = 6, .optimizer = without}});
      Bench moved(make_backend("reference"), graph, {{.batch = 6, .optimizer = with}});
      for (unsigned step = 0; step < 2; ++step) {
        take_step(plain, step);
        take_step(moved, step);
      }
      BOOST_TEST(!are_zero(tensors_of(moved.program(), TensorGroup::kOptimizer), ".momentum"));

      Bench starts(make_backend("reference"), graph, {{.batch = 6, .optimizer = with}});
      StateChange change = restore_tensors(starts.program(), stored(plain.program(), 2));
      BOOST_TEST(change.started == std::vector<std::string>{"momentum"});
      BOOST_TEST(change.left_out.empty());
      BOOST_TEST(are_zero(tensors_of(starts.program(), TensorGroup::kOptimizer), ".momentum"));
      BOOST_TEST((tensors_of(starts.program(), TensorGroup::kModel) ==
                  tensors_of(plain.program(), TensorGroup::kModel)));

      fs::remove_all(folder.path() / "c");
      Bench leaves(make_backend("reference"), graph, {{.batch = 6, .optimizer = without}});
      const auto before = tensors_of(moved.program(), TensorGroup::kOptimizer);
      change = restore_tensors(leaves.program(), stored(moved.program(), 2));
      BOOST_TEST(change.started.empty());
      BOOST_TEST(change.left_out == std::vector<std::string>{"momentum"});
      for (const auto& [name, values] : tensors_of(leaves.program(), TensorGroup::kOptimizer)) {
        BOOST_TEST((values == before.at(name)), name);
      }
      fs::remove_all(folder.path() / "c");
    }
  }
}

BOOST_AUTO_TEST_CASE(means_of_the_weights_that_are_new_start_from_the_weights) {
  const ModelGraph graph = mobile_model();
  OptimizerConfig with = OptimizerConfig::of(OptimizerKind::kAdam);
  OptimizerConfig without = with;
  with.ema_decay = 0.9;
  Bench plain(make_backend("reference"), graph, {{.batch = 6, .optimizer = without}});
  take_step(plain, 0);
  Bench starts(make_backend("reference"), graph, {{.batch = 6, .optimizer = with}}, 77);
  StateChange change = restore_tensors(starts.program(), stored(plain.program(), 1));
  BOOST_TEST(change.is_ema_started);
  BOOST_TEST(!change.is_ema_left_out);
  const auto weights = tensors_of(plain.program(), TensorGroup::kModel);
  for (const auto& [name, values] : tensors_of(starts.program(), TensorGroup::kEma)) {
    BOOST_TEST((values == weights.at(name)), name);
  }

  fs::remove_all(folder.path() / "c");
  take_step(starts, 1);
  Bench leaves(make_backend("reference"), graph, {{.batch = 6, .optimizer = without}});
  change = restore_tensors(leaves.program(), stored(starts.program(), 2));
  BOOST_TEST(change.is_ema_left_out);
  BOOST_TEST(change.left_out.empty());
  BOOST_TEST((tensors_of(leaves.program(), TensorGroup::kModel) ==
              tensors_of(starts.program(), TensorGroup::kModel)));
}

BOOST_AUTO_TEST_CASE(tensors_of_another_optimizer_are_refused_by_name) {
  const ModelGraph graph = mobile_model();
  Bench sgd(make_backend("reference"), graph, {{.batch = 6}});
  const CheckpointReader checkpoint = stored(sgd.program(), 0);
  Bench adam(make_backend("reference"), graph,
             {{.batch = 6, .optimizer = OptimizerConfig::of(OptimizerKind::kAdam)}});
  BOOST_CHECK_EXCEPTION(restore_tensors(adam.program(), checkpoint), Error, [](const Error& error) {
    return error.code() == ErrorCode::kCorruptData &&
           contains(error.what(), "optimizer.safetensors") && contains(error.what(), ".exp_avg");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
