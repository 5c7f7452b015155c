// tools/quickstart.sh as it is typed, up to its plan: what follows installs and builds.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "tests/cli/fake_programs.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

/// The whole number that follows the first `text`; 0 when there is none.
long number_after(const std::string& out, const std::string& text) {
  const std::size_t at = out.find(text);
  return at == std::string::npos ? 0 : std::strtol(out.c_str() + at + text.size(), nullptr, 10);
}

CommandResult quickstart(const std::vector<std::string>& arguments) {
  return run_program(fs::path(PENSTOCK_TOOLS_FOLDER) / "quickstart.sh", arguments);
}

/// quickstart in a tree of its own, where nothing is built at first.
class BareTree {
 public:
  BareTree() {
    fs::create_directories(root() / "tools");
    fs::copy_file(fs::path(PENSTOCK_TOOLS_FOLDER) / "quickstart.sh", script());
  }

  fs::path root() const { return fs::canonical(folder_.path()); }
  fs::path program() const { return root() / "build/release/penstock"; }
  CommandResult quickstart(const std::vector<std::string>& arguments) const {
    return run_program(script(), arguments);
  }

 private:
  fs::path script() const { return root() / "tools/quickstart.sh"; }

  TemporaryFolder folder_;
};

BOOST_AUTO_TEST_SUITE(quickstart_cli)

