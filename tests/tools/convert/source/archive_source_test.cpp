#include "tools/convert/source/archive_source.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/cifar_batch.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/tools/compressed.h"
#include "tests/tools/convert/source/scanned_source.h"

namespace penstock::convert {
namespace {

using fixtures::make_tar;
using tests::listed;
using tests::ScannedSource;
using Listed = std::map<std::string, std::string>;

BOOST_AUTO_TEST_SUITE(archive_source)

BOOST_AUTO_TEST_CASE(split_folders_in_an_archive_are_splits) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"data/train/cat/1.jpg", ""},
                                {"data/train/dog/1.jpg", ""},
                                {"data/val/cat/1.jpg", ""},
                                {"data/val/dog/", "", '5'}}));
  const SourceScan scan = source.scan("x.tar");
  BOOST_TEST(scan.description == "split folders (train, val) of class folders in an archive");
  BOOST_CHECK((listed(scan) == Listed{{"train/cat/1.jpg", "train:cat"},
                                      {"train/dog/1.jpg", "train:dog"},
                                      {"val/cat/1.jpg", "validation:cat"}}));
}

BOOST_AUTO_TEST_CASE(what_is_whole_in_a_cut_archive_of_split_folders_is_offered) {
  const std::string picture(3000, 'x');
  const std::string tar = make_tar({{"data/train/cat/1.jpg", picture},
                                    {"data/train/dog/1.jpg", picture},
                                    {"data/val/cat/1.jpg", picture},
                                    {"data/val/dog/1.jpg", picture}});
  constexpr std::size_t kMemberBytes = 512 + 3072;
  const std::string cut = tar.substr(0, 3 * kMemberBytes + 1000);
  ScannedSource source;
  source.add("x.tar", cut);
  source.add("x.tar.gz", tests::gzipped(cut));
  for (const char* name : {"x.tar", "x.tar.gz"}) {
    const SourceScan scan = source.scan(name);
    BOOST_CHECK((listed(scan) == Listed{{"train/cat/1.jpg", "train:cat"},
                                        {"train/dog/1.jpg", "train:dog"},
                                        {"val/cat/1.jpg", "validation:cat"}}));
    const std::vector<std::string> found = tests::findings(scan);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].starts_with(std::string("archive_truncated ") + name +
                                    ": it ends within data/val/dog/1.jpg"));
    BOOST_REQUIRE(scan.warnings.size() == 1u);
    BOOST_TEST(scan.warnings[0] ==
               "not all could be read: classes and splits are those of what was; val is without "
               "dog");
  }
}

BOOST_AUTO_TEST_CASE(one_archive_in_a_folder_is_that_archive) {
  ScannedSource source;
  source.add("photos.tgz", tests::gzipped(make_tar({{"cat/1.jpg", "one"}, {"dog/1.jpg", ""}})));
  const SourceScan scan = source.scan();
  BOOST_CHECK((listed(scan) == Listed{{"cat/1.jpg", "cat"}, {"dog/1.jpg", "dog"}}));
  BOOST_TEST(tests::as_text(tests::read(scan, "cat/1.jpg").bytes) == "one");
}

// As ImageNet's training set is, once its outer archive is unpacked.
BOOST_AUTO_TEST_CASE(archives_without_folders_in_them_are_a_class_each) {
  ScannedSource source;
  source.add("n01440764.tar", make_tar({{"1.jpg", "tench"}, {"2.jpg", ""}}));
  source.add("n01443537.tar", make_tar({{"./1.jpg", "goldfish"}}));
  const SourceScan scan = source.scan();
  BOOST_CHECK((listed(scan) == Listed{{"n01440764/1.jpg", "n01440764"},
                                      {"n01440764/2.jpg", "n01440764"},
                                      {"n01443537/1.jpg", "n01443537"}}));
  BOOST_TEST(tests::as_text(tests::read(scan, "n01443537/1.jpg").bytes) == "goldfish");
  BOOST_TEST(scan.files.size() == 2u);
}

BOOST_AUTO_TEST_CASE(several_archives_with_folders_in_them_are_refused) {
  ScannedSource source;
  source.add("a.tar", make_tar({{"cat/1.jpg", ""}}));
  source.add("b.tar", make_tar({{"1.jpg", ""}}));
  BOOST_CHECK_EXCEPTION(source.scan(), Error, [&](const Error& error) {
    BOOST_TEST(tests::contains(error.what(),
                               "found " + (source.root() / "a.tar").string() + ": a/cat/1.jpg"));
    return error.hint() == "convert the archives one at a time";
  });
}

