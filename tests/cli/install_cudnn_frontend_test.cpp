// tools/install_cudnn_frontend.sh in a tree of its own, with a Python that only notes what it is told.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"
#include "tests/cli/fake_programs.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// A tree with the script, and a toolkit with nvcc.
struct Place {
  TemporaryFolder folder;
  fs::path script = folder.path() / "tree" / "tools" / "install_cudnn_frontend.sh";
  fs::path noted = folder.path() / "noted";

  Place() {
    fs::create_directories(script.parent_path());
    fs::copy_file(fs::path(PENSTOCK_TOOLS_FOLDER) / script.filename(), script);
    fs::create_directories(folder.path() / "toolkit" / "bin");
    fs::create_directories(folder.path() / "toolkit" / "include");
    write_script(folder.path() / "toolkit" / "bin" / "nvcc", "exit 1\n");
    write_script(folder.path() / "toolkit" / "bin" / "python3",
                 "echo \"$*\" >>'" + noted.native() + "'\n");
  }

  CommandResult run() const {
    return run_program(script, {}, {{"PATH", path_with(folder.path() / "toolkit" / "bin")}});
  }
};

BOOST_AUTO_TEST_SUITE(install_cudnn_frontend)

BOOST_AUTO_TEST_CASE(the_headers_of_one_version_come_into_the_build_folder) {
  const Place place;
  write_script(place.folder.path() / "toolkit" / "include" / "cudnn.h", "");
  const CommandResult result = place.run();
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(contains(read_text_file(place.noted),
                      "-m pip install --quiet --no-deps --root-user-action=ignore --target "
                      "build/cudnn_frontend nvidia-cudnn-frontend==1.23.0\n"));
}

BOOST_AUTO_TEST_CASE(what_is_there_is_not_fetched_again) {
  const Place place;
  write_script(place.folder.path() / "toolkit" / "include" / "cudnn.h", "");
  fs::create_directories(place.folder.path() / "tree" / "build" / "cudnn_frontend" /
                         "nvidia_cudnn_frontend-1.23.0.dist-info");
  BOOST_TEST(place.run().out == "cudnn-frontend: 1.23.0 is there\n");
  BOOST_TEST(!fs::exists(place.noted));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
