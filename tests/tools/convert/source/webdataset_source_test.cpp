#include "tools/convert/source/webdataset_source.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/tar_maker.h"
#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tests/tools/compressed.h"
#include "tests/tools/convert/source/scanned_source.h"

namespace penstock::convert {
namespace {

using fixtures::make_tar;
using fixtures::TarEntry;
using tests::findings;
using tests::listed;
using tests::ScannedSource;
using Listed = std::map<std::string, std::string>;
using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(webdataset_source)

BOOST_AUTO_TEST_CASE(rows_are_pictures_with_the_index_beside_them) {
  ScannedSource source;
  source.add("000.tar", make_tar({{"a/0.jpg", "picture 0"},
                                  {"a/0.cls", "2\n"},
                                  {"a/1.cls", "0"},
                                  {"a/1.png", "picture 1"},
                                  {"a/2.cls", "1"},
                                  {"a/2.gif", "picture 2"}}));
  const SourceScan scan = source.scan("000.tar");
  BOOST_TEST(scan.description == "WebDataset rows");
  BOOST_CHECK((scan.class_names == Texts{"0", "1", "2"}));
  BOOST_CHECK((listed(scan) == Listed{{"a/0.jpg", "2"}, {"a/1.png", "0"}, {"a/2.gif", "1"}}));
  BOOST_TEST(tests::as_text(tests::read(scan, "a/1.png").bytes) == "picture 1");
  BOOST_TEST(scan.findings.empty());
}

BOOST_AUTO_TEST_CASE(labels_in_words_are_classes_sorted_by_bytes) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"0.jpg", ""},
                                {"0.cls", "zebra"},
                                {"1.jpg", ""},
                                {"1.json", R"({"label": "\u732b", "class": 7})"},
                                {"2.jpg", ""},
                                {"2.json", R"({"class": "Ant"})"}}));
  const SourceScan scan = source.scan("x.tar");
  BOOST_CHECK((scan.class_names == Texts{"Ant", "zebra", "\xE7\x8C\xAB"}));
  BOOST_CHECK(
      (listed(scan) == Listed{{"0.jpg", "zebra"}, {"1.jpg", "\xE7\x8C\xAB"}, {"2.jpg", "Ant"}}));
}

BOOST_AUTO_TEST_CASE(a_json_beside_every_picture_makes_rows_and_beside_some_it_does_not) {
  ScannedSource source;
  source.add("all.tar", make_tar({{"0.jpg", ""}, {"0.json", R"({"cls": 1})"}}));
  source.add("some.tar", make_tar({{"cat/0.jpg", ""}, {"cat/0.json", "{}"}, {"cat/1.jpg", ""}}));
  BOOST_TEST(source.scan("all.tar").description == "WebDataset rows");
  BOOST_TEST(source.scan("some.tar").description == "class folders in an archive");
}

BOOST_AUTO_TEST_CASE(rows_that_are_not_whole_are_named_by_their_key) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"good.jpg", ""},
                                {"good.cls", "0"},
                                {"alone.jpg", "1234"},
                                {"empty.jpg", ""},
                                {"empty.cls", " \n"},
                                {"nojson.jpg", ""},
                                {"nojson.json", "{ broken"},
                                {"nokey.jpg", ""},
                                {"nokey.json", R"({"caption": "x"})"},
                                {"list.jpg", ""},
                                {"list.json", R"({"label": [1]})"},
                                {"label.cls", "3"},
                                {"README.md", "text"}}));
  const SourceScan scan = source.scan("x.tar");
  BOOST_CHECK((listed(scan) == Listed{{"good.jpg", "0"}}));
  const Texts expected = {
      "row_without_image label: a label without a picture",
      "row_without_label alone: neither .cls nor .json beside it",
      "row_without_label empty: its .cls is empty",
      "row_without_label list: 'label' in its .json is no whole number and no text",
      "row_without_label nojson: its .json is no object",
      "row_without_label nokey: its .json has no 'label', 'class' or 'cls'"};
  BOOST_TEST(findings(scan) == expected, boost::test_tools::per_element());
  BOOST_TEST(scan.num_outside == 1u);
}