BOOST_AUTO_TEST_CASE(equal_names_with_different_ends_are_kept_apart) {
  ScannedSource source;
  source.add("a.tar", make_tar({{"1.jpg", "plain"}}));
  source.add("a.tar.gz", tests::gzipped(make_tar({{"1.jpg", "gzip"}})));
  BOOST_TEST(source.scan().pictures.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_archive_without_files_is_refused) {
  ScannedSource source;
  source.add("empty.tar", make_tar({{"cat/", "", '5'}}));
  source.add("unsafe.tar", make_tar({{"../1.jpg", "x"}}));
  for (const char* name : {"empty.tar", "unsafe.tar"}) {
    BOOST_CHECK_EXCEPTION(source.scan(name), Error, [](const Error& error) {
      BOOST_TEST(tests::contains(error.what(), "expected pictures in the archive, found no file"));
      return error.code() == ErrorCode::kInvalidArgument;
    });
  }
}

BOOST_AUTO_TEST_CASE(a_compressed_file_without_an_archive_in_it_says_so) {
  ScannedSource source;
  source.add("x.tar.gz", tests::gzipped("text"));
  BOOST_CHECK_EXCEPTION(source.scan("x.tar.gz"), Error, [](const Error& error) {
    BOOST_TEST(tests::contains(error.what(), "found gzip without a tar archive in it"));
    return true;
  });
}

BOOST_AUTO_TEST_CASE(other_files_beside_archives_are_left_out_and_counted) {
  ScannedSource source;
  const std::string tar = make_tar({{"0.jpg", "picture"}, {"0.cls", "0"}});
  source.add("train/0.tar", tar);
  source.add("train/0.tar.idx", std::string("\0\1\2", 3));
  source.add("train/1.tar.gz", tests::gzipped(tar));
  source.add("README.md", "# Shards");
  source.add("index.json", "{}");
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.description == "WebDataset rows");
  BOOST_TEST(scan.pictures.size() == 2u);
  BOOST_TEST(scan.num_outside == 3u);
  BOOST_REQUIRE(scan.passed_over.size() == 3u);
  BOOST_TEST(scan.passed_over[2].path == "train/0.tar.idx");
  BOOST_TEST(scan.passed_over[2].size_bytes == 3u);
  BOOST_TEST(scan.files.size() == 2u);
}

BOOST_AUTO_TEST_CASE(class_folders_with_a_stray_archive_stay_class_folders) {
  const std::string jpeg = "\xFF\xD8\xFF\xE0 and on";
  const std::string tar = make_tar({{"0.jpg", "picture"}, {"0.cls", "0"}});
  ScannedSource named;
  named.add("cat/1.jpg", jpeg);
  named.add("dog/1.jpg", jpeg);
  named.add("dog/old.tar", tar);
  ScannedSource nameless;  // pictures are told by their bytes
  nameless.add("cat/1", jpeg);
  nameless.add("cat/2.tar", tar);
  nameless.add("dog/1", jpeg);
  nameless.add("dog/2.tar", tar);
  ScannedSource elsewhere;
  elsewhere.add("cat/1.txt", "text");
  elsewhere.add("dog/1.tar", tar);
  for (const ScannedSource* source : {&named, &nameless, &elsewhere}) {
    BOOST_TEST(source->scan().description == "class folders");
  }
  ScannedSource many;
  many.add("a/0.tar", tar);
  for (int i = 0; i < 65; ++i) many.add("a/" + std::to_string(i), "");
  BOOST_TEST(many.scan().description == "class folders");
}

// As it is when what was loaded is kept beside what was unpacked.
BOOST_AUTO_TEST_CASE(batches_with_their_archive_beside_them_are_batches) {
  ScannedSource source;
  source.add("data_batch_1.bin", fixtures::cifar_10_batch(2, 0));
  source.add("cifar-10-binary.tar.gz", tests::gzipped(make_tar({{"cat/1.jpg", ""}})));
  BOOST_TEST(source.scan().description == "CIFAR-10 batches");
}

BOOST_AUTO_TEST_CASE(archives_beside_pictures_and_no_folder_are_refused_with_the_way_out) {
  ScannedSource source;
  source.add("0.tar", make_tar({{"0.jpg", ""}, {"0.cls", "0"}}));
  source.add("preview.jpg", "");
  const std::string archive = (source.root() / "0.tar").string();
  BOOST_CHECK_EXCEPTION(source.scan(), Error, [&](const Error& error) {
    BOOST_TEST(tests::contains(error.what(), "found pictures or more than 64 others beside 0.tar"));
    return error.hint().ends_with("name the archive: penstock convert " + archive + " DATASET");
  });
}

BOOST_AUTO_TEST_CASE(archives_beside_other_files_are_files_like_any) {
  const std::vector<ScannedFile> archives = {{"a.tar", 1}, {"b/c.TAR.GZ", 1}};
  FolderScan scan;
  BOOST_TEST(!holds_archives_only(scan));
  scan.files = archives;
  BOOST_TEST(holds_archives_only(scan));
  scan.files.push_back({"cat/1.jpg", 1});
  BOOST_TEST(!holds_archives_only(scan));
  scan.files = {{".tar", 1}};
  BOOST_TEST(!holds_archives_only(scan));
}

// Somebody writes into the source.
BOOST_AUTO_TEST_CASE(an_archive_that_shrinks_after_it_was_listed_ends_the_conversion) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"cat/1.jpg", "one"}, {"dog/1.jpg", "two"}}));
  const SourceScan scan = source.scan("x.tar");
  std::filesystem::resize_file(source.root() / "x.tar", 600);
  BOOST_CHECK_EXCEPTION(tests::read(scan, "dog/1.jpg"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kIo && error.os_error() == EIO;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
