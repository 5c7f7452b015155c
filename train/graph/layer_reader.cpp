#include "train/graph/layer_reader.h"

#include <algorithm>
#include <map>

#include "streamer/core/error.h"
#include "streamer/core/name_list.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kMaxCount = INT32_MAX;

/// Of a whole number that is out of range: the range is what there is to say.
bool is_whole(const TomlValue& value) {
  return value.as<std::int64_t>() != nullptr;
}

std::optional<std::uint32_t> side_of(const TomlValue& value) {
  const auto side = as_whole(value, kMaxCount);
  return side ? std::optional(static_cast<std::uint32_t>(*side)) : std::nullopt;
}

}  // namespace

std::string layer_example(const std::string& key) {
  static const std::map<std::string_view, const char*> kExamples = {
      {"activation", "activation = \"relu\""},
      {"bias", "bias = false"},
      {"block", "start each layer of a block with [[block.NAME]]"},
      {"counts_padding", "counts_padding = true"},
      {"dilation", "dilation = 1"},
      {"epsilon", "epsilon = 1e-5"},
      {"filters", "filters = 32"},
      {"from", "from = [\"conv1\", \"conv2\"]"},
      {"groups", "groups = 1"},
      {"init", "init = \"he_normal\""},
      {"init_deviation", "init_deviation = 0.02"},
      {"initial", "initial = 1.0"},
      {"initial_scale", "initial_scale = 0.0"},
      {"kernel", "kernel = 3"},
      {"layer", "start each layer with [[layer]]"},
      {"momentum", "momentum = 0.1"},
      {"multiplier", "multiplier = 1"},
      {"name", "name = \"conv1\""},
      {"output", "output = 7"},
      {"padding", "padding = \"same\""},
      {"rate", "rate = 0.2"},
      {"repeat", "repeat = 3"},
      {"slope", "slope = 0.01"},
      {"stride", "stride = 1"},
      {"type", "type = \"conv2d\""},
      {"units", "units = \"num_classes\""},
      {"window", "window = 2"}};
  const auto found = kExamples.find(key);
  return found == kExamples.end() ? key + " = ..." : found->second;
}

std::optional<std::uint32_t> LayerReader::count(std::string_view key) {
  const auto value = whole(key, kMaxCount);
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::uint32_t LayerReader::outputs(std::string_view key, std::uint32_t num_classes) {
  const TomlValue* value = find(key);
  if (value == nullptr) refuse(key, "a whole number", "nothing");
  if (const auto* text = value->as<std::string>(); text != nullptr && *text == "num_classes") {
    return num_classes;
  }
  if (value->as<std::string>() != nullptr) {
    refuse(key, "a whole number or \"num_classes\"", *value);
  }
  return count(key).value();
}

double LayerReader::required_number(std::string_view key) {
  if (const auto value = number(key)) return *value;
  refuse(key, "a number", "nothing");
}

std::string LayerReader::required_text(std::string_view key) {
  if (auto value = text(key)) return *std::move(value);
  refuse(key, "a text", "nothing");
}

std::optional<std::size_t> LayerReader::choice(std::string_view key,
                                               std::span<const std::string_view> names,
                                               std::string_view hint) {
  const auto name = text(key);
  if (!name) return std::nullopt;
  const auto found = std::ranges::find(names, *name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  throw Error(ErrorCode::kInvalidArgument,
              where() + ": " + std::string(key) + ": expected " + name_choice(names) + ", found '" +
                  *name + "'",
              hint.empty() ? nearest_name_hint(*name, names) : std::string(hint));
}

std::optional<Extent> LayerReader::extent(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return extent_of(key, *value, "a whole number or [rows, columns]");
}

std::optional<LayerPadding> LayerReader::padding() {
  constexpr std::string_view kKey = "padding";
  constexpr const char* kExpected =
      "\"same\", \"symmetric\", \"valid\", a whole number or [rows, columns]";
  const TomlValue* value = find(kKey);
  if (value == nullptr) return std::nullopt;
  const auto* name = value->as<std::string>();
  if (name == nullptr) {
    return LayerPadding{PaddingRule::kExplicit, extent_of(kKey, *value, kExpected)};
  }
  if (*name == "same") return LayerPadding{.rule = PaddingRule::kSame};
  if (*name == "symmetric") return LayerPadding{.rule = PaddingRule::kSameSymmetric};
  if (*name == "valid") return LayerPadding{.rule = PaddingRule::kValid};
  refuse(kKey, kExpected, *value);
}

WeightInit LayerReader::weight_init(WeightInit otherwise) {
  WeightInit init = otherwise;
  if (const auto rule = choice("init", init_rule_names())) init.rule = static_cast<InitRule>(*rule);
  if (const auto deviation = number("init_deviation")) {
    if (!has_deviation(init.rule)) {
      refuse("init_deviation", "init = \"normal\", \"truncated_normal\" or \"uniform\" with it",
             "\"" + std::string(init_rule_names()[static_cast<std::size_t>(init.rule)]) + "\"");
    }
    init.deviation = *deviation;
  }
  return init;
}

Extent LayerReader::extent_of(std::string_view key, const TomlValue& value,
                              const std::string& expected) {
  if (const auto side = side_of(value)) return {*side, *side};
  const std::string in_range = "a whole number from 0 to " + std::to_string(kMaxCount);
  if (is_whole(value)) refuse(key, in_range, value);
  const auto* pair = value.as<TomlList>();
  if (pair == nullptr) refuse(key, expected, value);
  if (pair->size() != 2) refuse(key, expected, "a list of " + std::to_string(pair->size()));
  const auto rows = side_of(pair->front());
  const auto cols = side_of(pair->back());
  if (!rows || !cols) {
    const TomlValue& wrong = rows ? pair->back() : pair->front();
    refuse(key, is_whole(wrong) ? "a list with " + in_range : expected,
           "a list with " + describe_toml(wrong));
  }
  return {*rows, *cols};
}

}  // namespace penstock::train
