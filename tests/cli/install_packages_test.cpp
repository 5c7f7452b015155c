// tools/install_packages.sh against commands that only note what they are told.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"
#include "tests/cli/fake_programs.h"
#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

BOOST_AUTO_TEST_SUITE(install_packages)

// A sudo that keeps no variable but PATH, as Debian's does.
BOOST_AUTO_TEST_CASE(missing_packages_are_installed_without_questions) {
  const TemporaryFolder folder;
  const std::string noted = folder.path() / "noted";
  write_script(folder.path() / "dpkg-query", "exit 1\n");
  write_script(folder.path() / "sudo", "exec env -i PATH=\"$PATH\" \"$@\"\n");
  write_script(folder.path() / "apt-get", "echo \"$DEBIAN_FRONTEND: $*\" >>'" + noted + "'\n");
  const CommandResult result =
      run_program(std::filesystem::path(PENSTOCK_TOOLS_FOLDER) / "install_packages.sh", {"--tests"},
                  {{"PATH", path_with(folder.path())}});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  const std::string text = read_text_file(noted);
  const std::string update = "noninteractive: -qq update\n";
  BOOST_TEST(text.substr(0, update.size()) == update);
  BOOST_TEST(text.find("noninteractive: -qq install -y --no-install-recommends g++ ") !=
             std::string::npos);
  BOOST_TEST(text.find(" libboost-test-dev ") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
