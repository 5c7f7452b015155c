#include "tools/drawn_values.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string_view>

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

double degrees(double angle_rad) {
  return angle_rad * 180 / std::numbers::pi;
}

/// "left" or "right", "counterclockwise" or "clockwise".
struct Sides {
  const char* positive;
  const char* negative;
};

// Keras has the positive sign of a move for this way, torchvision for the other.
constexpr Sides kAcross{.positive = "left", .negative = "right"};
constexpr Sides kDown{.positive = "up", .negative = "down"};
constexpr Sides kTurn{.positive = "clockwise", .negative = "counterclockwise"};

/// "5.2 px left": which way, as the picture is seen. It is flipped after all of these, and a flip exchanges
/// the sides. Empty where 0.0 would be written.
std::string way_phrase(double amount, const char* unit, const Sides& sides, bool is_mirrored) {
  const std::string number = fmt::format("{:.1f}", std::abs(amount));
  if (number == "0.0") return "";
  const bool is_negative = (amount < 0) != is_mirrored;
  return fmt::format("{} {} {}", number, unit, is_negative ? sides.negative : sides.positive);
}

/// Of TrivialAugment's and RandAugment's operations, in their order: "ShearX +0.33", "Equalize".
std::vector<std::string> policy_phrases(const augment::PolicySteps& policy) {
  using augment::PolicyOperation;
  std::vector<std::string> phrases;
  for (const auto& [operation, amount] : policy.steps()) {
    const std::string_view name = policy_operation_name(operation);
    switch (operation) {
      case PolicyOperation::kShearX:
      case PolicyOperation::kShearY:
        phrases.push_back(fmt::format("{} {:+.2f}", name, amount));
        break;
      case PolicyOperation::kTranslateX:
      case PolicyOperation::kTranslateY:
        phrases.push_back(fmt::format("{} {:+.0f} px", name, amount));
        break;
      case PolicyOperation::kRotate:
        phrases.push_back(fmt::format("{} {:+.1f} deg", name, amount));
        break;
      case PolicyOperation::kPosterize:
        phrases.push_back(fmt::format("{} {:.0f} bits", name, amount));
        break;
      case PolicyOperation::kSolarize:
        phrases.push_back(fmt::format("{} from {:.1f}", name, amount));
        break;
      case PolicyOperation::kBrightness:
      case PolicyOperation::kColor:
      case PolicyOperation::kContrast:
      case PolicyOperation::kSharpness:
        phrases.push_back(fmt::format("{} x {:.2f}", name, amount));
        break;
      case PolicyOperation::kIdentity:
      case PolicyOperation::kAutoContrast:
      case PolicyOperation::kEqualize:
        phrases.emplace_back(name);
        break;
    }
  }
  return phrases;
}

/// What a strength is, by its name in JSON; empty for operations without one.
std::string_view strength_key(augment::PolicyOperation operation) {
  using augment::PolicyOperation;
  switch (operation) {
    case PolicyOperation::kShearX:
    case PolicyOperation::kShearY:
      return "slope";
    case PolicyOperation::kTranslateX:
    case PolicyOperation::kTranslateY:
      return "shift_px";
    case PolicyOperation::kRotate:
      return "angle_deg";
    case PolicyOperation::kBrightness:
    case PolicyOperation::kColor:
    case PolicyOperation::kContrast:
    case PolicyOperation::kSharpness:
      return "factor";
    case PolicyOperation::kPosterize:
      return "num_bits";
    case PolicyOperation::kSolarize:
      return "threshold";
    case PolicyOperation::kIdentity:
    case PolicyOperation::kAutoContrast:
    case PolicyOperation::kEqualize:
      break;
  }
  return "";
}

Json policy_json(const augment::PolicySteps& policy) {
  Json operations = Json::array();
  for (const auto& [operation, amount] : policy.steps()) {
    Json one = {{"operation", policy_operation_name(operation)}};
    if (const std::string_view key = strength_key(operation); !key.empty()) {
      one[std::string(key)] = amount;
    }
    operations.push_back(std::move(one));
  }
  return operations;
}

