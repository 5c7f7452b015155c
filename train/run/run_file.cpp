#include "train/run/run_file.h"

#include <toml++/toml.h>

#include <map>
#include <set>
#include <sstream>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/nearest_name.h"
#include "train/run/run_values.h"

namespace penstock::train {
namespace {

using augment::DrawRange;

[[noreturn]] void refuse(const std::string& where, const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::kInvalidArgument, "run: " + where + ": " + what, std::move(hint));
}

/// Says what stands there, with its value where that helps.
std::string describe(const toml::node& node) {
  std::ostringstream text;
  switch (node.type()) {
    case toml::node_type::string:
      text << "the text " << quote_toml(node.as_string()->get());
      break;
    case toml::node_type::integer:
      text << "the number " << node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      text << "the number " << node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      text << (node.as_boolean()->get() ? "true" : "false");
      break;
    case toml::node_type::array:
      text << "a list";
      break;
    case toml::node_type::table:
      text << "a table";
      break;
    default:
      text << "a date or time";
      break;
  }
  return text.str();
}

/// A line that sets `key`, to be typed as it stands: the default where there is one.
std::string example_line(const std::string& key) {
  static const std::map<std::string, std::string> kExamples = {
      {"dataset", "dataset = \"flowers.ds\""},    {"out", "out = \"runs/first\""},
      {"image_size", "image_size = 96"},          {"memory", "memory = \"256M\""},
      {"mean", "mean = [0.5, 0.5, 0.5]"},         {"std", "std = [0.25, 0.25, 0.25]"},
      {"augment.preset", "preset = \"standard\""}};
  const auto found = kExamples.find(key);
  if (found != kExamples.end()) return found->second;
  const std::string name = key.substr(key.find('.') == key.npos ? 0 : key.find('.') + 1);
  std::istringstream lines(format_run_file({}));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(name + " = ", 0) == 0) return line;
  }
  return {};
}

/// Takes the known keys out of one table, each with its type; what is left over is unknown.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string where, std::string prefix)
      : table_(table), where_(std::move(where)), prefix_(std::move(prefix)) {}

  const toml::node* take(const char* key) {
    known_.insert(key);
    return table_.get(key);
  }
  void text(const char* key, std::string& value) {
    if (const toml::node* node = take(key)) value = text_of(key, *node);
  }
  void path(const char* key, std::filesystem::path& value) {
    if (const toml::node* node = take(key)) value = text_of(key, *node);
  }
  void number(const char* key, double& value) {
    if (const toml::node* node = take(key)) value = number_of(key, *node);
  }
  void flag(const char* key, bool& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    if (!node->is_boolean()) refuse_type(key, "true or false", *node);
    value = node->as_boolean()->get();
  }
  template <class T>
  void whole(const char* key, T& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    if (!node->is_integer()) refuse_type(key, "a whole number", *node);
    const std::int64_t found = node->as_integer()->get();
    if (found < 0 || static_cast<std::uint64_t>(found) > std::numeric_limits<T>::max()) {
      refuse_type(key, "a whole number of at most " + std::to_string(std::numeric_limits<T>::max()),
                  *node);
    }
    value = static_cast<T>(found);
  }
  void numbers(const char* key, std::vector<double>& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    if (!node->is_array()) refuse_type(key, "a list of numbers", *node);
    value.clear();
    for (const toml::node& element : *node->as_array()) value.push_back(number_of(key, element));
  }
  /// A size as text ("256M") or as a number of bytes.
  void size_bytes(const char* key, std::uint64_t& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto parsed = node->is_string() ? parse_size_bytes(text_of(key, *node)) : whole_of(*node);
    if (!parsed) refuse_type(key, "a size such as \"256M\"", *node);
    value = *parsed;
  }
  /// One side, or "HxW".
  void image_size(const char* key, RunConfig& config) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    std::optional<SidesPx> sides;
    if (node->is_string()) sides = parse_sides_px(text_of(key, *node));
    if (const auto side = whole_of(*node)) sides = parse_sides_px(std::to_string(*side));
    if (!sides) refuse_type(key, "pixels such as 96 or \"160x224\"", *node);
    config.image_height_px = sides->height;
    config.image_width_px = sides->width;
  }
  /// Two factors, or one number r for 1 - r to 1 + r.
  void range(const char* key, DrawRange& value) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list != nullptr && list->size() == 2) {
      value = {number_of(key, *list->get(0)), number_of(key, *list->get(1))};
    } else if (list == nullptr && node->is_number()) {
      const double r = number_of(key, *node);
      value = {1 - r, 1 + r};
    } else {
      refuse_type(key, "a number, or a list of two", *node);
    }
  }
  void finish() const {
    for (const auto& [key, node] : table_) {
      if (known_.count(std::string(key.str())) != 0) continue;
      std::vector<std::string> names;
      for (const std::string& name : known_) names.push_back(prefix_ + name);
      const std::vector<std::string_view> views(names.begin(), names.end());
      const std::string full = prefix_ + std::string(key.str());
      refuse(where_, "expected a known key, found '" + full + "'", nearest_name_hint(full, views));
    }
  }
  const std::set<std::string>& known() const noexcept { return known_; }

 private:
  [[noreturn]] void refuse_type(const char* key, const std::string& expected,
                                const toml::node& node) const {
    refuse(where_, prefix_ + key + ": expected " + expected + ", found " + describe(node),
           example_line(prefix_ + key));
  }
  std::string text_of(const char* key, const toml::node& node) const {
    if (!node.is_string()) refuse_type(key, "a text", node);
    return node.as_string()->get();
  }
  double number_of(const char* key, const toml::node& node) const {
    if (node.is_integer()) return static_cast<double>(node.as_integer()->get());
    if (!node.is_floating_point()) refuse_type(key, "a number", node);
    return node.as_floating_point()->get();
  }
  static std::optional<std::uint64_t> whole_of(const toml::node& node) {
    if (!node.is_integer() || node.as_integer()->get() < 1) return std::nullopt;
    return static_cast<std::uint64_t>(node.as_integer()->get());
  }

  const toml::table& table_;
  std::string where_;
  std::string prefix_;
  std::set<std::string> known_;
};

