#include "train/run/settings/run_file.h"

#include <algorithm>
#include <optional>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "train/graph/model_zoo.h"
#include "train/run/settings/idle_settings.h"
#include "train/run/settings/param_group_tables.h"
#include "train/run/settings/run_keys.h"

namespace penstock::train {
namespace {

constexpr const char* kLayer = "layer";

bool is_table(std::string_view name) {
  return !name.empty() && std::ranges::find(run_tables(), name) != run_tables().end();
}

/// A line that sets `key`, to be typed as it stands: the default where there is one.
std::string example_line(const std::string& key) {
  if (is_table(key)) return "[" + key + "]";
  if (key == kLayer) return "[[layer]]";
  if (key == kParamGroup) return "[[param_group]]";
  const RunKey* known = find_run_key(key);
  if (known == nullptr) return {};
  const std::string value =
      known->example.empty() ? format_toml(known->write({}).value()) : std::string(known->example);
  return std::string(known->name_in_table()) + " = " + value;
}

/// Runs `action`; a refusal says where the setting stands.
template <class Action>
auto with_place(const std::string& where, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    const std::string message = error.what();
    const std::size_t owner = message.starts_with("run: ") ? 5 : 0;
    throw Error(error.code(), "run: " + where + ": " + message.substr(owner), error.hint());
  }
}

std::string layers_text(const TomlList& layers) {
  std::string text;
  for (const TomlValue& layer : layers) {
    text += (text.empty() ? "[[layer]]\n" : "\n[[layer]]\n") +
            format_toml_lines(*layer.as<TomlTable>());
  }
  return text;
}

bool is_known_model(std::string_view name) {
  return std::ranges::find(model_names(), name) != model_names().end();
}

/// Layers without a name are called as their file is. A model by name would be refused beside them.
void read_layers(TomlReader& reader, RunConfig& config, const std::filesystem::path& file) {
  const TomlList* layers = reader.tables(kLayer);
  if (layers == nullptr) return;
  const TomlValue* model = reader.find("model");
  if (model == nullptr) {
    config.model = name_of_layers(file);
  } else {
    const bool is_file = std::filesystem::path(config.model).extension() == ".toml";
    if (is_file || is_known_model(config.model)) {
      throw Error(ErrorCode::kInvalidArgument,
                  reader.where() + ": model: expected a name for the [[layer]] tables, found " +
                      (is_file ? "another file of layers, " : "a model by name, ") +
                      describe_toml(*model),
                  "leave out model, or the [[layer]] tables");
    }
  }
  config.model_layers = layers_text(*layers);
}

RunConfig read_table(const TomlTable& table, const std::filesystem::path& file, RunConfig config) {
  static const TomlTable kEmpty;
  TomlReader top(table, {.where = "run", .example = example_line});
  const auto read_keys = [&](std::string_view name, TomlReader& reader) {
    for (const RunKey& key : run_keys()) {
      if (key.table() == name) key.read(reader, key.name_in_table(), config);
    }
  };
  read_keys({}, top);
  read_param_groups(top, config.param_groups);
  read_layers(top, config, file);
  for (const std::string_view name : run_tables()) {
    if (name.empty()) continue;
    const TomlTable* inner = top.table(name);
    TomlReader reader(inner == nullptr ? kEmpty : *inner,
                      {.where = "run", .prefix = std::string(name) + ".", .example = example_line});
    read_keys(name, reader);
    reader.finish();
  }
  top.finish();
  return config;
}

/// "[0.9, 1.1]"; nothing when it is no such list.
std::optional<std::vector<double>> parse_number_list(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<double> numbers;
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

/// "conv1.*,layer1.*"
TomlList texts_between_commas(std::string_view text) {
  TomlList texts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    texts.push_back({std::string(text.substr(begin, comma - begin))});
    begin = comma + 1;
  }
  return texts;
}

/// What a flag's text would be in a run file.
TomlValue value_of(KeyKind kind, const std::string& text) {
  if (kind == KeyKind::kWhole) {
    if (const auto whole = parse_digits<std::int64_t>(text)) return {*whole};
  }
  if (kind == KeyKind::kNumber || kind == KeyKind::kNumbers || kind == KeyKind::kChance) {
    if (const auto number = parse_digits<double>(text)) return {*number};
  }
  if (kind == KeyKind::kNumbers) {
    if (const auto list = parse_number_list(text)) return {list_of_numbers(*list)};
  }
  if (kind == KeyKind::kTexts) return {texts_between_commas(text)};
  const bool may_be_truth = kind == KeyKind::kTruth || kind == KeyKind::kChance;
  if (may_be_truth && (text == "true" || text == "false")) return {text == "true"};
  return {text};
}

/// The run file that has this one key.
TomlTable table_of(const std::string& key, const std::string& text) {
  const RunKey* known = find_run_key(key);
  const std::size_t dot = key.find('.');
  TomlTable table;
  table.push_back({dot == key.npos ? key : key.substr(dot + 1),
                   value_of(known == nullptr ? KeyKind::kText : known->kind, text)});
  if (dot == key.npos) return table;
  TomlTable outer;
  outer.push_back({key.substr(0, dot), {table}});
  return outer;
}

/// The lines of one table, without its head.
std::string table_lines(std::string_view table, const RunConfig& config) {
  std::string lines;
  for (const RunKey& key : run_keys()) {
    if (key.table() != table || !is_heeded(key.name, config)) continue;
    if (const auto value = key.write(config)) {
      lines += std::string(key.name_in_table()) + " = " + format_toml(*value) + "\n";
    }
  }
  return lines;
}

}  // namespace

std::string name_of_layers(const std::filesystem::path& file) {
  std::string name = file.stem().native();
  return is_known_model(name) ? name + "_layers" : name;
}

RunConfig parse_run_file(std::string_view text, const std::string& where, const RunConfig& base) {
  const TomlTable table = parse_toml(text, "run: " + where, "a line looks like: epochs = 30");
  return with_place(where, [&] {
    RunConfig config = read_table(table, where, base);
    config.validate();
    return config;
  });
}

RunConfig read_run_file(const std::filesystem::path& path, const RunConfig& base) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ErrorCode::kNotFound, "run: " + path.native() + ": expected a run file, found none",
                "check the path, or leave --config away: every setting has a default");
  }
  return parse_run_file(read_toml_text(path, "run"), path.native(), base);
}

void set_run_value(RunConfig& config, const std::string& key, const std::string& text,
                   const std::string& where) {
  config = with_place(where, [&] { return read_table(table_of(key, text), where, config); });
}

std::string format_run_file(const RunConfig& config) {
  std::string text;
  for (const std::string_view table : run_tables()) {
    const std::string lines = table_lines(table, config);
    if (lines.empty()) continue;
    if (!table.empty()) text += "\n[" + std::string(table) + "]\n";
    text += lines;
  }
  if (!config.param_groups.empty()) text += "\n" + format_param_groups(config.param_groups);
  if (config.model_layers.empty()) return text;
  const TomlTable model = parse_toml(config.model_layers, "model: " + config.model, {});
  const TomlValue* layers = find_key(model, kLayer);
  if (layers != nullptr && layers->as<TomlList>() != nullptr) {
    text += "\n" + layers_text(*layers->as<TomlList>());
  }
  return text;
}

}  // namespace penstock::train
