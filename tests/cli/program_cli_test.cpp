// The frame as it is typed: help, version, what no command knows, and the environment it sets up.
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

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
        "penstock: wrong arguments: penstock convert: DATASET is required\n"
        "hint: penstock convert --help\n");
  check({"inspect", "a", "b"},
        "penstock: too many arguments: penstock inspect: b\n"
        "hint: penstock inspect --help\n");
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
  BOOST_TEST(contains(result.err, "File too large\nhint: free some disk space"));
  BOOST_TEST(count_entries(folder.path()) == 1u);
}

// libgomp prints what it read from its environment before main.
BOOST_AUTO_TEST_CASE(openmp_threads_wait_passively_unless_the_user_says_otherwise) {
  const CommandResult set =
      run_penstock({"--version"}, {{"OMP_DISPLAY_ENV", "true"}, {"OMP_WAIT_POLICY", ""}});
  BOOST_REQUIRE(contains(set.err, "OPENMP DISPLAY ENVIRONMENT BEGIN"));
  BOOST_TEST(contains(set.err, "OMP_WAIT_POLICY = 'PASSIVE'"));
  const CommandResult kept =
      run_penstock({"--version"}, {{"OMP_DISPLAY_ENV", "true"}, {"OMP_WAIT_POLICY", "active"}});
  BOOST_TEST(contains(kept.err, "OMP_WAIT_POLICY = 'ACTIVE'"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
