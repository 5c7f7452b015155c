// The program: lists the commands, runs the one that was typed, turns errors into lines and exit
// codes. Knows nothing of what the commands do.
#include <fmt/core.h>

#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/build_facts.h"
#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/command_list.h"
#include "tools/exit_code.h"
#include "tools/process_limits.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

int print_error_of(const Error& error) {
  print_error(error.what(), error.hint());
  return exit_code_of(error.code());
}

// What the standard library throws for a path that cannot be looked at.
int print_path_error(const std::filesystem::filesystem_error& error) {
  const std::string path = error.path1().empty() ? "." : error.path1().native();
  const bool is_too_long = error.code() == std::errc::filename_too_long;
  print_error(fmt::format("path: {}: {}", path, error.code().message()),
              is_too_long ? "choose a shorter one: a name may have 255 bytes, a path 4095"
                          : "see who may do what there: namei -l " + shell_quoted(path));
  return kExitFailed;
}

// A result that did not reach its reader is no result.
int exit_code_with_results(int exit_code) {
  if (flush_results()) return exit_code;
  print_error("write: standard output: the results could not be written", {});
  return exit_code == kExitDone ? kExitFailed : exit_code;
}

int run_command(const CommandBody& body) {
  try {
    return exit_code_with_results(body());  // of a command that failed, its error says more
  } catch (const Error& error) {
    return print_error_of(error);
  } catch (const std::filesystem::filesystem_error& error) {
    return print_path_error(error);
  } catch (const std::bad_alloc&) {
    print_error("out of memory: the machine refused an allocation", {});
  } catch (const std::exception& error) {
    print_error(fmt::format("internal error: {}", error.what()), {});
  }
  return kExitFailed;
}

int run_program(int argc, char** argv) {
  const auto program =
      make_program("Streams image datasets of any size from disk into CNN training.", kVersion);
  end_help(*program, example("penstock convert photos/ photos.ds\n  penstock inspect photos.ds"));
  CommandChoice choice;
  for (const AddCommand add : commands()) add(*program, choice);
  try {
    const std::string text = read_command_line(*program, argc, argv);
    if (!text.empty()) {
      print_result(text);
      return exit_code_with_results(kExitDone);
    }
    if (!choice.body) {
      throw Error(ErrorCode::kInvalidArgument, "no command: penstock: expected one",
                  "penstock --help lists the commands");
    }
  } catch (const Error& error) {
    print_error_of(error);
    return kExitUsage;
  }
  return run_command(choice.body);
}

}  // namespace
}  // namespace penstock::tools

int main(int argc, char** argv) {
  penstock::tools::raise_open_file_limit();
  penstock::tools::ignore_file_size_signal();
  try {
    return penstock::tools::run_program(argc, argv);
  } catch (const std::exception& error) {
    penstock::tools::print_error(error.what(), {});
    return penstock::tools::kExitFailed;
  }
}
