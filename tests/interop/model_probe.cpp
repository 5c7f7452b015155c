// Runs a named model with the weights of a file on the batches of another, for the scripts beside it.
//
//   model_probe logits MODEL CLASSES WEIGHTS BATCHES        one line of logits for each sample
//   model_probe losses MODEL CLASSES WEIGHTS BATCHES RATE DECAY [BACKEND]
//                                                           one loss for each step of SGD (momentum 0.9),
//                                                           a batch each; BACKEND: onednn
//
// BATCHES is a safetensors file with "pixels" [steps, batch, channels, height, width] and "labels"
// [steps, batch].
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "tests/train/backend/training_bench.h"
#include "train/graph/model_zoo.h"
#include "train/loop/initial_weights.h"
#include "train/store/safetensors_reader.h"

namespace penstock::train {
namespace {

struct Batches {
  std::uint32_t num_steps = 0;
  std::uint32_t batch = 0;
  TensorShape sides;
  std::vector<float> pixels;
  std::vector<float> labels;
};

NamedTensor take(TensorFile& file, const std::string& name, std::size_t num_dimensions) {
  for (NamedTensor& tensor : file.tensors) {
    if (tensor.name == name && tensor.shape.size() == num_dimensions) return std::move(tensor);
  }
  throw std::runtime_error("no tensor " + name);
}

Batches read_batches(const char* path) {
  TensorFile file = read_safetensors(path);
  NamedTensor pixels = take(file, "pixels", 5);
  NamedTensor labels = take(file, "labels", 2);
  if (labels.shape[0] != pixels.shape[0] || labels.shape[1] != pixels.shape[1]) {
    throw std::runtime_error("labels of other batches");
  }
  const auto side = [&](std::size_t i) { return static_cast<std::uint32_t>(pixels.shape[i]); };
  return {side(0), side(1), {side(2), side(3), side(4)}, std::move(pixels.values), labels.values};
}

ToyBatch batch_of(const Batches& batches, const Bench& bench, std::uint32_t step) {
  ToyBatch batch = bench.batch(batches.batch, 0);
  const std::size_t area = batches.sides.area();
  const float* from =
      batches.pixels.data() + std::size_t{step} * batches.batch * batches.sides.num_elements();
  for (std::size_t n = 0; n < batches.batch; ++n) {
    batch.labels()[n] = static_cast<std::uint32_t>(batches.labels[step * batches.batch + n]);
    for (std::size_t c = 0; c < batches.sides.channels; ++c) {
      for (std::size_t i = 0; i < area; ++i) batch.values()[batch.place(n, c, i)] = *from++;
    }
  }
  return batch;
}

void print_logits(Bench& bench, const Batches& batches) {
  for (std::uint32_t step = 0; step < batches.num_steps; ++step) {
    bench.forward(bench.program(), batch_of(batches, bench, step));
    const std::vector<float> logits = bench.logits();
    const std::size_t num_classes = bench.graph().num_classes();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      std::printf("%.9g%c", static_cast<double>(logits[i]),
                  (i + 1) % num_classes == 0 ? '\n' : ' ');
    }
  }
}

void print_losses(Bench& bench, const Batches& batches, double learning_rate) {
  for (std::uint32_t step = 0; step < batches.num_steps; ++step) {
    const StepReport report =
        bench.step(batch_of(batches, bench, step), {.learning_rate = learning_rate, .step = step});
    std::printf("%.9g\n", report.weighted_loss_sum / report.weight_sum);
  }
}

OptimizerConfig sgd(double weight_decay) {
  return {.kind = OptimizerKind::kSgd,
          .momentum = 0.9,
          .nesterov = false,
          .weight_decay = weight_decay};
}

int run(std::span<char*> arguments) {
  const std::string what = arguments[1];
  const bool trains = what == "losses";
  const bool names_backend = trains && arguments.size() == 9;
  if (!names_backend && (arguments.size() != (trains ? 8u : 6u) || (!trains && what != "logits"))) {
    std::fprintf(stderr,
                 "usage: model_probe logits|losses MODEL CLASSES WEIGHTS BATCHES [RATE DECAY "
                 "[BACKEND]]\n");
    return 2;
  }
  const Batches batches = read_batches(arguments[5]);
  const ModelGraph graph = build_model(arguments[2], batches.sides,
                                       static_cast<std::uint32_t>(std::stoul(arguments[3])));
  Bench bench(make_backend(names_backend ? arguments[8] : "onednn",
                           {.num_threads = 1, .batch_element = ElementType::kFloat32}),
              graph,
              {{.batch = batches.batch,
                .mode = trains ? Mode::kTrain : Mode::kEvaluate,
                .optimizer = sgd(trains ? std::stod(arguments[7]) : 0)}});
  InitialWeights::open(arguments[4], graph).load(bench.program());
  if (trains) {
    print_losses(bench, batches, std::stod(arguments[6]));
  } else {
    print_logits(bench, batches);
  }
  return 0;
}

}  // namespace
}  // namespace penstock::train

int main(int argc, char** argv) {
  try {
    return argc < 2 ? 2 : penstock::train::run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
