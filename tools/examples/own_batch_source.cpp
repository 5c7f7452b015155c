// A batch source of one's own (drawn_batches.h): whatever trains on a Loader trains on it too.
//
//     own_batch_source [BATCHES]
#include <cstdio>
#include <cstdlib>

#include "drawn_batches.h"
#include "softmax_classifier.h"
#include "streamer/core/error.h"

namespace {

using namespace penstock;

// Knows no more than the contract: a Loader would do as well.
void train(BatchSource& source) {
  SoftmaxClassifier model(source.spec(), 2);
  while (const BatchLease batch = source.next()) {
    const double loss = model.take_step(batch.view());
    if (batch->batch_idx == 0 || batch->ends_epoch) {
      std::printf("batch %llu: loss %.4f\n", static_cast<unsigned long long>(batch->batch_idx),
                  loss);
    }
  }
  std::printf("%llu samples\n", static_cast<unsigned long long>(source.stats().num_samples));
}

}  // namespace

int main(int argc, char** argv) try {
  DrawnBatches source({.batch = 16, .height_px = 8, .width_px = 8, .channels = 1},
                      {.num_batches = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50});
  train(source);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
