// tools/install_packages.sh against commands that only note what they are told.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(install_packages)

// A sudo that keeps no variable but PATH, as Debian's does.
BOOST_AUTO_TEST_CASE(missing_packages_are_installed_without_questions) {
  const TemporaryFolder folder;
  const auto script = [&](const char* name, const std::string& lines) {
    write_file(folder.path() / name, "#!/bin/sh\n" + lines);
    fs::permissions(folder.path() / name, fs::perms::owner_all);
  };
  const std::string noted = folder.path() / "noted";
  script("dpkg-query", "exit 1\n");
  script("sudo", "exec env -i PATH=\"$PATH\" \"$@\"\n");
  script("apt-get", "echo \"$DEBIAN_FRONTEND: $*\" >>'" + noted + "'\n");
  const char* const path = std::getenv("PATH");
  const CommandResult result = run_program(
      fs::path(PENSTOCK_TOOLS_FOLDER) / "install_packages.sh", {"--tests"},
      {{"PATH", folder.path().string() + ":" + (path == nullptr ? "/usr/bin:/bin" : path)}});
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
