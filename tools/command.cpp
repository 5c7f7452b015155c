#include "tools/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::tools {

namespace {

// An unset shell variable must not pass for a flag that was left out. `name` is "-o,--out" or "DATASET".
void refuse_empty(const std::string& name, const std::string& text) {
  if (!text.empty()) return;
  const std::size_t dashes = name.rfind("--");
  throw Error(ErrorCode::kInvalidArgument,
              name.substr(dashes == name.npos ? 0 : dashes) + ": expected a text, found ''",
              "a shell variable that is not set leaves such a text");
}

constexpr const char* kOptionalValue = "[=";  // "[=STEPS]"

// Names of several words say themselves how many there are; a value that may be left out stands behind its flag.
class CommandFormatter final : public CLI::Formatter {
 public:
  CommandFormatter() = default;
  explicit CommandFormatter(const CLI::Formatter& other) : CLI::Formatter(other) {}
  std::string make_option_usage(const CLI::Option* option) const override {
    const std::string name = make_option_name(option, true);
    return name.find(' ') == std::string::npos ? CLI::Formatter::make_option_usage(option) : name;
  }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    if (optional_value_type(*option).empty()) {
      return CLI::Formatter::make_option_name(option, is_positional);
    }
    return "--" + option->get_lnames().front() + option->get_option_text();
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return optional_value_type(*option).empty() ? CLI::Formatter::make_option_opts(option) : "";
  }
};

void take_command_formatter(CLI::App& command) {
  const auto* const formatter = dynamic_cast<const CLI::Formatter*>(command.get_formatter().get());
  command.formatter(formatter == nullptr ? std::make_shared<CommandFormatter>()
                                         : std::make_shared<CommandFormatter>(*formatter));
}

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
  take_command_formatter(command);
}

void add_text(CLI::App& command, const std::string& name, std::string& value,
              const std::string& description) {
  command.add_option(name, value, description)->each([name](const std::string& given) {
    refuse_empty(name, given);
  });
}

void add_switch(CLI::App& command, const std::string& flag, bool& is_given,
                const std::string& description) {
  command.add_flag(flag, is_given, description);
}

void add_optional_value(CLI::App& command, const ValueFlag& flag, const std::string& default_text,
                        std::function<void(const std::string&)> read) {
  const auto text = std::make_shared<std::string>();
  command.add_flag(flag.name + "{" + default_text + "}", *text, flag.description)
      ->option_text(kOptionalValue + flag.type + "]")
      ->each([text, read = std::move(read)](const std::string& given) { read(given); });
  take_command_formatter(command);
}

std::string optional_value_type(const CLI::Option& flag) {
  const std::string& text = flag.get_option_text();
  if (text.rfind(kOptionalValue, 0) != 0) return {};
  const std::size_t begin = std::string_view(kOptionalValue).size();
  return text.substr(begin, text.size() - begin - 1);
}

void add_value(CLI::App& command, const ValueFlag& flag,
               std::function<void(const std::string&)> read) {
  CLI::Option* const option = command.add_option_function<std::string>(
      flag.name,
      [name = flag.name, read = std::move(read)](const std::string& text) {
        read(text);  // which may say more
        refuse_empty(name, text);
      },
      flag.description);
  option->type_name(flag.type);
  if (!flag.heading.empty()) option->group(flag.heading);
}

void add_repeatable_value(CLI::App& command, const ValueFlag& flag,
                          std::function<void(const std::string&)> read) {
  command
      .add_option_function<std::vector<std::string>>(
          flag.name,
          [name = flag.name, read = std::move(read)](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              read(text);
              refuse_empty(name, text);
            }
          },
          flag.description)
      ->type_name(flag.type)
      ->allow_extra_args(false);
}

void add_values(CLI::App& command, const ValueFlag& flag, std::vector<std::string>& values) {
  command.add_option(flag.name, values, flag.description)
      ->each([name = flag.name](const std::string& given) { refuse_empty(name, given); })
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
