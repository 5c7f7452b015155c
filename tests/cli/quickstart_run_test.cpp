// tools/quickstart.sh from its plan to its last line, in a tree of its own where the build is made
// already: `cmake` does nothing there, and the recipes are short.
#include <fcntl.h>
#include <sys/file.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "streamer/core/file.h"
#include "tests/cli/fake_programs.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

class BuiltTree {
 public:
  BuiltTree() {
    const fs::path tools = PENSTOCK_TOOLS_FOLDER;
    fs::create_directories(root() / "tools");
    fs::copy_file(tools / "quickstart.sh", root() / "tools/quickstart.sh");
    for (const char* recipe : {"clothing_small.toml", "shapes.toml"}) {
      write_file(root() / "tools/recipes" / recipe,
                 "image_size = 32\nepochs = 1\nbatch_size = 4\n");
    }
    write_script(root() / "bin/cmake", "exit 0\n");
    const fs::path release = root() / "build/release";
    fs::create_directories(release);
    fs::create_symlink(PENSTOCK_PROGRAM, release / "penstock");
    write_script(release / "penstock-fixtures",
                 "exec '" PENSTOCK_FIXTURES_PROGRAM
                 "' \"$@\" --train 20 --validation 10 --test 0 --min-side 32 --max-side 40\n");
  }

  fs::path root() const { return fs::canonical(folder_.path()); }

  /// From now on `penstock convert` fails when its work is done.
  void let_convert_fail_at_its_end() const {
    const fs::path program = root() / "build/release/penstock";
    fs::remove(program);  // the link, not the program
    write_script(program, "'" PENSTOCK_PROGRAM "' \"$@\" && test \"$1\" != convert\n");
  }

  CommandResult quickstart(std::vector<std::string> arguments) const {
    arguments.emplace_back("--no-install");
    return run_program(root() / "tools/quickstart.sh", arguments,
                       {{"PATH", path_with(root() / "bin")}});
  }

 private:
  TemporaryFolder folder_;
};

BOOST_AUTO_TEST_SUITE(quickstart_run)

BOOST_AUTO_TEST_CASE(the_test_split_is_evaluated_and_the_totals_end_it) {
  const BuiltTree tree;
  write_cats_and_dogs(tree.root() / "photos/train", 3);
  write_cats_and_dogs(tree.root() / "photos/test", 1);
  const CommandResult result = tree.quickstart({tree.root() / "photos"});
  BOOST_TEST_CONTEXT(result.out << result.err) {
    BOOST_TEST(result.exit_code == 0);
    BOOST_TEST(!contains(result.out, "held back"));
    BOOST_TEST(contains(result.out, "photos.penstock, split test: 2 of 2 samples"));
    const std::size_t done = result.out.find("\n== Done\n");
    BOOST_REQUIRE(done != std::string::npos);
    BOOST_TEST(contains(result.out.substr(done), "\nloss "));
    BOOST_TEST(contains(result.out.substr(done), "What to try next:\n"));
    BOOST_TEST(read_text_file(tree.root() / "photos.penstock.source") ==
               (tree.root() / "photos").string() + "\n8\n");
  }
}

BOOST_AUTO_TEST_CASE(a_conversion_that_fails_leaves_no_note_of_a_source) {
  const BuiltTree tree;
  write_file(tree.root() / "photos/cat/1.jpg", "no picture");
  const CommandResult result = tree.quickstart({tree.root() / "photos"});
  BOOST_TEST(result.exit_code != 0);
  BOOST_TEST(contains(result.out, "\n== Convert\n"));
  BOOST_TEST(!fs::exists(tree.root() / "photos.penstock.source"));
}

