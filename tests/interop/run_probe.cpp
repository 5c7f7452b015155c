// Runs that nobody trained, and what the program makes of a batch with them: for scripts that hold other
// programs against ours.
//
//   run_probe make RUN MODEL HEIGHTxWIDTH CHANNELS CLASSES   a run of a named model or of a model file
//   run_probe logits RUN IN OUT                              float32 [n, channels, height, width], normalised,
//                                                            to float32 [n, classes]; both bare
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/training_bench.h"
#include "train/run/inference/stored_network.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/run_file.h"

namespace penstock::train {
namespace {

/// Values that keep the size of what goes through a layer, and statistics that are no identity.
std::vector<float> values_of(const Parameter& parameter, std::mt19937& random) {
  double middle = 0, width = 0.1;
  if (parameter.kind == ParamKind::kRunningVar) middle = 1, width = 0.5;
  if (parameter.kind == ParamKind::kScale) middle = 1, width = 0.25;
  if (parameter.kind == ParamKind::kChannelScale) middle = 0.5, width = 0.25;
  if (parameter.shape.size() > 1) {
    width = std::sqrt(6.0 * parameter.shape[0] / static_cast<double>(parameter.num_elements()));
  }
  std::uniform_real_distribution<double> drawn(middle - width, middle + width);
  std::vector<float> values(parameter.num_elements());
  for (float& value : values) value = static_cast<float>(drawn(random));
  return values;
}

void make_run(const std::string& run, const RunConfig& config, std::uint32_t channels,
              std::uint32_t num_classes) {
  const ModelGraph graph = build_run_model(config, channels, num_classes);
  ModelRecord record{.model_name = config.model,
                     .model_layers = config.model_layers,
                     .graph_identity = graph.identity(),
                     .height_px = config.image_height_px,
                     .width_px = config.image_width_px,
                     .channels = channels,
                     .batch_size = 4,
                     .decode_scaling = "off",
                     .mean = {0.485, 0.456, 0.406},
                     .std = {0.229, 0.224, 0.225},
                     .class_names = {},
                     .dataset_id = "nobody's",
                     // A picture keeps its pixels.
                     .conversion = {{"codec", "raw"}},
                     .identity = "",
                     .metrics = {}};
  record.mean.resize(channels);
  record.std.resize(channels);
  for (std::uint32_t i = 0; i < num_classes; ++i) {
    record.class_names.push_back("cl\xC3\xA4ss " + std::to_string(i));
  }
  std::mt19937 random(17);
  TensorFile weights;
  for (const Parameter& parameter : graph.parameters()) {
    weights.tensors.push_back({parameter.name,
                               {parameter.shape.begin(), parameter.shape.end()},
                               values_of(parameter, random)});
  }
  std::filesystem::create_directories(run);
  save_model(run, record, weights);
}

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<float> values(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file) throw Error(ErrorCode::kIo, "run_probe: " + path + ": not read");
  return values;
}

void write_logits(const std::string& run, const std::string& in, const std::string& out) {
  MemoryTable memory(std::uint64_t{8} << 30);
  StoredNetwork network(run, {}, memory);
  const BatchSpec& spec = network.spec();
  const std::size_t area = std::size_t{spec.height_px} * spec.width_px;
  const std::size_t sample = area * spec.channels;
  const std::vector<float> images = read_floats(in);
  std::ofstream file(out, std::ios::binary);
  for (std::size_t first = 0; first < images.size() / sample; first += spec.batch) {
    const std::size_t count = std::min<std::size_t>(spec.batch, images.size() / sample - first);
    ToyBatch batch(spec, 1, 0);
    for (std::size_t i = 0; i < count * sample; ++i) {
      batch.values()[batch.place(i / sample, i % sample / area, i % area)] =
          images[first * sample + i];
    }
    Program& program = network.programs().evaluation_program();
    Backend& backend = network.programs().backend();
    backend.upload(batch.lease(), 0);
    backend.set_scalars({}, 0);
    program.run(Phase::kForward, 0);
    backend.release(0);
    std::vector<float> logits(network.programs().num_logits());
    program.read_logits(logits);
    backend.finish();
    while (backend.poll()) {
    }
    file.write(
        reinterpret_cast<const char*>(logits.data()),
        static_cast<std::streamsize>(count * network.programs().num_classes() * sizeof(float)));
  }
}

std::uint32_t count_of(const char* text) {
  return static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 6 && words[0] == "make") {
    RunConfig config;
    set_run_value(config, "model", words[2], "run_probe");
    set_run_value(config, "image_size", words[3], "run_probe");
    inline_model_file(config);
    make_run(words[1], config, count_of(words[4].c_str()), count_of(words[5].c_str()));
    return 0;
  }
  if (words.size() == 4 && words[0] == "logits")
    return write_logits(words[1], words[2], words[3]), 0;
  std::fprintf(stderr,
               "usage: run_probe make RUN MODEL HxW CHANNELS CLASSES | logits RUN IN OUT\n");
  return 2;
}

}  // namespace
}  // namespace penstock::train

int main(int argc, char** argv) {
  try {
    return penstock::train::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
