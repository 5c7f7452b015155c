#include "tools/convert/source/archive_listing.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <random>

#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/compressed.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

using fixtures::make_tar;
using fixtures::TarEntry;
namespace fs = std::filesystem;

// What an archive lists, and the folder that it lies in.
struct HeldFiles : StoredFiles {
  std::shared_ptr<const tests::TemporaryFolder> folder;
};

class Archive {
 public:
  explicit Archive(const std::string& bytes) { tests::write_file(path(), bytes); }
  fs::path path() const { return folder_->path() / "photos.tar"; }
  HeldFiles list() const {
    return {
        list_archives({{.path = path(), .name = "photos.tar"}}, {.folder = folder_->path()}, {}),
        folder_};
  }

 private:
  std::shared_ptr<const tests::TemporaryFolder> folder_ =
      std::make_shared<const tests::TemporaryFolder>();
};

std::map<std::string, std::string> contents(const StoredFiles& files) {
  std::map<std::string, std::string> found;
  for (std::uint32_t i = 0; i < files.scan.files.size(); ++i) {
    found[files.scan.files[i].path] = read_small_file(files, i, 1u << 30).value();
  }
  return found;
}

// "reason path" of each finding, sorted.
std::vector<std::string> reasons(const StoredFiles& files) {
  std::vector<std::string> found;
  for (const QuarantineEntry& entry : files.findings) {
    found.push_back(std::string(reason_code_name(entry.reason)) + " " + entry.path);
  }
  std::sort(found.begin(), found.end());
  return found;
}

using Texts = std::vector<std::string>;

const std::vector<TarEntry> kThree = {
    {"dog/1.jpg", std::string(700, 'd')}, {"cat/2.jpg", "two"}, {"cat/1.jpg", ""}};
const std::map<std::string, std::string> kThreeContents = {
    {"cat/1.jpg", ""}, {"cat/2.jpg", "two"}, {"dog/1.jpg", std::string(700, 'd')}};

BOOST_AUTO_TEST_SUITE(archive_listing)

BOOST_AUTO_TEST_CASE(members_are_listed_by_the_bytes_of_their_names_and_read_where_they_lie) {
  const Archive archive(make_tar(kThree));
  const StoredFiles files = archive.list();
  BOOST_CHECK(contents(files) == kThreeContents);
  BOOST_CHECK((files.scan.folders == Texts{"cat", "dog"}));
  BOOST_TEST(files.findings.empty());
  BOOST_TEST(files.scan.files[0].path == "cat/1.jpg");
  BOOST_TEST(files.store->where(0, "cat/1.jpg") == archive.path().string() + ": cat/1.jpg");
  BOOST_REQUIRE(files.read_files.size() == 1u);
  BOOST_TEST(files.read_files[0].size_bytes == fs::file_size(archive.path()));
}