BOOST_AUTO_TEST_CASE(a_conversion_that_fails_behind_its_dataset_leaves_the_note) {
  const BuiltTree tree;
  const std::string photos = tree.root() / "photos";
  write_cats_and_dogs(photos, 3);
  tree.let_convert_fail_at_its_end();
  BOOST_TEST(tree.quickstart({photos}).exit_code == 1);
  BOOST_TEST(fs::exists(photos + ".penstock/dataset.json"));
  BOOST_TEST(read_text_file(photos + ".penstock.source") == photos + "\n6\n");
}

BOOST_AUTO_TEST_CASE(a_second_quickstart_leaves_the_note_of_the_one_at_work) {
  const BuiltTree tree;
  const std::string photos = tree.root() / "photos";
  const std::string dataset = tree.root() / "first.penstock";
  write_cats_and_dogs(photos, 3);
  write_file(dataset + ".source", "/the/first\n1\n");
  fs::create_directories(dataset + ".partial");
  const UniqueFd first(::open((dataset + ".partial").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  BOOST_REQUIRE(::flock(first.get(), LOCK_EX | LOCK_NB) == 0);
  const CommandResult second = tree.quickstart({photos, "--into", dataset});
  BOOST_TEST(second.exit_code == 1);
  BOOST_TEST(contains(second.err, "found another conversion"));
  BOOST_TEST(read_text_file(dataset + ".source") == "/the/first\n1\n");
}

/// The line of the plan that removes the dataset.
std::string removal_line(const std::string& plan) {
  const std::size_t from = plan.find("rm -r ");
  return from == std::string::npos ? "" : plan.substr(from, plan.find('\n', from) - from);
}

BOOST_AUTO_TEST_CASE(the_lines_for_a_folder_that_has_grown_make_the_dataset_anew) {
  const BuiltTree tree;
  const std::string photos = tree.root() / "my photos";
  write_cats_and_dogs(photos + "/train", 3);
  BOOST_TEST(tree.quickstart({photos}).exit_code == 0);
  write_picture(photos + "/train/cat/new.jpg", {.seed = 50});
  const CommandResult grown = tree.quickstart({photos, "--dry-run"});
  BOOST_TEST(contains(grown.out, "made of 6 files; the folder holds 7 now"));
  BOOST_TEST(run_program("/bin/bash", {"-c", removal_line(grown.out)}).exit_code == 0);
  const CommandResult anew = tree.quickstart({photos});
  BOOST_TEST_CONTEXT(anew.out << anew.err) {
    BOOST_TEST(anew.exit_code == 0);
    BOOST_TEST(contains(anew.out, "split train: 7 of 7 samples"));
  }
  BOOST_TEST(!contains(tree.quickstart({photos, "--dry-run"}).out, "made of"));
}

BOOST_AUTO_TEST_CASE(with_no_picture_held_back_those_learnt_from_are_evaluated) {
  const BuiltTree tree;
  write_cats_and_dogs(tree.root() / "photos/train", 3);
  const CommandResult result = tree.quickstart({tree.root() / "photos"});
  BOOST_TEST_CONTEXT(result.out << result.err) {
    BOOST_TEST(result.exit_code == 0);
    const std::size_t said = result.out.find("\nno picture is held back: ");
    BOOST_TEST(said < result.out.find("\n== Train\n"));
    BOOST_TEST(contains(result.out, "photos.penstock, split train: 6 of 6 samples"));
    BOOST_TEST(contains(result.out, "\n== Done\n"));
  }
}

BOOST_AUTO_TEST_CASE(shapes_that_were_half_made_are_made_again) {
  const BuiltTree tree;
  const fs::path own = tree.root() / "build/quickstart";
  write_file(own / "shapes.partial/train/circle/00000.jpg", "half");
  const CommandResult result = tree.quickstart({});
  BOOST_TEST_CONTEXT(result.out << result.err) {
    BOOST_TEST(result.exit_code == 0);
    BOOST_TEST(contains(result.out, "shapes.penstock, split validation: 10 of 10 samples"));
    BOOST_TEST(!fs::exists(own / "shapes.partial"));
    BOOST_TEST(fs::exists(own / "shapes.run/weights.safetensors"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
