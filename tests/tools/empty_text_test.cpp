// Every flag that takes a text, of every command: the shell writes '' for a variable that is not set.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tools/command_line.h"
#include "tools/command_list.h"

namespace penstock::tools {
namespace {

struct Program {
  std::shared_ptr<CLI::App> app = make_program("Test", "1.0");
  CommandChoice choice;

  Program() {
    for (const AddCommand add : kCommands) add(*app, choice);
  }
  std::string refusal_of(const std::vector<std::string>& words) {
    std::vector<const char*> line = {"penstock"};
    for (const std::string& word : words) line.push_back(word.c_str());
    try {
      read_command_line(*app, static_cast<int>(line.size()), line.data());
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
};

/// "train --epochs", word by word; below `command`, which is reached by `words`.
void add_flags_with_text(const CLI::App& command, const std::vector<std::string>& words,
                         std::vector<std::vector<std::string>>& lines) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option->get_expected_min() == 0) continue;
    lines.push_back(words);
    lines.back().push_back("--" + option->get_lnames().front());
  }
  for (const CLI::App* below : command.get_subcommands(nullptr)) {
    std::vector<std::string> longer = words;
    longer.push_back(below->get_name());
    add_flags_with_text(*below, longer, lines);
  }
}

BOOST_AUTO_TEST_SUITE(empty_text)

BOOST_AUTO_TEST_CASE(no_flag_of_any_command_takes_an_empty_text) {
  std::vector<std::vector<std::string>> lines;
  add_flags_with_text(*Program().app, {}, lines);
  BOOST_TEST(lines.size() > 150u);
  for (std::vector<std::string>& line : lines) {
    const std::string flag = line.back();
    line.emplace_back("");
    const std::string refusal = Program().refusal_of(line);
    // Of the text, and not of an argument that is missing.
    BOOST_TEST((refusal != "accepted" && refusal.find("wrong arguments") == std::string::npos),
               line.front() + " " + flag + " '': " + refusal);
  }
}

BOOST_AUTO_TEST_CASE(an_empty_run_file_is_not_the_default_one) {
  BOOST_TEST(Program().refusal_of({"train", "a.ds", "-o", "r", "--config", ""}) ==
             "--config: expected a text, found ''");
  BOOST_TEST(Program().refusal_of({"train", "a.ds", "-o", "r", "--init-from", ""}) ==
             "--init-from: expected a text, found ''");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
