#include "tools/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <utility>

namespace penstock::tools {

void choose_when_given(CLI::App& command, CommandChoice& choice, CommandBody body) {
  command.callback([&command, &choice, body = std::move(body)] {
    choice = {.name = command.get_name(), .body = body};
  });
}

std::string example(const std::string& line) {
  return "Example:\n  " + line;
}

}  // namespace penstock::tools
