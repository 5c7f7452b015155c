// How a command joins the program. A command is one file `<name>_command.cpp` with one function of
// the type AddCommand; main.cpp lists these functions. What a command does is written elsewhere, so
// that it can be tested without a command line.
//
//   void add_inspect_command(CLI::App& program, CommandChoice& choice) {
//     auto options = std::make_shared<InspectOptions>();
//     CLI::App* command = program.add_subcommand("inspect", "Says what a dataset holds");
//     command->add_option("PATH", options->path, "...")->required();
//     command->footer(example("penstock inspect flowers.ds"));
//     choose_when_given(*command, choice, [options] { return run_inspect(*options); });
//   }
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace penstock::tools {

/// What a command does once its line has been read. Returns an ExitCode; may throw penstock::Error,
/// which main prints.
using CommandBody = std::function<int()>;

/// Holds what the command line chose.
struct CommandChoice {
  std::string name;
  CommandBody body;
};

/// Adds one command with its flags to the program.
using AddCommand = void (*)(CLI::App& program, CommandChoice& choice);

/// Stores `body` in `choice` when `command` stands on the command line. A penstock::Error thrown
/// while flags are read is a usage error; one thrown by the body is a failure.
void choose_when_given(CLI::App& command, CommandChoice& choice, CommandBody body);

/// Lays out the example that every command's help ends with.
std::string example(const std::string& line);

void add_convert_command(CLI::App& program, CommandChoice& choice);
void add_inspect_command(CLI::App& program, CommandChoice& choice);
void add_train_command(CLI::App& program, CommandChoice& choice);
void add_evaluate_command(CLI::App& program, CommandChoice& choice);
void add_predict_command(CLI::App& program, CommandChoice& choice);
void add_info_command(CLI::App& program, CommandChoice& choice);

}  // namespace penstock::tools