BOOST_AUTO_TEST_CASE(help_names_every_option) {
  const CommandResult result = quickstart({"--help"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  for (const char* part : {"[FOLDER]", "--into DATASET", "--no-install", "--dry-run"}) {
    BOOST_TEST(contains(result.out, part), part);
  }
  BOOST_TEST(!contains(result.out, "pipefail"));
}

BOOST_AUTO_TEST_CASE(an_unknown_option_is_a_usage_error) {
  const CommandResult result = quickstart({"--fast"});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(contains(result.err, "quickstart: unknown option --fast\nusage: "));
  BOOST_TEST(quickstart({"--into"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(a_missing_folder_and_the_whole_disk_are_refused_with_a_hint) {
  const TemporaryFolder folder;
  const std::string missing = (folder.path() / "none").string();
  const CommandResult result = quickstart({missing, "--dry-run"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.out == "");
  BOOST_TEST(result.err == "quickstart: " + missing +
                               ": expected a folder of photographs, found none\nhint: ls -d " +
                               folder.path().string() + "/*/\n");
  BOOST_TEST(quickstart({"/", "--dry-run"}).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(without_a_folder_shapes_are_planned) {
  const TemporaryFolder folder;
  const CommandResult result = quickstart({"--into", folder.path() / "s.penstock", "--dry-run"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "\ndataset      " + folder.path().string() + "/s.penstock\n"));
  BOOST_TEST(contains(result.out, "\nmodel        " + folder.path().string() + "/s.run\n"));
}

// The names are longer together than a pipe holds, and hold what a shell would split.
BOOST_AUTO_TEST_CASE(many_files_with_spaces_in_their_names_are_planned) {
  const TemporaryFolder folder;
  const fs::path photos = folder.path() / "my photos";
  constexpr int kNumFiles = 1600;
  for (int i = 0; i < kNumFiles; ++i) {
    write_file(photos / "cats & dogs" /
                   ("a picture with quite a long name, number " + std::to_string(i) + ".JPG"),
               "x");
  }
  const CommandResult result = quickstart({photos.string() + "/", "--dry-run"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  const std::string shown = folder.path().string() + "/my\\ photos";
  BOOST_TEST(contains(result.out, "\nphotographs  " + shown + "\n"));
  BOOST_TEST(contains(result.out, "\ndataset      " + shown + ".penstock\n"));
  BOOST_TEST(contains(result.out, "\nmodel        " + shown + ".run\n"));
  BOOST_TEST(contains(result.out, "\npicture      " + shown + "/cats\\ \\&\\ dogs/a\\ picture"));
  // 1600 files in 30 passes at 80 a second and core, in whole minutes, and 4 for the rest.
  const long num_cores = number_after(result.out, " minutes on ");
  BOOST_REQUIRE(num_cores >= 1);
  const long per_minute = 80 * 60 * num_cores;
  const long minutes = (kNumFiles * 30L + per_minute - 1) / per_minute + 4;
  BOOST_TEST(contains(result.out, "about " + std::to_string(minutes) + " minutes"));
  BOOST_TEST(count_entries(folder.path()) == 1u);  // it was a plan
}

BOOST_AUTO_TEST_CASE(a_folder_named_by_dots_has_its_own_name) {
  const TemporaryFolder folder;
  write_file(folder.path() / "photos/cat/1.jpg", "x");
  for (const char* dots : {"photos/.", "photos/cat/..", "photos//"}) {
    const CommandResult result = quickstart({folder.path() / dots, "--dry-run"});
    BOOST_TEST(result.exit_code == 0);
    BOOST_TEST(
        contains(result.out, "\ndataset      " + folder.path().string() + "/photos.penstock\n"),
        dots);
  }
}

BOOST_AUTO_TEST_CASE(a_dataset_of_another_folder_is_not_used) {
  const BareTree tree;
  const std::string photos = tree.root() / "photos";
  const std::string dataset = photos + ".penstock";
  write_file(photos + "/cat/1.jpg", "x");
  write_file(dataset + "/dataset.json", "x");
  const CommandResult unknown = tree.quickstart({photos, "--dry-run"});
  const std::string refused = "quickstart: " + dataset + ": expected nothing or a dataset of " +
                              photos +
                              ", found one of an unknown folder\nhint: --into another DATASET";
  BOOST_TEST(unknown.exit_code == 1);
  BOOST_TEST(unknown.err == refused + "\n");
  write_script(tree.program(), "exit 1\n");
  BOOST_TEST(tree.quickstart({photos, "--dry-run"}).err ==
             refused + "; or: " + tree.program().native() + " train " + dataset + " -o RUN\n");
  write_file(dataset + ".source", "/another/folder\n");
  const CommandResult other = tree.quickstart({photos, "--dry-run"});
  BOOST_TEST(other.exit_code == 1);
  BOOST_TEST(contains(other.err, "found one of /another/folder\nhint: --into "));
  write_file(dataset + ".source", photos + "\n1\n");
  BOOST_TEST(tree.quickstart({photos, "--dry-run"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_folder_whose_name_ends_in_a_blank_is_known_again) {
  const TemporaryFolder folder;
  const std::string photos = folder.path() / "my photos ";
  write_file(photos + "/cat/1.jpg", "x");
  write_file(photos + ".penstock/dataset.json", "x");
  write_file(photos + ".penstock.source", photos + "\n1\n");
  const CommandResult result = quickstart({photos, "--dry-run"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
}

BOOST_AUTO_TEST_CASE(a_folder_that_has_grown_since_comes_with_the_line_that_removes_its_dataset) {
  const TemporaryFolder folder;
  const std::string photos = (folder.path() / "photos").string();
  const std::string source = photos + ".penstock.source";
  write_file(photos + "/cat/1.jpg", "x");
  write_file(photos + ".penstock/dataset.json", "x");
  write_file(source, photos + "\n1\n");
  const CommandResult same = quickstart({photos, "--dry-run"});
  BOOST_TEST(same.exit_code == 0);
  BOOST_TEST(!contains(same.out, "made of"));
  write_file(photos + "/cat/2.jpg", "x");
  const CommandResult grown = quickstart({photos, "--dry-run"});
  BOOST_TEST(grown.exit_code == 0);
  BOOST_TEST(contains(grown.out, " made of 1 file; the folder holds 2 now. To make it anew, "));
  BOOST_TEST(contains(grown.out, " rm -r " + photos + ".penstock\n"));
  write_file(source, photos + "\n3\n");
  const CommandResult shrunk = quickstart({photos, "--dry-run"});
  BOOST_TEST(contains(shrunk.out, " made of 3 files; the folder holds 2 now. "));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_a_dataset_is_refused) {
  const BareTree tree;
  const std::string dataset = tree.root() / "photos.penstock";
  write_file(dataset + "/dataset.json", "x");
  const std::string refused = "quickstart: " + dataset +
                              ": expected a folder of photographs, found a dataset\nhint: name the "
                              "folder that it was made from";
  const CommandResult result = tree.quickstart({dataset, "--dry-run"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.out == "");
  BOOST_TEST(result.err == refused + "\n");
  write_script(tree.program(), "exit 1\n");
  BOOST_TEST(tree.quickstart({dataset, "--dry-run"}).err ==
             refused + "; or: " + tree.program().native() + " train " + dataset + " -o RUN\n");
}

BOOST_AUTO_TEST_CASE(a_dataset_needs_a_folder_to_lie_in) {
  const TemporaryFolder folder;
  write_file(folder.path() / "photos/cat/1.jpg", "x");
  const std::string parent = folder.path() / "none";
  const CommandResult result =
      quickstart({folder.path() / "photos", "--into", parent + "/x.penstock", "--dry-run"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.out == "");
  BOOST_TEST(result.err == "quickstart: " + parent +
                               ": expected a folder for the dataset, found none\nhint: mkdir -p " +
                               parent + "\n");
}

BOOST_AUTO_TEST_CASE(a_dataset_needs_a_folder_that_may_be_written_to) {
  if (::geteuid() == 0) {
    std::cout
        << "SKIPPED: a_dataset_needs_a_folder_that_may_be_written_to: root may write to all\n";
    return;
  }
  const TemporaryFolder folder;
  const fs::path parent = folder.path() / "kept";
  write_file(parent / "photos/cat/1.jpg", "x");
  fs::permissions(parent, fs::perms::owner_read | fs::perms::owner_exec);
  const CommandResult result = quickstart({parent / "photos", "--dry-run"});
  fs::permissions(parent, fs::perms::owner_all);
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err == "quickstart: " + parent.string() +
                               ": expected a folder for the dataset, found one that may not be "
                               "written to\nhint: --into DATASET, in a folder of yours\n");
}

BOOST_AUTO_TEST_CASE(a_sub_folder_that_may_not_be_read_does_not_end_it) {
  if (::geteuid() == 0) {
    std::cout << "SKIPPED: a_sub_folder_that_may_not_be_read_does_not_end_it: root may read all\n";
    return;
  }
  const TemporaryFolder folder;
  write_file(folder.path() / "photos/cat/1.jpg", "x");
  write_file(folder.path() / "photos/dog/1.jpg", "x");
  fs::permissions(folder.path() / "photos/dog", fs::perms::none);
  const CommandResult result = quickstart({folder.path() / "photos", "--dry-run"});
  fs::permissions(folder.path() / "photos/dog", fs::perms::owner_all);
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(contains(result.out, "/photos/cat/1.jpg\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
