// A training loop of one's own on the loader: photographs streamed within 256 MiB, a network by name, and the
// five calls of a step, among which anything may be done.
//
//     own_training_loop DATASET [EPOCHS]       (DATASET: made by `penstock convert`, for one)
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "streamer/streamer.h"
#include "train/loss/batch_loss.h"
#include "train/train.h"

int main(int argc, char** argv) try {
  using namespace penstock;
  using namespace penstock::train;
  if (argc < 2) return std::puts("usage: own_training_loop DATASET [EPOCHS]"), 2;
  const std::uint32_t num_epochs = argc > 2 ? static_cast<std::uint32_t>(std::atoi(argv[2])) : 3;
  constexpr std::uint32_t kBatch = 32;

  const Dataset dataset = Dataset::open(argv[1]);
  const auto num_classes = static_cast<std::uint32_t>(dataset.manifest().class_names.size());
  const ModelGraph graph =
      build_model("lenet", {.channels = 3, .height = 32, .width = 32}, num_classes);

  // One program for whole batches; the epoch's shorter last one is left out here.
  const auto backend = make_backend("onednn");
  std::optional<BoundArena> arena;  // before the program: outlives it
  const auto program = backend->lower(graph, {.batch = kBatch, .optimizer = {.momentum = 0.9}});
  Program* programs[] = {program.get()};
  const MemoryPlan plan = plan_programs(programs);
  MemoryBudget budget(256u << 20);
  const BudgetShare network = budget.draw(plan.arena_bytes, "network");
  arena.emplace(*backend, programs, plan);
  initialize_params(*program, graph, 1);

  Loader loader(dataset.split("train"),
                {.batch = backend->input_spec(graph, kBatch), .seed = 1, .num_epochs = num_epochs},
                std::make_shared<ResizeTransform>(ResizeConfig{}), budget);
  std::uint64_t step = 0;
  for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
    double loss_sum = 0, weight_sum = 0;
    for (BatchLease batch : loader.epoch(epoch)) {
      if (batch->num_valid < kBatch) continue;
      const double weights =
          batch_weight_sum({}, {kBatch, num_classes}, labels_of(batch.view(), kBatch));
      backend->upload(std::move(batch), 0);
      backend->set_scalars({.learning_rate = 0.01,
                            .inv_weight_sum = static_cast<float>(weights > 0 ? 1 / weights : 0),
                            .step = step++,
                            .seed = 1},
                           0);
      program->run(Phase::kForward, 0);
      program->run(Phase::kBackward, 0);
      program->run(Phase::kUpdate, 0);
      backend->release(0);
      while (const auto report = backend->poll()) {
        loss_sum += report->weighted_loss_sum;
        weight_sum += report->weight_sum;
      }
      while (backend->poll_update()) {
      }
    }
    std::printf("epoch %u: mean loss %.4f\n", epoch, loss_sum / weight_sum);
  }
  std::printf("%llu steps\n", static_cast<unsigned long long>(step));
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
