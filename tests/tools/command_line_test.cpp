#include "tools/command_line.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tools/command.h"

namespace penstock::tools {
namespace {

// A program with one command that has an argument, an option and a flag.
class Program {
 public:
  Program() {
    CLI::App& command = add_command(*program_, "paint", "Paint");
    add_argument(command, "WALL", wall, "What to paint");
    add_text(command, "--colour", colour, "In which colour");
    add_value(command, {.name = "-f,--finish", .type = "FINISH", .description = "How it shines"},
              [this](const std::string& text) { finish = text; });
    add_switch(command, "--quiet", quiet, "Say nothing");
    add_optional_value(command,
                       {.name = "--coats", .type = "COATS", .description = "One on another (2)"},
                       "2", [this](const std::string& text) { coats = text; });
    end_help(command, example("penstock paint north --colour blue"));
    choose_when_given(command, choice, [] { return 42; });
  }

  std::string read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "penstock");
    return read_command_line(*program_, static_cast<int>(arguments.size()), arguments.data());
  }

  std::string wall;
  std::string colour;
  std::string finish;
  bool quiet = false;
  std::string coats;
  CommandChoice choice;

 private:
  std::shared_ptr<CLI::App> program_ = make_program("Test", "9.9");
};

auto says(const std::string& message, const std::string& hint) {
  return [=](const Error& error) {
    BOOST_TEST(error.what() == message);
    BOOST_TEST(error.hint() == hint);
    return error.code() == ErrorCode::kInvalidArgument;
  };
}

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(a_command_is_chosen_with_its_values) {
  Program program;
  BOOST_TEST(program.read({"paint", "north", "--colour=blue", "--quiet"}) == "");
  BOOST_TEST(program.choice.name == "paint");
  BOOST_TEST(program.choice.body() == 42);
  BOOST_TEST(program.wall == "north");
  BOOST_TEST(program.colour == "blue");
  BOOST_TEST(program.quiet);
}

BOOST_AUTO_TEST_CASE(help_and_version_are_text_and_no_command) {
  Program program;
  BOOST_TEST(program.read({"--version"}) == "penstock 9.9");
  BOOST_CHECK(program.read({"paint", "--help"}).find("Example:\n  penstock paint north") !=
              std::string::npos);
  BOOST_TEST(!program.choice.body);
}

BOOST_AUTO_TEST_CASE(an_unknown_flag_is_named_before_a_missing_argument) {
  Program program;
  BOOST_CHECK_EXCEPTION(program.read({"paint", "--color", "blue"}), Error,
                        says("unknown flag: penstock paint: --color",
                             "did you mean --colour? penstock paint --help lists all flags"));
}

BOOST_AUTO_TEST_CASE(an_unknown_command_is_named_with_the_nearest) {
  Program program;
  BOOST_CHECK_EXCEPTION(program.read({"piant", "north"}), Error,
                        says("unknown command: penstock: piant", "penstock paint"));
  BOOST_CHECK_EXCEPTION(
      program.read({"sing"}), Error,
      says("unknown command: penstock: sing", "penstock --help lists the commands"));
}

BOOST_AUTO_TEST_CASE(missing_and_spare_arguments_are_errors) {
  Program program;
  BOOST_CHECK_EXCEPTION(
      program.read({"paint"}), Error,
      says("wrong arguments: penstock paint: WALL is required", "penstock paint --help"));
  BOOST_CHECK_EXCEPTION(program.read({"paint", "north", "south"}), Error,
                        says("too many arguments: penstock paint: south", "penstock paint --help"));
}

BOOST_AUTO_TEST_CASE(a_value_that_may_be_left_out_stands_behind_an_equals_sign) {
  Program program;
  BOOST_TEST(program.read({"paint", "--coats", "north"}) == "");
  BOOST_TEST(program.coats == "2");
  BOOST_TEST(program.wall == "north");
  Program other;
  BOOST_TEST(other.read({"paint", "--coats=3", "7"}) == "");
  BOOST_TEST(other.coats == "3");
  BOOST_TEST(other.wall == "7");
  const std::string help = Program().read({"paint", "--help"});
  BOOST_TEST(help.find("\n  --coats[=COATS] ") != std::string::npos, help);
  const auto is_refused = says(
      "wrong arguments: penstock paint: --coats: expected its coats behind '=', found '3' "
      "behind a space",
      "--coats=3; a path of that name is ./3");
  BOOST_CHECK_EXCEPTION(Program().read({"paint", "north", "--coats", "3"}), Error, is_refused);
  BOOST_CHECK_EXCEPTION(Program().read({"paint", "--coats", "3", "north"}), Error, is_refused);
}

BOOST_AUTO_TEST_CASE(an_empty_text_is_no_flag_that_was_left_out) {
  const auto is_refused = [](const std::string& flag) {
    return says(flag + ": expected a text, found ''",
                "a shell variable that is not set leaves such a text");
  };
  BOOST_CHECK_EXCEPTION(Program().read({"paint", "north", "--colour", ""}), Error,
                        is_refused("--colour"));
  BOOST_CHECK_EXCEPTION(Program().read({"paint", "north", "-f", ""}), Error,
                        is_refused("--finish"));
}

BOOST_AUTO_TEST_CASE(names_behind_two_dashes_are_arguments) {
  Program program;
  BOOST_TEST(program.read({"paint", "--", "--odd"}) == "");
  BOOST_TEST(program.wall == "--odd");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
