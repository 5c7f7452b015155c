#include "tools/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <utility>

namespace penstock::tools {

namespace {

// Names of several words say themselves how many there are.
class CommandFormatter final : public CLI::Formatter {
 public:
  CommandFormatter() = default;
  explicit CommandFormatter(const CLI::Formatter& other) : CLI::Formatter(other) {}
  std::string make_option_usage(const CLI::Option* option) const override {
    const std::string name = make_option_name(option, true);
    return name.find(' ') == std::string::npos ? CLI::Formatter::make_option_usage(option) : name;
  }
};

}  // namespace

CLI::App& add_command(CLI::App& program, const std::string& name, const std::string& description) {
  return *program.add_subcommand(name, description);
}

CLI::App& add_command_group(CLI::App& program, const std::string& name,
                            const std::string& description) {
  return *program.add_subcommand(name, description)->require_subcommand(1);
}

void add_argument(CLI::App& command, const std::string& name, std::string& value,
                  const std::string& description) {
  command.add_option(name, value, description)->required();
}

void add_arguments(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                   const std::string& description) {
  command.add_option(name, values, description)->required();
}

void add_arguments_and_last(CLI::App& command, const std::string& names,
                            std::vector<std::string>& values, const std::string& description,
                            int min_count) {
  // Below expected_max_vector_size: from there on CLI11 takes fewer than the least too.
  constexpr int kMaxArguments = 1 << 20;
  command.add_option(names, values, description)
      ->required()
      ->expected(min_count, kMaxArguments)
      ->option_text(" ");
  const auto* const formatter = dynamic_cast<const CLI::Formatter*>(command.get_formatter().get());
  command.formatter(formatter == nullptr ? std::make_shared<CommandFormatter>()
                                         : std::make_shared<CommandFormatter>(*formatter));
}

void add_text(CLI::App& command, const std::string& name, std::string& value,
              const std::string& description) {
  command.add_option(name, value, description);
}

void add_switch(CLI::App& command, const std::string& flag, bool& is_given,
                const std::string& description) {
  command.add_flag(flag, is_given, description);
}

void add_optional_value(CLI::App& command, const ValueFlag& flag, const std::string& default_text,
                        std::function<void(const std::string&)> read) {
  const auto text = std::make_shared<std::string>();
  command.add_flag(flag.name + "{" + default_text + "}", *text, flag.description)
      ->each([text, read = std::move(read)](const std::string& given) { read(given); });
}

std::optional<std::string> argument_behind(const CLI::App& command, const std::string& flag,
                                           const std::vector<std::string>& values) {
  std::size_t value_idx = 0;
  bool is_behind = false;
  for (const CLI::Option* const option : command.parse_order()) {
    const bool is_argument = option->get_positional();
    if (is_argument && is_behind && value_idx < values.size()) return values[value_idx];
    if (is_argument) ++value_idx;
    is_behind = option->check_name(flag);
  }
  return std::nullopt;
}

void add_value(CLI::App& command, const ValueFlag& flag,
               std::function<void(const std::string&)> read) {
  command.add_option_function<std::string>(flag.name, std::move(read), flag.description)
      ->type_name(flag.type);
}

void add_repeatable_value(CLI::App& command, const ValueFlag& flag,
                          std::function<void(const std::string&)> read) {
  command
      .add_option_function<std::vector<std::string>>(
          flag.name,
          [read = std::move(read)](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) read(text);
          },
          flag.description)
      ->type_name(flag.type)
      ->allow_extra_args(false);
}

void add_values(CLI::App& command, const ValueFlag& flag, std::vector<std::string>& values) {
  command.add_option(flag.name, values, flag.description)
      ->type_name(flag.type)
      ->allow_extra_args(false);
}

void add_listing(CLI::App& command, const std::string& flag, std::function<std::string()> text,
                 const std::string& description) {
  // CLI11 leaves its reading with this for --version: before it asks for arguments.
  command.add_flag_callback(
      flag, [text = std::move(text)] { throw CLI::CallForVersion(text(), 0); }, description);
}

void end_help(CLI::App& command, const std::string& text) {
  command.footer(text);
}

void choose_when_given(CLI::App& command, CommandChoice& choice, CommandBody body,
                       std::function<void()> check) {
  command.callback([&command, &choice, body = std::move(body), check = std::move(check)] {
    if (check) check();
    choice = {.name = command.get_name(), .body = body};
  });
}

std::string example(const std::string& line) {
  return "Example:\n  " + line;
}

}  // namespace penstock::tools
