// Reads the command line with CLI11 and turns what is wrong with it into one clear error.
#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace penstock::tools {

/// Makes a program that answers --version; commands are added by command.h.
std::shared_ptr<CLI::App> make_program(const std::string& description, const std::string& version);

/// Reads the arguments for `program`, whose commands store what was chosen (command.h). Returns
/// text for stdout when only help or the version was asked for. Throws InvalidArgument for anything
/// that no command knows, with the nearest known name as hint.
std::string read_command_line(CLI::App& program, int argc, const char* const* argv);

}  // namespace penstock::tools