void add_colours(const augment::AugmentConfig& config, const augment::AugmentDraws& drawn,
                 std::vector<std::string>& phrases) {
  const auto add_factor = [&](augment::DrawRange range, const char* name, double factor) {
    if (!(range == augment::DrawRange{})) phrases.push_back(fmt::format("{} {:.2f}", name, factor));
  };
  if (config.channel_shift_range > 0) {
    phrases.push_back(fmt::format("channels {:+.1f}", drawn.channel_shift));
  }
  add_factor(config.brightness_range, "brightness", drawn.brightness);
  add_factor(config.contrast_range, "contrast", drawn.contrast);
  add_factor(config.saturation_range, "saturation", drawn.saturation);
  if (config.hue_range > 0) phrases.push_back(fmt::format("hue {:+.3f}", drawn.hue_turns));
}

}  // namespace

std::string drawn_json(const augment::AugmentDraws& drawn) {
  // Names every member: a new one does not compile before it has its line below, and its phrase.
  const auto& [is_flipped, is_flipped_vertically, rotation_rad, shear_rad, shift_px, zoom, crop,
               channel_shift, brightness, contrast, saturation, hue_turns, erased, policy] = drawn;
  const Json json = {{"is_flipped", is_flipped},
                     {"is_flipped_vertically", is_flipped_vertically},
                     {"rotation_deg", degrees(rotation_rad)},
                     {"shear_deg", degrees(shear_rad)},
                     {"shift_x_px", shift_px.x},
                     {"shift_y_px", shift_px.y},
                     {"zoom_x", zoom.x},
                     {"zoom_y", zoom.y},
                     {"window_x_px", crop.x},
                     {"window_y_px", crop.y},
                     {"window_width_px", crop.width},
                     {"window_height_px", crop.height},
                     {"channel_shift", channel_shift},
                     {"brightness", brightness},
                     {"contrast", contrast},
                     {"saturation", saturation},
                     {"hue_turns", hue_turns},
                     {"erased_x_px", erased.x},
                     {"erased_y_px", erased.y},
                     {"erased_width_px", erased.width},
                     {"erased_height_px", erased.height},
                     {"auto_augment", policy_json(policy)}};
  return json.dump();
}

std::vector<std::string> drawn_phrases(const augment::AugmentConfig& config,
                                       const augment::AugmentDraws& drawn) {
  std::vector<std::string> phrases;
  const auto add = [&](std::string phrase) { phrases.push_back(std::move(phrase)); };
  if (drawn.is_flipped) add("flipped");
  if (drawn.is_flipped_vertically) add("upside down");
  if (drawn.crop.width > 0) {
    add(fmt::format("window {} x {}", drawn.crop.width, drawn.crop.height));
    add(fmt::format("at {}, {}", drawn.crop.x, drawn.crop.y));
  }
  const auto add_move = [&](double range, double px, const Sides& sides, bool is_mirrored) {
    if (range <= 0 && config.random_crop_padding == 0) return;
    const std::string way = way_phrase(px, "px", sides, is_mirrored);
    if (!way.empty()) add("moved " + way);
  };
  add_move(config.width_shift_range, drawn.shift_px.x, kAcross, drawn.is_flipped);
  add_move(config.height_shift_range, drawn.shift_px.y, kDown, drawn.is_flipped_vertically);
  if (!(config.zoom_range == augment::DrawRange{})) {
    add(fmt::format("zoom {:.2f} x {:.2f}", drawn.zoom.x, drawn.zoom.y));
  }
  if (config.rotation_range > 0) {
    // Both flips are half a turn, which changes no direction.
    const bool is_mirrored = drawn.is_flipped != drawn.is_flipped_vertically;
    std::string way = way_phrase(degrees(drawn.rotation_rad), "deg", kTurn, is_mirrored);
    if (!way.empty()) add(std::move(way));
  }
  if (config.shear_range > 0) add(fmt::format("shear {:+.1f} deg", degrees(drawn.shear_rad)));
  add_colours(config, drawn, phrases);
  for (std::string& phrase : policy_phrases(drawn.policy)) add(std::move(phrase));
  if (drawn.erased.width > 0) {
    add(fmt::format("erased {} x {}", drawn.erased.width, drawn.erased.height));
    add(fmt::format("at {}, {}", drawn.erased.x, drawn.erased.y));
  }
  return phrases;
}

}  // namespace penstock::tools