BOOST_AUTO_TEST_CASE(a_row_of_several_pictures_gives_its_first_and_says_so) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"0.png", "png"},
                                {"0.jpg", "jpg"},
                                {"0.cls", "0"},
                                {"0.seg.png", "no"},
                                {"1.jpg", ""},
                                {"1.cls", "1"}}));
  const SourceScan scan = source.scan("x.tar");
  BOOST_CHECK((listed(scan) == Listed{{"0.jpg", "0"}, {"1.jpg", "1"}}));
  BOOST_TEST(scan.num_outside == 1u);
  BOOST_CHECK((scan.warnings == Texts{"rows of several pictures give their first; left out: 1"}));
}

BOOST_AUTO_TEST_CASE(names_of_archives_give_the_splits_and_keep_equal_keys_apart) {
  ScannedSource source;
  const std::string tar = make_tar({{"0.jpg", ""}, {"0.cls", "0"}});
  source.add("train-000.tar", tar);
  source.add("train-001.tar.gz", tests::gzipped(tar));
  source.add("val/000.tar", tar);
  source.add("more.tar", tar);
  BOOST_CHECK((listed(source.scan()) == Listed{{"more/0.jpg", "0"},
                                               {"train-000/0.jpg", "train:0"},
                                               {"train-001/0.jpg", "train:0"},
                                               {"val/000/0.jpg", "validation:0"}}));
}

BOOST_AUTO_TEST_CASE(class_names_come_from_a_file_and_indices_beyond_it_are_named) {
  ScannedSource source;
  source.add("x.tar",
             make_tar({{"0.jpg", ""}, {"0.cls", "1"}, {"1.jpg", ""}, {"1.cls", "4000000000"}}));
  source.add("names.txt", "cat\ndog\n");
  const SourceScan scan = source.scan("x.tar", {.class_names_file = source.root() / "names.txt"});
  BOOST_CHECK((listed(scan) == Listed{{"0.jpg", "dog"}}));
  BOOST_CHECK((findings(scan) == Texts{"unknown_label 1.jpg: 4000000000"}));
  // Without names, one row cannot ask for four billion classes.
  BOOST_TEST(source.scan("x.tar").class_names.size() == 2u);
}

BOOST_AUTO_TEST_CASE(class_names_for_labels_in_words_are_left_to_whoever_renames_classes) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"0.jpg", ""}, {"0.cls", "cat"}}));
  source.add("names.txt", "cat,feline\n");
  const SourceScan scan = source.scan("x.tar", {.class_names_file = source.root() / "names.txt"});
  BOOST_CHECK((listed(scan) == Listed{{"0.jpg", "cat"}}));
}

BOOST_AUTO_TEST_CASE(pictures_without_a_label_are_kept_where_that_is_asked_for) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"0.jpg", ""}, {"0.cls", "cat"}, {"1.jpg", ""}}));
  const SourceScan scan = source.scan("x.tar", {.unlabelled = UnlabelledRows::kKept});
  BOOST_REQUIRE(scan.pictures.size() == 2u);
  BOOST_TEST(scan.pictures[1].name == "1.jpg");
  BOOST_TEST(scan.pictures[1].class_idx == kUnlabelled);
  BOOST_TEST(scan.findings.empty());
}

BOOST_AUTO_TEST_CASE(of_an_archive_that_is_cut_the_whole_rows_are_offered) {
  ScannedSource source;
  const std::vector<TarEntry> entries = {
      {"0.jpg", "p"}, {"0.cls", "0"}, {"1.jpg", "p"}, {"1.cls", "1"}};
  source.add("train.tar", make_tar(entries).substr(0, 3 * 1024 + 100));
  const SourceScan scan = source.scan("train.tar");
  BOOST_CHECK((listed(scan) == Listed{{"0.jpg", "train:0"}}));
  BOOST_REQUIRE(scan.findings.size() == 2u);
  BOOST_TEST(findings(scan)[0].starts_with("archive_truncated train.tar: "));
  BOOST_TEST(findings(scan)[1] == "row_without_label 1: neither .cls nor .json beside it");
}

BOOST_AUTO_TEST_CASE(an_archive_of_several_that_is_none_is_named_and_the_others_are_read) {
  ScannedSource source;
  source.add("a.tar", make_tar({{"0.jpg", ""}, {"0.cls", "0"}}));
  source.add("b.tar", "no archive at all");
  const SourceScan scan = source.scan();
  BOOST_CHECK((listed(scan) == Listed{{"a/0.jpg", "0"}}));
  BOOST_REQUIRE(scan.findings.size() == 1u);
  BOOST_TEST(findings(scan)[0].starts_with("archive_damaged b.tar: "));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
