#include "tools/command_line.h"

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "tools/command.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

[[noreturn]] void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

// "penstock convert", "penstock".
std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : full_name(*app.get_parent()) + " " + app.get_name();
}

std::string help_line(const CLI::App& app) {
  return full_name(app) + " --help";
}

std::string nearest_of(std::string_view typed, const std::vector<std::string>& names) {
  return nearest_name(typed, std::vector<std::string_view>(names.begin(), names.end()));
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

bool looks_like_flag(std::string_view argument) {
  if (argument.size() < 2 || argument[0] != '-') return false;
  const bool is_negative_number = argument[1] >= '0' && argument[1] <= '9';
  return !is_negative_number && argument[1] != '.';
}

void check_flag(const CLI::App& app, std::string_view argument) {
  const bool is_long = argument.substr(0, 2) == "--";
  const std::string name(is_long ? argument.substr(0, argument.find('=')) : argument.substr(0, 2));
  const std::vector<std::string> names = flag_names(app);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const std::string nearest = nearest_of(name, names);
  const std::string all = fmt::format("{} lists all flags", help_line(app));
  refuse(fmt::format("unknown flag: {}: {}", full_name(app), printable(name)),
         nearest.empty() ? all : fmt::format("did you mean {}? {}", nearest, all));
}

bool is_number(std::string_view argument) {
  return !argument.empty() && argument.find_first_not_of("0123456789") == argument.npos;
}

// Behind a space a number would be an argument: a dataset of that name.
void check_number_behind(const CLI::App& app, const std::string& flag, const std::string& number) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->check_name(flag) || optional_value_type(*option).empty()) continue;
    std::string what = optional_value_type(*option);
    std::transform(what.begin(), what.end(), what.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    refuse(fmt::format("wrong arguments: {}: {}: expected its {} behind '=', found '{}' behind a "
                       "space",
                       full_name(app), flag, what, number),
           fmt::format("{0}={1}; a path of that name is ./{1}", flag, number));
  }
}

const CLI::App* find_command(const CLI::App& program, std::string_view name) {
  for (const CLI::App* command : program.get_subcommands(nullptr)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

// CLI11 reports a missing argument before an unknown flag, and the flag is what the user needs to
// hear about: so names are checked first.
void check_names(const CLI::App& program, const std::vector<std::string>& arguments) {
  const CLI::App* app = &program;
  std::string before;
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    if (is_number(argument) && looks_like_flag(before)) check_number_behind(*app, before, argument);
    before = argument;
    if (looks_like_flag(argument)) {
      check_flag(*app, argument);
    } else if (!app->get_subcommands(nullptr).empty()) {
      const CLI::App& group = *app;
      app = find_command(group, argument);
      if (app != nullptr) continue;
      std::vector<std::string> names;
      for (const CLI::App* command : group.get_subcommands(nullptr)) {
        names.push_back(command->get_name());
      }
      const std::string nearest = nearest_of(argument, names);
      refuse(fmt::format("unknown command: {}: {}", full_name(group), printable(argument)),
             nearest.empty() ? fmt::format("{} lists the commands", help_line(group))
                             : fmt::format("{} {}", full_name(group), nearest));
    }
  }
}

const CLI::App& chosen_app(const CLI::App& program) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  return chosen.empty() ? program : chosen_app(*chosen.front());
}

}  // namespace

std::shared_ptr<CLI::App> make_program(const std::string& description, const std::string& version) {
  auto program = std::make_shared<CLI::App>(description, "penstock");
  program->set_version_flag("--version", "penstock " + version, "Print the version and exit");
  program->get_formatter()->column_width(34);
  return program;
}

std::string read_command_line(CLI::App& program, int argc, const char* const* argv) {
  check_names(program, {argv + std::min(argc, 1), argv + argc});
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& app = chosen_app(program);
    return app.help(app.get_parent() == nullptr ? "" : full_name(*app.get_parent()));
  } catch (const CLI::CallForVersion& version) {
    return version.what();
  } catch (const CLI::ExtrasError&) {
    const CLI::App& app = chosen_app(program);
    const std::vector<std::string> extras = program.remaining(true);
    refuse(fmt::format("too many arguments: {}: {}", full_name(app),
                       printable(extras.empty() ? "" : extras.front())),
           help_line(app));
  } catch (const CLI::ParseError& error) {
    const CLI::App& app = chosen_app(program);
    refuse(fmt::format("wrong arguments: {}: {}", full_name(app), printable(error.what())),
           help_line(app));
  }
  return {};
}

}  // namespace penstock::tools
