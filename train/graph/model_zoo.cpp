#include "train/graph/model_zoo.h"

#include <algorithm>
#include <array>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/name_list.h"
#include "streamer/core/nearest_name.h"
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

struct NamedModel {
  std::string_view name;
  ModelGraph (*build)(const ZooRequest&);
  /// Smallest image at which every window has a pixel to see and every pool leaves one.
  std::uint32_t min_side_px;
};

ModelGraph small_cnn_of(const ZooRequest& request) {
  return small_cnn(request.input, request.num_classes);
}

// Torchvision's models pad so much that most take a single pixel; its own metadata ("min_size") says the
// same.
constexpr std::array kModels{NamedModel{"lenet", lenet, 12},
                             NamedModel{"small_cnn", small_cnn_of, 16},
                             NamedModel{"vgg11_bn", vgg11_bn, 32},
                             NamedModel{"resnet9", resnet9, 8},
                             NamedModel{"resnet18", resnet18, 1},
                             NamedModel{"resnet34", resnet34, 1},
                             NamedModel{"resnet50", resnet50, 1},
                             NamedModel{"mobilenet_v2", mobilenet_v2, 1},
                             NamedModel{"mobilenet_v3_small", mobilenet_v3_small, 1},
                             NamedModel{"efficientnet_b0", efficientnet_b0, 1},
                             NamedModel{"densenet121", densenet121, 29},
                             NamedModel{"convnext_tiny", convnext_tiny, 32}};

constexpr auto kNames = [] {
  std::array<std::string_view, kModels.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kModels[i].name;
  return names;
}();

void check_image(const NamedModel& model, const TensorShape& input) {
  if (std::min(input.height, input.width) >= model.min_side_px) return;
  const std::string side = std::to_string(model.min_side_px);
  throw Error(ErrorCode::kInvalidArgument,
              "model: " + std::string(model.name) + ": expected an image of at least " + side +
                  " x " + side + " pixels, found " + std::to_string(input.height) + " x " +
                  std::to_string(input.width),
              "--image-size " + side);
}

}  // namespace

std::span<const std::string_view> model_names() {
  return kNames;
}

ModelGraph build_model(std::string_view name, const TensorShape& input, std::uint32_t num_classes,
                       const ModelOptions& options) {
  const auto found = std::ranges::find(kModels, name, &NamedModel::name);
  if (found == kModels.end()) {
    const bool is_near = !nearest_name(name, kNames).empty();
    throw Error(ErrorCode::kInvalidArgument,
                "model: expected " + name_choice(kNames) + ", found '" + std::string(name) + "'",
                is_near ? nearest_name_hint(name, kNames)
                        : "a list of layers of one's own is a file whose name ends in .toml");
  }
  check_image(*found, input);
  return found->build({.input = input, .num_classes = num_classes, .options = options});
}

}  // namespace penstock::train
