// Photographs of any size, streamed within 256 MiB into a training step of one's own.
//
//     train_on_photographs DATASET [EPOCHS]       (DATASET: made by `penstock convert`, for one)
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "softmax_classifier.h"
#include "streamer/streamer.h"

int main(int argc, char** argv) try {
  using namespace penstock;
  if (argc < 2) return std::puts("usage: train_on_photographs DATASET [EPOCHS]"), 2;
  const std::uint32_t num_epochs = argc > 2 ? static_cast<std::uint32_t>(std::atoi(argv[2])) : 3;

  const Dataset dataset = Dataset::open(argv[1]);
  const auto resize = std::make_shared<ResizeTransform>(
      ResizeConfig{.mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}});
  MemoryBudget budget(256u << 20);
  Loader loader(dataset.split("train"),
                {.batch = {.batch = 32, .height_px = 64, .width_px = 64},
                 .seed = 1,
                 .num_epochs = num_epochs},
                resize, budget);

  SoftmaxClassifier model(loader.spec(), dataset.manifest().class_names.size());
  for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
    double loss = 0.0;
    for (BatchLease batch : loader.epoch(epoch)) loss += model.take_step(batch.view());
    std::printf("epoch %u: mean loss %.4f over %llu batches\n", epoch,
                loss / static_cast<double>(loader.num_batches_per_epoch()),
                static_cast<unsigned long long>(loader.num_batches_per_epoch()));
  }
  const SourceStats stats = loader.stats();
  std::printf("%llu samples, %llu skipped, at most %s of %s held\n",
              static_cast<unsigned long long>(stats.num_samples),
              static_cast<unsigned long long>(stats.num_skipped),
              format_bytes(stats.high_water_bytes).c_str(),
              format_bytes(stats.limit_bytes).c_str());
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