void read_augment(TableReader& reader, augment::AugmentConfig& config) {
  std::string name;
  reader.text("preset", name);
  if (!name.empty()) config = augment::AugmentConfig::preset(name);
  reader.number("horizontal_flip", config.horizontal_flip);
  reader.number("width_shift_range", config.width_shift_range);
  reader.number("height_shift_range", config.height_shift_range);
  reader.range("zoom_range", config.zoom_range);
  name.clear();
  reader.text("fill_mode", name);
  if (!name.empty()) config.fill_mode = augment::parse_fill_mode(name);
  reader.number("cval", config.cval);
  name.clear();
  reader.text("decode_scaling", name);
  if (!name.empty()) config.decode_scaling = augment::parse_decode_scaling(name);
}

std::string layers_text(const toml::array& layers) {
  std::ostringstream text;
  text << toml::table{{"layer", layers}};
  return text.str() + "\n";
}

void read_layers(TableReader& reader, RunConfig& config, const std::string& where) {
  const toml::node* node = reader.take("layer");
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) {
    refuse(where, "layer: expected [[layer]] tables, found " + describe(*node), "[[layer]]");
  }
  config.model_layers = layers_text(*node->as_array());
}

void read_settings(TableReader& reader, RunConfig& config, const std::string& where) {
  reader.path("dataset", config.dataset);
  reader.path("out", config.out);
  if (reader.take("model") != nullptr) config.model_layers.clear();
  reader.text("model", config.model);
  read_layers(reader, config, where);
  reader.image_size("image_size", config);
  reader.whole("epochs", config.epochs);
  reader.whole("batch_size", config.batch_size);
  reader.number("learning_rate", config.sgd.learning_rate);
  reader.number("momentum", config.sgd.momentum);
  reader.flag("nesterov", config.sgd.nesterov);
  reader.number("weight_decay", config.sgd.weight_decay);
  std::string schedule;
  reader.text("schedule", schedule);
  if (!schedule.empty()) config.schedule.kind = parse_schedule(schedule);
  reader.number("warmup_fraction", config.schedule.warmup_fraction);
  reader.number("div_factor", config.schedule.div_factor);
  reader.number("final_div_factor", config.schedule.final_div_factor);
  reader.number("label_smoothing", config.label_smoothing);
  reader.whole("seed", config.seed);
  reader.size_bytes("memory", config.memory_bytes);
  reader.whole("threads", config.threads);
  reader.whole("loader_threads", config.loader_threads);
  reader.text("backend", config.backend);
  reader.text("device", config.device);
  reader.numbers("mean", config.mean);
  reader.numbers("std", config.std);
}

