// How a command joins the program. A command is one file `<name>_command.cpp` with one function of
// the type AddCommand; command_list.h lists these functions. What a command does is written elsewhere, so
// that it can be tested without a command line.
//
//   void add_inspect_command(CLI::App& program, CommandChoice& choice) {
//     auto options = std::make_shared<InspectOptions>();
//     CLI::App& command = add_command(program, "inspect", "Says what a dataset holds");
//     add_argument(command, "PATH", options->path, "...");
//     end_help(command, example("penstock inspect flowers.ds"));
//     choose_when_given(command, choice, [options] { return run_inspect(*options); });
//   }
//
// CLI11 stays behind these functions: every file that includes it takes seconds more to compile.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

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

/// Adds a command, without flags yet. It lives as long as the program.
CLI::App& add_command(CLI::App& program, const std::string& name, const std::string& description);

/// Adds a command that does nothing itself: one of the commands added to it must follow.
CLI::App& add_command_group(CLI::App& program, const std::string& name,
                            const std::string& description);

/// Adds an argument that must be given, one or at least one. A value outlives the reading, here and
/// below.
void add_argument(CLI::App& command, const std::string& name, std::string& value,
                  const std::string& description);
void add_arguments(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                   const std::string& description);
/// Adds several arguments of which the last means something else: "SOURCE... DATASET". At least
/// `min_count`, 1 or 2: 1 where a flag can stand for the others.
void add_arguments_and_last(CLI::App& command, const std::string& names,
                            std::vector<std::string>& values, const std::string& description,
                            int min_count);
/// Adds a text that may be left out: an argument such as "DATASET", a flag such as "-o,--out". Given, it is not
/// empty, nor is a flag's text below.
void add_text(CLI::App& command, const std::string& name, std::string& value,
              const std::string& description);
/// Adds a flag without a value.
void add_switch(CLI::App& command, const std::string& flag, bool& is_given,
                const std::string& description);

struct ValueFlag {
  std::string name;          // "--memory"
  std::string type;          // "SIZE"
  std::string description;   // what it does (and its default)
  std::string heading = {};  // of the help; empty for the one of all flags
};
/// Adds a flag whose text is given to `read`, which throws InvalidArgument for what it cannot take.
void add_value(CLI::App& command, const ValueFlag& flag,
               std::function<void(const std::string&)> read);

/// The same for a flag whose value may be left out and is then `default_text`; else it is --flag=VALUE, so
/// that no argument behind it is taken for one.
void add_optional_value(CLI::App& command, const ValueFlag& flag, const std::string& default_text,
                        std::function<void(const std::string&)> read);

/// Returns the type of such a flag's value, "STEPS"; empty for every other flag.
std::string optional_value_type(const CLI::Option& flag);

/// The same for a flag that may be given several times, each time with one text.
void add_repeatable_value(CLI::App& command, const ValueFlag& flag,
                          std::function<void(const std::string&)> read);
/// Adds a flag that prints what `text` returns, in place of everything else: arguments may be
/// missing then. Flags added before it have been read.
void add_listing(CLI::App& command, const std::string& flag, std::function<std::string()> text,
                 const std::string& description);
/// Adds a flag that may be given again; each time takes one text.
void add_values(CLI::App& command, const ValueFlag& flag, std::vector<std::string>& values);

/// Ends the help of `command` with `text`.
void end_help(CLI::App& command, const std::string& text);

/// Stores `body` in `choice` when `command` stands on the command line. A penstock::Error thrown
/// while flags are read is a usage error; one thrown by the body is a failure.
/// `check` looks at flags and arguments together once all are read, and throws as they do.
void choose_when_given(CLI::App& command, CommandChoice& choice, CommandBody body,
                       std::function<void()> check = {});

/// Lays out the example that every command's help ends with.
std::string example(const std::string& line);

void add_convert_command(CLI::App& program, CommandChoice& choice);
void add_inspect_command(CLI::App& program, CommandChoice& choice);
void add_verify_command(CLI::App& program, CommandChoice& choice);
void add_extract_command(CLI::App& program, CommandChoice& choice);
void add_repair_command(CLI::App& program, CommandChoice& choice);
void add_add_command(CLI::App& program, CommandChoice& choice);
void add_remove_command(CLI::App& program, CommandChoice& choice);
void add_plan_command(CLI::App& program, CommandChoice& choice);
void add_model_command(CLI::App& program, CommandChoice& choice);
void add_preview_command(CLI::App& program, CommandChoice& choice);
void add_train_command(CLI::App& program, CommandChoice& choice);
void add_evaluate_command(CLI::App& program, CommandChoice& choice);
void add_predict_command(CLI::App& program, CommandChoice& choice);
void add_export_command(CLI::App& program, CommandChoice& choice);
void add_bench_command(CLI::App& program, CommandChoice& choice);
void add_info_command(CLI::App& program, CommandChoice& choice);

}  // namespace penstock::tools
