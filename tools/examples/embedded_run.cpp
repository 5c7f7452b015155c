// A whole run inside a program of one's own: a dataset in, a folder with weights, metrics and checkpoints out,
// a word in every step and after every epoch. It is stopped in mid-epoch and goes on.
//
//     embedded_run DATASET RUN [STEPS]
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <string>

#include "streamer/streamer.h"
#include "train/run/run.h"

namespace {

using namespace penstock;
using namespace penstock::train;

constexpr std::uint64_t kMemoryBytes = 512u << 20;

// Called on the thread that trains. Asks for a stop after so many steps, as a button might.
class Progress final : public RunObserver {
 public:
  explicit Progress(std::uint64_t num_steps = 0) : num_steps_left_(num_steps) {}

  std::stop_token token() const { return stop_.get_token(); }

  void on_train_step(const EpochReport& so_far) override {
    if (so_far.train.num_steps % 5 == 0) {
      std::printf("  step %llu: loss %.4f\n",
                  static_cast<unsigned long long>(so_far.train.num_steps),
                  so_far.train.totals.loss());
    }
    if (num_steps_left_ > 0 && --num_steps_left_ == 0) stop_.request_stop();
  }
  void on_epoch(const EpochReport& report) override {
    std::printf("epoch %u: loss %.4f", report.epoch_idx, report.train.totals.loss());
    if (report.validation) {  // the dataset has such a split
      std::printf(", validation loss %.4f, top-1 %.3f", report.validation->totals.loss(),
                  report.validation->totals.top1());
    }
    std::printf("\n");
  }
  void on_checkpoint(std::uint64_t num_steps) override {
    std::printf("  stored as of step %llu\n", static_cast<unsigned long long>(num_steps));
  }
  void on_warning(const std::string& text) override {
    std::fprintf(stderr, "warning: %s\n", text.c_str());
  }

 private:
  std::stop_source stop_;
  std::uint64_t num_steps_left_;
};

// kResume begins a run where there is none, and goes on with one that was stopped or killed: a program that
// always says so is started again and that is all.
void train_with_a_stop(const RunConfig& config, std::uint64_t stop_after) {
  Progress first(stop_after);
  RunOutcome outcome = train_run(config, first, first.token(), RunStart::kResume);
  if (outcome.was_stopped) {
    std::printf("stopped after %llu steps\n", static_cast<unsigned long long>(outcome.num_steps));
    Progress rest;
    outcome = train_run(config, rest, rest.token(), RunStart::kResume);
  }
  std::printf("%u epochs, %llu steps\n", outcome.num_epochs,
              static_cast<unsigned long long>(outcome.num_steps));
}

// What the stored model makes of the validation pictures, all at once and one by one.
void use_the_model(const RunConfig& config) {
  const InferenceConfig inference{.memory_bytes = kMemoryBytes};
  const EvaluationReport report =
      evaluate_run({.run = config.out, .split = "validation", .inference = inference}, nullptr, {});
  std::printf("stored: loss %.4f, top-1 %.3f\n", report.loss, report.top1);

  Predictor predictor(config.out, inference);
  const StoredSample sample = Dataset::open(config.dataset).split("validation").sample(1);
  predictor.add({.encoded = sample.read_bytes(), .record = sample.record()});
  const PictureScores scores = predictor.score().front();
  for (std::size_t i = 0; i < scores.probabilities.size(); ++i) {
    std::printf("%s %.3f\n", predictor.record().class_names[i].c_str(), scores.probabilities[i]);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) return std::puts("usage: embedded_run DATASET RUN [STEPS]"), 2;
  RunConfig config;
  config.dataset = argv[1];
  config.out = argv[2];
  config.image_height_px = config.image_width_px = 32;
  config.epochs = 3;
  config.optimizer = OptimizerConfig::of(OptimizerKind::kAdamw);
  config.memory_bytes = kMemoryBytes;
  train_with_a_stop(config, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 15);
  use_the_model(config);
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