/// What a flag's text is read as. Text that is not of that kind stays text, and is refused as such.
enum class FlagKind { kText, kWhole, kNumber, kTruth, kNumbers };

FlagKind flag_kind(const std::string& key) {
  static const std::map<std::string, FlagKind> kKinds = {
      {"epochs", FlagKind::kWhole},
      {"batch_size", FlagKind::kWhole},
      {"seed", FlagKind::kWhole},
      {"threads", FlagKind::kWhole},
      {"loader_threads", FlagKind::kWhole},
      {"learning_rate", FlagKind::kNumber},
      {"momentum", FlagKind::kNumber},
      {"weight_decay", FlagKind::kNumber},
      {"warmup_fraction", FlagKind::kNumber},
      {"div_factor", FlagKind::kNumber},
      {"final_div_factor", FlagKind::kNumber},
      {"label_smoothing", FlagKind::kNumber},
      {"augment.horizontal_flip", FlagKind::kNumber},
      {"augment.width_shift_range", FlagKind::kNumber},
      {"augment.height_shift_range", FlagKind::kNumber},
      {"augment.cval", FlagKind::kNumber},
      {"nesterov", FlagKind::kTruth},
      {"augment.zoom_range", FlagKind::kNumbers},
      {"mean", FlagKind::kNumbers},
      {"std", FlagKind::kNumbers}};
  const auto found = kKinds.find(key);
  return found == kKinds.end() ? FlagKind::kText : found->second;
}

/// "[0.9, 1.1]"; nothing when it is no such list.
std::optional<toml::array> parse_number_list(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  toml::array numbers;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    const auto number = parse_digits<double>(one);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    text = comma == text.npos ? std::string_view{} : text.substr(comma + 1);
  }
  return numbers;
}

/// The table that a run file with this one key would be.
toml::table table_of(const std::string& key, const std::string& text) {
  const FlagKind kind = flag_kind(key);
  const std::size_t dot = key.find('.');
  const std::string name = dot == key.npos ? key : key.substr(dot + 1);
  toml::table table;
  const auto whole = parse_digits<std::int64_t>(text);
  const auto number = parse_digits<double>(text);
  const auto list = parse_number_list(text);
  if (kind == FlagKind::kWhole && whole) {
    table.insert_or_assign(name, *whole);
  } else if ((kind == FlagKind::kNumber || kind == FlagKind::kNumbers) && number) {
    table.insert_or_assign(name, *number);
  } else if (kind == FlagKind::kNumbers && list) {
    table.insert_or_assign(name, *list);
  } else if (kind == FlagKind::kTruth && (text == "true" || text == "false")) {
    table.insert_or_assign(name, text == "true");
  } else {
    table.insert_or_assign(name, text);
  }
  if (dot == key.npos) return table;
  return toml::table{{key.substr(0, dot), table}};
}

/// Reads a parsed file; the keys that it knows are added to `known` when that is given.
RunConfig read_table(const toml::table& table, const std::string& where, RunConfig config,
                     std::vector<std::string>* known = nullptr) {
  TableReader reader(table, where, "");
  read_settings(reader, config, where);
  static const toml::table kEmpty;
  const toml::node* node = reader.take("augment");
  if (node != nullptr && !node->is_table()) {
    refuse(where, "augment: expected a table, found " + describe(*node), "[augment]");
  }
  TableReader augment_reader(node == nullptr ? kEmpty : *node->as_table(), where, "augment.");
  read_augment(augment_reader, config.augment);
  reader.finish();
  augment_reader.finish();
  if (known != nullptr) {
    known->assign(reader.known().begin(), reader.known().end());
    for (const std::string& key : augment_reader.known()) known->push_back("augment." + key);
  }
  return config;
}

}  // namespace

