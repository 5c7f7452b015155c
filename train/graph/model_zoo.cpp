#include "train/graph/model_zoo.h"

#include <array>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {
namespace {

struct NamedModel {
  std::string_view name;
  ModelGraph (*build)(const TensorShape&, std::uint32_t);
};

constexpr std::array kModels{NamedModel{"small_cnn", &small_cnn}};

constexpr auto kNames = [] {
  std::array<std::string_view, kModels.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kModels[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> model_names() {
  return kNames;
}

ModelGraph build_model(std::string_view name, const TensorShape& input, std::uint32_t num_classes) {
  for (const NamedModel& model : kModels) {
    if (model.name == name) return model.build(input, num_classes);
  }
  std::string expected;
  for (const std::string_view known : kNames) {
    expected += (expected.empty() ? "" : ", ") + std::string(known);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "model: expected one of " + expected + ", found '" + std::string(name) + "'",
              nearest_name_hint(name, kNames));
}

ModelGraph small_cnn(const TensorShape& input, std::uint32_t num_classes) {
  ModelGraph graph("small_cnn", input);
  NodeId x = graph.input();
  std::uint32_t filters = 32;
  for (int stage = 1; stage <= 4; ++stage, filters *= 2) {
    const std::string number = std::to_string(stage);
    x = graph.conv2d("conv" + number, x, {.filters = filters, .has_bias = false});
    x = graph.batch_norm("bn" + number, x);
    x = graph.relu("relu" + number, x);
    x = graph.max_pool("pool" + number, x);
  }
  x = graph.global_avg_pool("global_pool", x);
  x = graph.dropout("dropout", x, 0.2);
  x = graph.dense("head", x, {.units = num_classes});
  graph.set_output(x);
  return graph;
}

}  // namespace penstock::train