BOOST_AUTO_TEST_CASE(a_compressed_archive_gives_the_same_files) {
  const std::string tar = make_tar(kThree);
  BOOST_CHECK(contents(Archive(tests::gzipped(tar)).list()) == kThreeContents);
  for (const char* filter : {"bzip2", "xz", "zstd"}) {
    const HeldFiles files = Archive(tests::compressed(tar, filter)).list();
    BOOST_TEST_CONTEXT(filter) {
      BOOST_CHECK(contents(files) == kThreeContents);
      BOOST_TEST(files.findings.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(any_part_of_a_member_is_read_and_nothing_behind_it) {
  for (const bool is_compressed : {false, true}) {
    const std::string tar = make_tar({{"a", "0123456789"}, {"b", "behind"}});
    const HeldFiles files = Archive(is_compressed ? tests::gzipped(tar) : tar).list();
    std::string part(6, '?');
    const auto bytes = std::as_writable_bytes(std::span(part));
    BOOST_TEST(files.store->read_at(0, 7, bytes) == 3u);
    BOOST_TEST(part.substr(0, 3) == "789");
    BOOST_TEST(files.store->read_at(0, 10, bytes) == 0u);
    BOOST_TEST(files.store->read_at(0, UINT64_MAX, bytes) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(names_that_leave_the_archive_are_findings_and_no_files) {
  const HeldFiles files = Archive(make_tar({{"../1.jpg", "x"},
                                            {"/etc/passwd", "x"},
                                            {"cat/../../2.jpg", "x"},
                                            {"./", "", '5'},
                                            {"./cat/3.jpg", "three"}}))
                              .list();
  BOOST_CHECK((contents(files) == std::map<std::string, std::string>{{"cat/3.jpg", "three"}}));
  BOOST_CHECK((reasons(files) == Texts{"unsafe_path ../1.jpg", "unsafe_path /etc/passwd",
                                       "unsafe_path cat/../../2.jpg"}));
}

BOOST_AUTO_TEST_CASE(symbolic_links_and_special_files_are_never_followed) {
  const HeldFiles files =
      Archive(make_tar({{"cat/1.jpg", "one"},
                        {.name = "cat/inside.jpg", .type = '2', .link_target = "1.jpg"},
                        {.name = "cat/soft.jpg", .type = '2', .link_target = "/etc/passwd"},
                        {.name = "cat/pipe.jpg", .type = '6'}}))
          .list();
  BOOST_CHECK((contents(files) == std::map<std::string, std::string>{{"cat/1.jpg", "one"}}));
  BOOST_CHECK(
      (reasons(files) == Texts{"archive_link cat/inside.jpg", "archive_link cat/soft.jpg"}));
  BOOST_TEST(files.scan.skipped.num_special == 1u);
}

BOOST_AUTO_TEST_CASE(a_hard_link_has_the_bytes_of_the_whole_member_before_it_that_it_names) {
  const std::string tar =
      make_tar({{"./cat/1.jpg", std::string(700, 'a')},
                {.name = "cat/2.jpg", .type = '1', .link_target = "./cat/1.jpg"},
                {.name = "dog/3.jpg", .type = '1', .link_target = "cat/2.jpg"},
                {"cat/empty.jpg", ""},
                {.name = "dog/empty.jpg", .type = '1', .link_target = "cat/empty.jpg"},
                {"cat/1.jpg", "new"},
                {.name = "dog/4.jpg", .type = '1', .link_target = "cat/1.jpg"},
                {.name = "dog/5.jpg", .type = '1', .link_target = "dog/3.jpg"}});
  const std::string old(700, 'a');
  const std::map<std::string, std::string> expected = {
      {"cat/1.jpg", "new"}, {"cat/2.jpg", old}, {"cat/empty.jpg", ""}, {"dog/3.jpg", old},
      {"dog/4.jpg", "new"}, {"dog/5.jpg", old}, {"dog/empty.jpg", ""}};
  for (const std::string& bytes : {tar, tests::gzipped(tar)}) {
    const HeldFiles files = Archive(bytes).list();
    BOOST_CHECK(contents(files) == expected);
    BOOST_CHECK((reasons(files) == Texts{"duplicate_name cat/1.jpg"}));
  }
}

BOOST_AUTO_TEST_CASE(hard_links_to_what_is_no_whole_member_before_them_are_findings) {
  const std::string tar =
      make_tar({{.name = "cat/early.jpg", .type = '1', .link_target = "cat/1.jpg"},
                {"cat/1.jpg", "one"},
                {.name = "cat/soft.jpg", .type = '2', .link_target = "1.jpg"},
                {.name = "cat/hard.jpg", .type = '1', .link_target = "cat/soft.jpg"},
                {.name = "cat/out.jpg", .type = '1', .link_target = "../../etc/passwd"},
                {.name = "cat/root.jpg", .type = '1', .link_target = "/etc/passwd"},
                {.name = "cat/self.jpg", .type = '1', .link_target = "cat/self.jpg"},
                {.name = "cat/next.jpg", .type = '1', .link_target = "cat/self.jpg"}});
  for (const std::string& bytes : {tar, tests::gzipped(tar)}) {
    const HeldFiles files = Archive(bytes).list();
    BOOST_CHECK((contents(files) == std::map<std::string, std::string>{{"cat/1.jpg", "one"}}));
    BOOST_CHECK((reasons(files) == Texts{"archive_link cat/early.jpg", "archive_link cat/hard.jpg",
                                         "archive_link cat/next.jpg", "archive_link cat/out.jpg",
                                         "archive_link cat/root.jpg", "archive_link cat/self.jpg",
                                         "archive_link cat/soft.jpg"}));
  }
}

// Links name members of their own archive, and only of that.
BOOST_AUTO_TEST_CASE(hard_links_of_several_archives_stay_in_their_own) {
  const Archive one(
      make_tar({{"1.jpg", "one"}, {.name = "2.jpg", .type = '1', .link_target = "1.jpg"}}));
  const Archive two(make_tar({{.name = "2.jpg", .type = '1', .link_target = "1.jpg"},
                              {.name = "3.jpg", .type = '1', .link_target = "../a/1.jpg"}}));
  const StoredFiles files = list_archives({{.path = one.path(), .name = "a.tar", .prefix = "a/"},
                                           {.path = two.path(), .name = "b.tar", .prefix = "b/"}},
                                          {.folder = one.path().parent_path()}, {});
  BOOST_CHECK((contents(files) ==
               std::map<std::string, std::string>{{"a/1.jpg", "one"}, {"a/2.jpg", "one"}}));
  BOOST_CHECK((reasons(files) == Texts{"archive_link b/2.jpg", "archive_link b/3.jpg"}));
}

BOOST_AUTO_TEST_CASE(of_two_members_of_one_name_the_last_holds_as_when_extracted) {
  const HeldFiles files =
      Archive(make_tar({{"cat/1.jpg", "old"}, {"dog/1.jpg", "dog"}, {"./cat/1.jpg", "new"}}))
          .list();
  BOOST_CHECK((contents(files) ==
               std::map<std::string, std::string>{{"cat/1.jpg", "new"}, {"dog/1.jpg", "dog"}}));
  BOOST_CHECK((reasons(files) == Texts{"duplicate_name cat/1.jpg"}));
}

BOOST_AUTO_TEST_CASE(what_systems_leave_behind_is_counted_as_in_folders) {
  const HeldFiles files = Archive(make_tar({{"__MACOSX/cat/._1.jpg", "x"},
                                            {"__MACOSX/cat/._2.jpg", "x"},
                                            {"cat/.DS_Store", "x"},
                                            {"cat/._1.jpg", "x"},
                                            {"cat/.git/config", "x"},
                                            {"cat/1.jpg", "one"}}))
                              .list();
  BOOST_CHECK((contents(files) == std::map<std::string, std::string>{{"cat/1.jpg", "one"}}));
  BOOST_TEST(files.scan.skipped.num_system == 3u);
  BOOST_TEST(files.scan.skipped.num_hidden == 1u);
  BOOST_CHECK((files.scan.folders == Texts{"cat"}));
}

BOOST_AUTO_TEST_CASE(names_are_kept_as_bytes_in_any_script_and_of_any_length) {
  const std::string long_name = "cat/" + std::string(180, 'x') + ".jpg";
  const std::string chinese = "\xE7\x8C\xAB/" + std::string(120, 'y');  // in a pax header
  const HeldFiles files =
      Archive(make_tar({{"d\xF6g/1.jpg", "latin-1"}, {long_name, "long"}, {chinese, "pax"}}))
          .list();
  BOOST_CHECK(
      (contents(files) == std::map<std::string, std::string>{
                              {"d\xF6g/1.jpg", "latin-1"}, {long_name, "long"}, {chinese, "pax"}}));
}

BOOST_AUTO_TEST_CASE(an_empty_folder_is_listed) {
  const HeldFiles files = Archive(make_tar({{"a/b/", "", '5'}, {"cat/1.jpg", "x"}})).list();
  BOOST_CHECK((files.scan.folders == Texts{"a", "a/b", "cat"}));
}

// Of every length that a small archive can be cut to, what is whole is offered, and the cut is told.
BOOST_AUTO_TEST_CASE(whatever_the_length_of_a_cut_archive_what_was_whole_is_offered) {
  const std::vector<TarEntry> entries = {{"a", std::string(600, 'a')}, {"b", "b"}, {"c", ""}};
  const std::string tar = make_tar(entries);
  std::size_t num_checked = 0;
  for (std::size_t length = 513; length < tar.size(); length += 97, ++num_checked) {
    std::map<std::string, std::string> whole;
    std::size_t end = 0;
    for (const TarEntry& entry : entries) {
      const std::size_t data_end = end + 512 + entry.bytes.size();
      if (data_end <= length) whole[entry.name] = entry.bytes;
      end += fixtures::tar_entry_bytes(entry);
    }
    const HeldFiles files = Archive(tar.substr(0, length)).list();
    BOOST_TEST_CONTEXT("length " << length) {
      BOOST_CHECK(contents(files) == whole);
      // One block of zeros marks the end as well as two do.
      const bool is_marked = length >= end + 512;
      BOOST_CHECK(is_marked || reasons(files) == Texts{"archive_truncated photos.tar"});
    }
  }
  BOOST_TEST(num_checked > 20u);
}

BOOST_AUTO_TEST_CASE(an_archive_cut_between_two_members_is_told) {
  const HeldFiles files = Archive(make_tar(kThree, fixtures::TarEnd::kWithout)).list();
  BOOST_CHECK(contents(files) == kThreeContents);
  BOOST_CHECK((reasons(files) == Texts{"archive_truncated photos.tar"}));
}

BOOST_AUTO_TEST_CASE(behind_a_damaged_header_nothing_is_guessed) {
  std::string tar = make_tar(kThree);
  const std::size_t second = fixtures::tar_entry_bytes(kThree[0]);
  tar[second + 3] = static_cast<char>(tar[second + 3] ^ 0x20);  // in its name: the sum is wrong
  const HeldFiles files = Archive(tar).list();
  BOOST_CHECK((contents(files) ==
               std::map<std::string, std::string>{{"dog/1.jpg", std::string(700, 'd')}}));
  BOOST_CHECK((reasons(files) == Texts{"archive_damaged photos.tar"}));
}

BOOST_AUTO_TEST_CASE(a_cut_compressed_archive_offers_what_was_whole) {
  std::string noise;
  std::mt19937 bits(5);
  while (noise.size() < 200'000) noise += static_cast<char>(bits());
  const std::string tar = make_tar({{"a", noise}, {"b", noise}, {"c", noise}});
  const std::string file = tests::gzipped(tar);
  const HeldFiles files = Archive(file.substr(0, file.size() / 2)).list();
  BOOST_CHECK((contents(files) == std::map<std::string, std::string>{{"a", noise}}));
  BOOST_CHECK((reasons(files) == Texts{"archive_truncated photos.tar"}));
}

// Nothing else would see it: the member's own bytes have no checksum in a tar.
BOOST_AUTO_TEST_CASE(a_bit_that_turned_in_a_gzipped_archive_is_told) {
  std::string file = tests::gzipped(make_tar(kThree), 0);
  file[700] = static_cast<char>(file[700] ^ 1);
  const HeldFiles files = Archive(file).list();
  BOOST_TEST(files.scan.files.size() == 3u);
  BOOST_CHECK((reasons(files) == Texts{"archive_damaged photos.tar"}));
}

BOOST_AUTO_TEST_CASE(an_archive_that_was_appended_to_another_is_read_too) {
  const HeldFiles files = Archive(make_tar({{"a", "one"}}) + make_tar({{"b", "two"}})).list();
  BOOST_CHECK((contents(files) == std::map<std::string, std::string>{{"a", "one"}, {"b", "two"}}));
}

BOOST_AUTO_TEST_CASE(members_beyond_the_limit_of_the_spool_end_it_before_the_disk_is_full) {
  const tests::TemporaryFolder folder;
  const fs::path path = folder.path() / "bomb.tar.gz";
  tests::write_file(path, tests::gzipped(make_tar({{"a", std::string(5'000'000, '\0')}})));
  BOOST_TEST(fs::file_size(path) < 20'000u);
  BOOST_CHECK_EXCEPTION(list_archives({{.path = path, .name = "bomb"}},
                                      {.folder = folder.path(), .limit_bytes = 1 << 20}, {}),
                        Error, [](const Error& error) { return error.os_error() == ENOSPC; });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(several_archives_are_one_list_and_names_tell_them_apart) {
  const Archive one(make_tar({{"1.jpg", "one"}}));
  const Archive two(tests::gzipped(make_tar({{"1.jpg", "two"}})));
  const StoredFiles files = list_archives({{.path = two.path(), .name = "b.tar", .prefix = "b/"},
                                           {.path = one.path(), .name = "a.tar", .prefix = "a/"}},
                                          {.folder = one.path().parent_path()}, {});
  BOOST_CHECK((contents(files) ==
               std::map<std::string, std::string>{{"a/1.jpg", "one"}, {"b/1.jpg", "two"}}));
  BOOST_TEST(files.store->archive_name(0) == "a.tar");
  BOOST_TEST(files.store->archive_name(1) == "b.tar");
}

BOOST_AUTO_TEST_CASE(only_what_begins_as_a_tar_is_one) {
  BOOST_TEST(is_archive(Archive(make_tar(kThree)).path()));
  BOOST_TEST(is_archive(Archive(tests::gzipped(make_tar(kThree))).path()));
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(2000, 'x'),
                                   tests::gzipped("text"), std::string("\xFF\xD8\xFF\xE0")}) {
    const Archive file(bytes);
    BOOST_TEST(!is_archive(file.path()));
  }
}

BOOST_AUTO_TEST_CASE(a_stop_is_heard) {
  const Archive archive(make_tar(kThree));
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_EXCEPTION(
      list_archives({{.path = archive.path(), .name = "x"}}, {}, stop.get_token()), Error,
      [](const Error& error) { return error.code() == ErrorCode::kStopped; });
}

BOOST_AUTO_TEST_CASE(a_list_beyond_its_room_is_refused_with_what_a_member_takes) {
  std::vector<TarEntry> members;
  for (int i = 0; i < 100; ++i) members.push_back({"cat/" + std::to_string(i) + ".jpg", ""});
  const Archive archive(make_tar(members));
  const std::vector<ListedArchive> archives = {{.path = archive.path(), .name = "photos.tar"}};
  BOOST_CHECK_NO_THROW(list_archives(archives, {}, {}, 100 * 400));
  BOOST_CHECK_EXCEPTION(list_archives(archives, {}, {}, 100 * 100), Error, [](const Error& error) {
    BOOST_TEST(tests::contains(error.what(), "expected a list of members that fits 9.8 KiB"));
    return error.code() == ErrorCode::kOutOfMemory;
  });
}

// Hidden files, links out of it and twins are entries too.
BOOST_AUTO_TEST_CASE(what_is_no_file_counts_as_well) {
  for (const char* name : {"cat/._", "../"}) {
    std::vector<TarEntry> members;
    for (int i = 0; i < 100; ++i) members.push_back({name + std::to_string(i) + ".jpg", ""});
    const Archive archive(make_tar(members));
    BOOST_CHECK_THROW(list_archives({{.path = archive.path(), .name = "x"}}, {}, {}, 100 * 100),
                      Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
