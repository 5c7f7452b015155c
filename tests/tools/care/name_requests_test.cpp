#include "tools/care/name_requests.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::care {
namespace {

using Names = std::vector<std::string>;

// Shows all names, then returns those that are taken.
Names taken(NameRequests& requests, const Names& stored) {
  for (const std::string& name : stored) requests.may_take(name);
  Names all;
  std::ranges::copy_if(stored, std::back_inserter(all),
                       [&](const std::string& name) { return requests.takes(name); });
  return all;
}

BOOST_AUTO_TEST_SUITE(name_requests)

BOOST_AUTO_TEST_CASE(a_list_is_one_name_a_line) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "list", "cat/1.jpg\r\n\n a b \ncat/\xFF.jpg");
  const Names expected = {"cat/1.jpg", " a b ", "cat/\xFF.jpg"};
  BOOST_TEST(read_name_list(folder.path() / "list") == expected, boost::test_tools::per_element());
  tests::write_file(folder.path() / "empty", "\n\n");
  BOOST_CHECK_THROW(read_name_list(folder.path() / "empty"), Error);
}

// As a shell gives it for <(command).
BOOST_AUTO_TEST_CASE(a_list_may_come_through_a_pipe) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::jthread writer([&] { tests::write_file(pipe, "cat/1.jpg\ncat/2.jpg\n"); });
  const Names expected = {"cat/1.jpg", "cat/2.jpg"};
  BOOST_TEST(read_name_list(pipe) == expected, boost::test_tools::per_element());
  BOOST_CHECK_EXCEPTION(read_name_list(folder.path()), Error, [](const Error& error) {
    return std::string(error.what()).ends_with("expected a file, found a folder");
  });
}

BOOST_AUTO_TEST_CASE(a_name_is_taken_as_it_is_stored_or_as_it_is_printed) {
  const Names stored = {"a\nb", "c\xFF", "tab\there", "back\\slash", "plain", "other"};
  const Names printed = {"a\\x0ab", "c\\xff", "tab\\x09here", "back\\\\slash", "plain"};
  for (const Names& typed : {printed, Names(stored.begin(), stored.end() - 1)}) {
    NameRequests requests(typed);
    BOOST_TEST(taken(requests, stored) == Names(stored.begin(), stored.end() - 1),
               boost::test_tools::per_element());
    BOOST_TEST(requests.not_met().empty());
  }
}

BOOST_AUTO_TEST_CASE(what_is_spelled_byte_by_byte_stands_for_nothing_else) {
  for (const Names& stored : {Names{"a\\x41", "aA"}, Names{"aA", "a\\x41"}}) {
    NameRequests requests({"a\\x41"});
    BOOST_TEST(taken(requests, stored) == Names{"a\\x41"}, boost::test_tools::per_element());
  }
  NameRequests printed({"a\\x41"});
  BOOST_TEST(taken(printed, {"aA"}) == Names{"aA"}, boost::test_tools::per_element());
  NameRequests both({"a\\x41", "aA"});
  BOOST_TEST(taken(both, {"aA", "a\\x41"}).size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_not_met_is_told_as_it_was_typed) {
  NameRequests requests({"none", "here", "bad\\x0a", "gone\\x0a", "listed\\\\"});
  taken(requests, {"here"});
  requests.note_gone("gone\n");
  requests.note_gone("never asked for");
  Names in_lists = requests.names_in_lists();
  BOOST_TEST(std::ranges::count(in_lists, "listed\\") == 1);
  requests.note_in_list("listed\\");
  BOOST_TEST(requests.not_met() == (Names{"none", "bad\\x0a"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
