// The frame as it is typed: help, version, what no command knows, and the environment it sets up.
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

BOOST_AUTO_TEST_SUITE(program_cli)

BOOST_AUTO_TEST_CASE(every_command_has_help_with_an_example) {
  const CommandResult all = run_penstock({"--help"});
  BOOST_TEST(all.exit_code == 0);
  BOOST_TEST(all.err == "");
  for (const char* name : {"convert", "inspect", "train", "evaluate", "predict", "info"}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(contains(all.out, std::string("\n  ") + name + " "));
      const CommandResult one = run_penstock({name, "--help"});
      BOOST_TEST(one.exit_code == 0);
      BOOST_TEST(one.err == "");
      BOOST_TEST(contains(one.out, std::string("Usage: penstock ") + name + " "));
      BOOST_TEST(contains(one.out, std::string("Example:\n  penstock ") + name + " "));
      BOOST_TEST(contains(one.out, "--quiet"));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_version_is_one_line) {
  const CommandResult result = run_penstock({"--version"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out == "penstock " PENSTOCK_VERSION "\n");
}

BOOST_AUTO_TEST_CASE(usage_errors_are_one_line_and_a_hint) {
  const auto check = [](const std::vector<std::string>& arguments, const std::string& expected) {
    const CommandResult result = run_penstock(arguments);
    BOOST_TEST(result.exit_code == 2);
    BOOST_TEST(result.out == "");
    BOOST_TEST(result.err == expected);
  };
  check({},
        "penstock: no command: penstock: expected one\n"
        "hint: penstock --help lists the commands\n");
  check({"convrt", "a", "b"},
        "penstock: unknown command: penstock: convrt\nhint: penstock convert\n");
  check({"convert", "a", "b", "--validation-spilt", "0.2"},
        "penstock: unknown flag: penstock convert: --validation-spilt\n"
        "hint: did you mean --validation-split? penstock convert --help lists all flags\n");
  check({"convert", "a"},
        "penstock: wrong arguments: penstock convert: SOURCE... DATASET: At least 2 required but "
        "received 1\n"
        "hint: penstock convert --help\n");
  check({"inspect", "a", "b"},
        "penstock: too many arguments: penstock inspect: b\n"
        "hint: penstock inspect --help\n");
}

// Linux: NAME_MAX is 255.
BOOST_AUTO_TEST_CASE(a_name_that_no_file_system_takes_is_refused_with_a_hint) {
  const TemporaryFolder folder;
  write_cats_and_dogs(folder.path() / "photos", 1);
  const std::string photos = (folder.path() / "photos").string();
  const std::string name = (folder.path() / std::string(300, 'x')).string();
  const std::vector<std::vector<std::string>> lines = {
      {"convert", name, photos + ".ds"}, {"convert", photos, name}, {"inspect", name}};
  for (const std::vector<std::string>& line : lines) {
    BOOST_TEST_CONTEXT(line.front()) {
      check_refused(run_penstock(line), 1, "path: " + name + ": File name too long",
                    "choose a shorter one: a name may have 255 bytes, a path 4095");
    }
  }
}

// U+009B, here in UTF-8, is to a terminal what ESC [ is.
BOOST_AUTO_TEST_CASE(an_error_is_one_line_whatever_a_name_holds) {
  const TemporaryFolder folder;
  const std::string place = folder.path().string();
  check_refused(run_penstock({"inspect", place + "/a\nb\x1b[2J\xc2\x9b"
                                                 "2J"}),
                1,
                "dataset: " + place + "/a\\x0ab\\x1b[2J\\xc2\\x9b2J: expected a folder, found none",
                "check the path");
}

BOOST_AUTO_TEST_CASE(a_hint_can_be_typed_where_a_name_has_blanks) {
  const TemporaryFolder folder;
  const std::string photos = (folder.path() / "my photos").string();
  write_cats_and_dogs(photos, 1);
  const CommandResult result = run_penstock({"inspect", photos});
  check_refused(result, 1, "dataset: " + photos + ": expected dataset.json, found none",
                "penstock convert '" + photos + "' '" + photos + ".penstock'");
}

// Lowers a limit of this process, which the program inherits, while it lives.
class LoweredLimit {
 public:
  LoweredLimit(__rlimit_resource resource, rlim_t value) : resource_(resource) {
    BOOST_REQUIRE(::getrlimit(resource_, &before_) == 0);
    const rlimit lowered{.rlim_cur = value, .rlim_max = before_.rlim_max};
    BOOST_REQUIRE(::setrlimit(resource_, &lowered) == 0);
  }
  LoweredLimit(const LoweredLimit&) = delete;
  LoweredLimit& operator=(const LoweredLimit&) = delete;
  ~LoweredLimit() { ::setrlimit(resource_, &before_); }

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

// Standard streams, the folder's lock, the shard, a source file: more than five at a time.
BOOST_AUTO_TEST_CASE(a_low_limit_of_open_files_is_raised) {
  const TemporaryFolder folder;
  write_cats_and_dogs(folder.path() / "photos", 2);
  CommandResult result;
  {
    const LoweredLimit limit(RLIMIT_NOFILE, 5);
    result = run_penstock({"convert", (folder.path() / "photos").string(),
                           (folder.path() / "ds").string(), "--quiet"});
  }
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
}

BOOST_AUTO_TEST_CASE(a_limit_of_file_size_is_an_error_and_no_signal) {
  const TemporaryFolder folder;
  write_cats_and_dogs(folder.path() / "photos", 2);
  CommandResult result;
  {
    const LoweredLimit limit(RLIMIT_FSIZE, 8192);  // the smallest shard is larger
    result = run_penstock({"convert", (folder.path() / "photos").string(),
                           (folder.path() / "ds").string(), "--quiet"});
  }
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(contains(result.err,
                      "File too large\nhint: a limit of the size of files: ulimit -f unlimited"));
  BOOST_TEST(count_entries(folder.path()) == 1u);
}

// Room is reserved for what becomes of the pictures, not for their files.
BOOST_AUTO_TEST_CASE(pictures_that_are_made_smaller_need_no_room_for_their_files) {
  const TemporaryFolder folder;
  for (const char* name : {"cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg"}) {
    write_picture(folder.path() / "photos" / name, {.width_px = 300, .height_px = 200});
  }
  const std::vector<std::string> line = {"convert",
                                         (folder.path() / "photos").string(),
                                         (folder.path() / "ds").string(),
                                         "--quiet",
                                         "--validation-split",
                                         "0"};
  std::vector<std::string> smaller = line;
  smaller.insert(smaller.end(), {"--resize-short", "16"});
  const LoweredLimit limit(RLIMIT_FSIZE, 100'000);  // the four files take twice that
  BOOST_TEST(run_penstock(line).exit_code == 1);
  BOOST_TEST(run_penstock(smaller).exit_code == 0);
}

// What libgomp read from its environment, which it prints before main. It calls the policy passive when it
// has read none, too; that threads do not spin it says in the count of spins: 300,000 by default.
std::string openmp_settings(const std::vector<std::string>& arguments,
                            const std::string& wait_policy = "") {
  const CommandResult result = run_penstock(
      arguments,
      {{"OMP_DISPLAY_ENV", "verbose"}, {"OMP_WAIT_POLICY", wait_policy}, {"GOMP_SPINCOUNT", ""}});
  BOOST_REQUIRE(contains(result.err, "OPENMP DISPLAY ENVIRONMENT BEGIN"));
  return result.err;
}

BOOST_AUTO_TEST_CASE(openmp_threads_wait_passively_unless_the_user_says_otherwise) {
  const std::vector<std::vector<std::string>> lines = {{"train", "--help"},
                                                       {"evaluate", "--help"},
                                                       {"predict", "--help"},
                                                       {"bench", "train", "--help"}};
  for (const std::vector<std::string>& line : lines) {
    BOOST_TEST_CONTEXT(line.front()) {
      const std::string set = openmp_settings(line);
      BOOST_TEST(contains(set, "OMP_WAIT_POLICY = 'PASSIVE'"), set);
      BOOST_TEST(contains(set, "GOMP_SPINCOUNT = '0'"), set);
    }
  }
  const std::string kept = openmp_settings({"train", "--help"}, "active");
  BOOST_TEST(contains(kept, "OMP_WAIT_POLICY = 'ACTIVE'"), kept);
}

// The policy is only ever set for a second start.
BOOST_AUTO_TEST_CASE(a_command_that_does_not_compute_does_not_start_again) {
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"--version"}, {"inspect", "--help"}}) {
    BOOST_TEST_CONTEXT(line.front()) {
      const std::string settings = openmp_settings(line);
      BOOST_TEST(contains(settings, "GOMP_SPINCOUNT = '"), settings);
      BOOST_TEST(!contains(settings, "GOMP_SPINCOUNT = '0'"), settings);
    }
  }
}

// libgomp calls it an invalid value.
BOOST_AUTO_TEST_CASE(an_empty_wait_policy_is_none) {
  const CommandResult result =
      run_program("/usr/bin/env", {"OMP_WAIT_POLICY=", PENSTOCK_PROGRAM, "--version"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