RunConfig parse_run_file(std::string_view text, const std::string& where, const RunConfig& base) {
  try {
    return read_table(toml::parse(text), where, base);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    refuse(where + ":" + std::to_string(at.line) + ":" + std::to_string(at.column),
           "expected TOML, found an error: " + std::string(error.description()),
           "a line looks like: epochs = 30");
  }
}

RunConfig read_run_file(const std::filesystem::path& path, const RunConfig& base) {
  constexpr std::uint64_t kMaxBytes = 1u << 20;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ErrorCode::kNotFound, "run: " + path.native() + ": expected a run file, found none",
                "check the path, or leave --config away: every setting has a default");
  }
  return parse_run_file(read_text_file(path, kMaxBytes), path.native(), base);
}

void set_run_value(RunConfig& config, const std::string& key, const std::string& text,
                   const std::string& where) {
  config = read_table(table_of(key, text), where, config);
}

std::vector<std::string> run_file_keys() {
  std::vector<std::string> keys;
  read_table(toml::table{}, "", {}, &keys);
  return keys;
}

std::string format_run_file(const RunConfig& config) {
  std::ostringstream text;
  const auto line = [&](const char* key, const std::string& value) {
    text << key << " = " << value << '\n';
  };
  if (!config.dataset.empty()) line("dataset", quote_toml(config.dataset.native()));
  if (!config.out.empty()) line("out", quote_toml(config.out.native()));
  line("model", quote_toml(config.model));
  if (config.image_height_px != 0) {
    line("image_size", quote_toml(std::to_string(config.image_height_px) + "x" +
                                  std::to_string(config.image_width_px)));
  }
  line("epochs", std::to_string(config.epochs));
  line("batch_size", std::to_string(config.batch_size));
  line("learning_rate", format_number(config.sgd.learning_rate));
  line("momentum", format_number(config.sgd.momentum));
  line("nesterov", config.sgd.nesterov ? "true" : "false");
  line("weight_decay", format_number(config.sgd.weight_decay));
  line("schedule", quote_toml(schedule_name(config.schedule.kind)));
  line("warmup_fraction", format_number(config.schedule.warmup_fraction));
  line("div_factor", format_number(config.schedule.div_factor));
  line("final_div_factor", format_number(config.schedule.final_div_factor));
  line("label_smoothing", format_number(config.label_smoothing));
  line("seed", std::to_string(config.seed));
  if (config.memory_bytes != 0) line("memory", quote_toml(format_size_bytes(config.memory_bytes)));
  line("threads", std::to_string(config.threads));
  line("loader_threads", std::to_string(config.loader_threads));
  line("backend", quote_toml(config.backend));
  line("device", quote_toml(config.device));
  if (!config.mean.empty()) line("mean", format_numbers(config.mean));
  if (!config.std.empty()) line("std", format_numbers(config.std));
  const augment::AugmentConfig& augment = config.augment;
  text << "\n[augment]\n";
  line("horizontal_flip", format_number(augment.horizontal_flip));
  line("width_shift_range", format_number(augment.width_shift_range));
  line("height_shift_range", format_number(augment.height_shift_range));
  line("zoom_range", format_numbers(std::vector{augment.zoom_range.lo, augment.zoom_range.hi}));
  line("fill_mode", quote_toml(fill_mode_name(augment.fill_mode)));
  line("cval", format_number(augment.cval));
  line("decode_scaling", quote_toml(decode_scaling_name(augment.decode_scaling)));
  if (!config.model_layers.empty()) {
    const toml::table layers = toml::parse(config.model_layers);
    if (const toml::array* list = layers["layer"].as_array()) text << '\n' << layers_text(*list);
  }
  return text.str();
}

}  // namespace penstock::train
