// The trainer inside a program of one's own: batches of its own, its own network, and a word in every step
// and after every epoch.
//
//     embedded_trainer [EPOCHS] [WEIGHTS.safetensors] [CHECKPOINTS]
//
// With a folder for checkpoints one is stored after every epoch, and the next start goes on from there.
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "drawn_batches.h"
#include "train/train.h"

namespace {

using namespace penstock;
using namespace penstock::train;

ModelGraph small_network() {
  ModelGraph graph("small", {.channels = 1, .height = 8, .width = 8});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 8, .has_bias = false});
  x = graph.batch_norm("norm", x);
  x = graph.relu("relu", x);
  x = graph.flatten("flatten", x);
  graph.set_output(graph.dense("head", x, {.units = 2}));
  return graph;
}

// Called after every step, on the thread that trains; and by main after every epoch.
class Progress final : public PassObserver {
 public:
  void on_step(const PassReport& so_far) override {
    if (so_far.num_steps % 20 != 0) return;
    std::printf("  step %llu: learning rate %.4f, loss %.4f\n",
                static_cast<unsigned long long>(so_far.num_steps), so_far.learning_rate,
                so_far.totals.loss());
  }

  // Returns whether there is to be another epoch.
  bool on_epoch(std::uint32_t epoch, const PassReport& trained, const PassReport& seen) {
    std::printf("epoch %u: loss %.4f, held out: loss %.4f, accuracy %.3f\n", epoch,
                trained.totals.loss(), seen.totals.loss(), seen.totals.top1());
    return seen.totals.loss() > 0.001;
  }
};

}  // namespace

int main(int argc, char** argv) try {
  const std::uint32_t num_epochs = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 3;
  constexpr std::uint32_t kBatch = 16;
  constexpr std::uint64_t kSteps = 40;  // of one epoch
  constexpr std::uint64_t kSamples = kSteps * kBatch;

  const ModelGraph graph = small_network();
  const auto backend = make_backend("onednn");
  const OptimizerConfig optimizer = OptimizerConfig::of(OptimizerKind::kAdamw);
  ProgramSet programs(*backend, graph,
                      {.train_batch = kBatch, .evaluation_batch = kBatch, .optimizer = optimizer});
  std::printf("the network holds %zu KiB\n", programs.plan().arena_bytes / 1024);
  programs.bind();
  initialize_params(programs.any_program(), graph, 1);

  Trainer trainer(programs, {.optimizer = optimizer,
                             .seed = 1,
                             .num_steps = kSteps * num_epochs,
                             .steps_per_epoch = kSteps});
  std::optional<TrainingCheckpoints> checkpoints;
  TrainingPlace place;
  if (argc > 3) {
    checkpoints.emplace(CheckpointedTraining{
        .folder = argv[3], .graph = graph, .backend = *backend, .program = programs.any_program()});
    place = checkpoints->restore().value_or(place);
    if (place.num_epochs > 0) trainer.restore(place.loop.trainer);
    for (const std::string& note : checkpoints->notes()) std::printf("%s\n", note.c_str());
  }

  // Where the source goes on is the program's own matter: this one has the same batches in every epoch.
  const BatchSpec spec = backend->input_spec(graph, kBatch);
  DrawnBatches batches(spec, {.num_batches = kSteps, .num_epochs = num_epochs});
  DrawnBatches held_out(spec, {.num_batches = 10, .num_epochs = num_epochs, .seed = 2});
  Progress progress;
  while (place.num_epochs < num_epochs) {
    const auto epoch = static_cast<std::uint32_t>(place.num_epochs);
    const PassReport trained =
        trainer.train_epoch({.source = batches, .num_samples = kSamples, .observer = &progress});
    const PassReport seen =
        evaluate_epoch(programs, {.source = held_out, .num_samples = 10 * kBatch});
    place = {.loop = {.trainer = trainer.state()}, .num_epochs = epoch + 1};
    if (checkpoints) checkpoints->store(place);
    if (!progress.on_epoch(epoch, trained, seen)) break;
  }
  if (argc > 2) publish_tensors(argv[2], weights_source(programs.any_program()));
} catch (const Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
