#include "tools/picture_paths.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <thread>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tools {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

struct Fixture {
  tests::TemporaryFolder folder;
  MemoryBudget budget{1u << 20};
  std::stop_source stop;

  void make(const std::string& name) {
    const fs::path path = folder.path() / name;
    fs::create_directories(path.parent_path());
    publish_file(path, "x");
  }
  std::string at(const std::string& name) const { return folder.path() / name; }

  /// A file with `text`, open for reading.
  UniqueFd list_of(const std::string& text) {
    publish_file(folder.path() / "list.txt", text);
    return open_for_reading(folder.path() / "list.txt");
  }

  Paths all(const Paths& arguments, const std::string& list = "") {
    const UniqueFd file = list_of(list);
    PicturePaths paths(arguments, file.get(), budget, stop.get_token());
    Paths found;
    while (const auto path = paths.next()) found.push_back(path->path);
    return found;
  }

  std::string refusal_of(const std::string& list) {
    try {
      all({"-"}, list);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
      return error.what();
    }
    return "accepted";
  }
};

BOOST_FIXTURE_TEST_SUITE(picture_paths, Fixture)

BOOST_AUTO_TEST_CASE(a_folder_is_all_files_beneath_it_sorted_by_path) {
  for (const char* name : {"p/b.jpg", "p/a/2.jpg", "p/a/10.jpg", "p/a.jpg", "p/c/d/e.png"}) {
    make(name);
  }
  // Bytes: '.' comes before '/', digits before letters.
  BOOST_TEST(all({at("p")}) == (Paths{at("p/a.jpg"), at("p/a/10.jpg"), at("p/a/2.jpg"),
                                      at("p/b.jpg"), at("p/c/d/e.png")}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(hidden_and_system_files_are_passed_over) {
  for (const char* name : {"p/.hidden.jpg", "p/.git/a.jpg", "p/Thumbs.db", "p/a.jpg"}) make(name);
  BOOST_TEST(all({at("p")}) == (Paths{at("p/a.jpg")}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(links_and_pipes_in_a_folder_are_told_apart_from_files) {
  make("p/z.jpg");
  fs::create_symlink("nowhere", at("p/link.jpg"));
  BOOST_REQUIRE(::mkfifo(at("p/pipe.jpg").c_str(), 0600) == 0);
  PicturePaths paths({at("p")}, -1, budget, stop.get_token());
  Paths found;
  while (const auto path = paths.next()) found.push_back(path->path + ": " + path->left_out);
  BOOST_TEST(found == (Paths{at("p/z.jpg") + ": ", at("p/link.jpg") + ": link",
                             at("p/pipe.jpg") + ": no regular file"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(arguments_keep_their_order_and_a_list_stands_where_its_sign_stands) {
  make("p/a.jpg");
  make("q/b.jpg");
  const std::string list = "one.jpg\r\n\n" + at("q") + "\nlast.jpg";
  BOOST_TEST(all({"zero.jpg", "-", at("p"), "-"}, list) ==
                 (Paths{"zero.jpg", "one.jpg", at("q/b.jpg"), "last.jpg", at("p/a.jpg")}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_found_is_told_from_what_was_named) {
  make("p/a.jpg");
  const UniqueFd empty = list_of("");
  PicturePaths paths({at("p"), at("p/a.jpg")}, empty.get(), budget, {});
  BOOST_TEST(paths.next()->is_found);
  BOOST_TEST(!paths.next()->is_found);
  BOOST_TEST(!paths.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_list_longer_than_a_piece_is_read_line_by_line) {
  std::string list;
  Paths expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back("picture " + std::to_string(i) + ".jpg");
    list += expected.back() + "\n";
  }
  BOOST_TEST((all({"-"}, list) == expected));
}

BOOST_AUTO_TEST_CASE(a_line_that_can_be_no_path_is_refused_with_its_number) {
  BOOST_TEST(all({"-"}, std::string(4096, 'x') + "\n").size() == 1u);
  const std::string refusal = "list: line 2: expected a path of at most 4,096 bytes, found more";
  BOOST_TEST(refusal_of("a.jpg\n" + std::string(4097, 'x') + "\nb.jpg\n") == refusal);
  BOOST_TEST(refusal_of("a.jpg\n" + std::string(100'000, 'x')) == refusal);
}

// find -print0: the end of a path is no end of a line.
BOOST_AUTO_TEST_CASE(a_line_with_a_nul_is_refused_with_its_number) {
  const std::string refusal = "list: line 2: expected a path, found a NUL in it";
  BOOST_TEST(refusal_of("a.jpg\n" + std::string("b.jpg\0c.jpg\0", 12)) == refusal);
  BOOST_TEST(refusal_of("a.jpg\n" + std::string("b.jpg\0\n", 7)) == refusal);
  BOOST_TEST(refusal_of("a.jpg\n" + std::string(100'000, '\0')) == refusal);
}

BOOST_AUTO_TEST_CASE(lines_come_before_the_pipe_has_ended) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const UniqueFd out(ends[0]), in(ends[1]);
  BOOST_REQUIRE(::write(in.get(), "a.jpg\nb.j", 9) == 9);
  PicturePaths paths({"-"}, out.get(), budget, {});
  BOOST_TEST(paths.next()->path == "a.jpg");
  BOOST_REQUIRE(::write(in.get(), "pg\n", 3) == 3);
  BOOST_TEST(paths.next()->path == "b.jpg");
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_waiting_for_a_list) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const UniqueFd out(ends[0]), in(ends[1]);
  PicturePaths paths({"-"}, out.get(), budget, stop.get_token());
  std::jthread stopper([&] { stop.request_stop(); });
  try {
    paths.next();
    BOOST_ERROR("went on");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kStopped));
  }
}

BOOST_AUTO_TEST_CASE(paths_of_a_folder_are_drawn_from_the_budget_and_given_back) {
  for (int i = 0; i < 100; ++i) make("p/" + std::string(100, 'x') + std::to_string(i));
  {
    const UniqueFd empty = list_of("");
    PicturePaths paths({at("p")}, empty.get(), budget, {});
    paths.next();
    BOOST_TEST(budget.used_bytes() > 100u * 100u);  // names alone
  }
  BOOST_TEST(budget.used_bytes() == 0u);
  MemoryBudget small(1000);
  const UniqueFd empty = list_of("");
  PicturePaths paths({at("p")}, empty.get(), small, {});
  try {
    paths.next();
    BOOST_ERROR("fits");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
    BOOST_TEST(tests::contains(error.hint(), "find " + at("p") + " -type f | penstock predict"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
