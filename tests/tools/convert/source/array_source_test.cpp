#include "tools/convert/source/array_source.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/source/any_source.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contains;
using tests::counted_bytes;
using tests::npy_file;
using tests::zip_file;
using namespace std::string_literals;

struct Arrays {
  void write(const std::string& name, const std::string& bytes) const {
    tests::write_file(folder.path() / name, bytes);
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  SourceRequest pair(const std::string& images, const std::string& labels) const {
    return {.arrays = {{path(images), labels.empty() ? "" : path(labels)}},
            .spool = {.folder = folder.path()}};
  }
  SourceRequest file(const std::string& name) const {
    return {.path = path(name), .spool = {.folder = folder.path()}};
  }
  tests::TemporaryFolder folder;
};

SourceScan scan(const SourceRequest& request) {
  return scan_source(request, {});
}

std::string refusal_of(const SourceRequest& request) {
  try {
    scan(request);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kNotFound || !error.hint().empty()));
    return error.what();
  }
  return "no error";
}

std::string bytes_of(const SourceScan& scan, std::size_t i) {
  SourcePicture picture;
  scan.source->read(scan.pictures[i], picture);
  return {reinterpret_cast<const char*>(picture.bytes.data()), picture.bytes.size()};
}

// "x_train/00000:1 ..." of all pictures, with the split where one is given.
std::string list_of(const SourceScan& scan) {
  std::string text;
  for (std::size_t i = 0; i < scan.pictures.size(); ++i) {
    const ListedPicture picture = scan.pictures[i];
    text += (text.empty() ? "" : " ") + std::string(picture.name) + ":" +
            std::to_string(picture.class_idx);
    if (picture.split) text += "/" + std::string(split_name(*picture.split));
  }
  return text;
}

std::string findings_of(const SourceScan& scan) {
  std::string text;
  for (const QuarantineEntry& finding : scan.findings) {
    text += finding.path.substr(finding.path.rfind("/") + 1) + " " +
            std::string(reason_code_name(finding.reason)) + " " + finding.detail + "\n";
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(array_source)

BOOST_AUTO_TEST_CASE(gray_pictures_are_read_row_by_row) {
  const Arrays arrays;
  const std::string pixels = counted_bytes(3 * 4 * 5);
  arrays.write("x.npy", npy_file("|u1", "(3, 4, 5)", pixels));
  arrays.write("y.npy", npy_file("<i4", "(3,)", "\1\0\0\0\0\0\0\0\1\0\0\0"s));
  const SourceScan found = scan(arrays.pair("x.npy", "y.npy"));
  BOOST_TEST(list_of(found) == "x/00000:1 x/00001:0 x/00002:1");
  BOOST_TEST(found.class_names == (std::vector<std::string>{"0", "1"}),
             boost::test_tools::per_element());
  BOOST_TEST(found.files.size() == 2u);
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST((bytes_of(found, i) == pixels.substr(20 * i, 20)));
  SourcePicture picture;
  found.source->read(found.pictures[0], picture);
  BOOST_REQUIRE(picture.raw);
  BOOST_TEST(picture.raw->height_px == 4u);
  BOOST_TEST(picture.raw->width_px == 5u);
  BOOST_TEST(picture.raw->channels == 1u);
}

// Of [1, 3, 1, 2] (channels first) in C order, pixel (y, x) of channel c is element 2 c + x.
BOOST_AUTO_TEST_CASE(channels_first_are_interleaved) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(1, 3, 1, 2)", "\1\2\3\4\5\6"s));
  arrays.write("y.npy", npy_file("|u1", "(1,)", "\0"s));
  BOOST_TEST((bytes_of(scan(arrays.pair("x.npy", "y.npy")), 0) == "\1\3\5\2\4\6"s));
  arrays.write("x.npy", npy_file("|u1", "(1, 1, 2, 3)", "\1\2\3\4\5\6"s));
  SourceRequest request = arrays.pair("x.npy", "y.npy");
  request.channel_axis = ChannelAxis::kLast;
  BOOST_TEST((bytes_of(scan(request), 0) == "\1\2\3\4\5\6"s));
  BOOST_TEST(scan(request).settings.at("channels") == "last");
}

BOOST_AUTO_TEST_CASE(a_file_of_several_arrays_is_found_out_by_their_names) {
  const Arrays arrays;
  const std::string train = npy_file("|u1", "(2, 2, 2)", "abcdefgh");
  const std::string test = npy_file("|u1", "(1, 2, 2)", "ijkl");
  const auto labels = [](const std::string& bytes) {
    return npy_file("|u1", "(" + std::to_string(bytes.size()) + ",)", bytes);
  };
  for (const bool is_deflated : {false, true}) {
    arrays.write(
        "data.npz",
        zip_file({{.name = "x_test.npy", .bytes = test, .is_deflated = is_deflated},
                  {.name = "y_test.npy", .bytes = labels("\2"s), .is_deflated = is_deflated},
                  {.name = "x_train.npy", .bytes = train, .is_deflated = is_deflated},
                  {.name = "y_train.npy", .bytes = labels("\0\1"s), .is_deflated = is_deflated}}));
    const SourceScan found = scan(arrays.file("data.npz"));
    BOOST_TEST(list_of(found) == "x_train/00000:0/train x_train/00001:1/train x_test/00000:2/test");
    BOOST_TEST(bytes_of(found, 1) == "efgh");
    BOOST_TEST(bytes_of(found, 2) == "ijkl");
    BOOST_TEST(findings_of(found) == "");
    const SourceScan named = scan(arrays.pair("data.npz:x_test", "data.npz:y_test"));
    BOOST_TEST(list_of(named) == "x_test/00000:2");
    BOOST_TEST(list_of(scan(arrays.pair("data.npz", ""))) == list_of(found));
  }
  BOOST_TEST(tests::count_entries(arrays.folder.path()) == 1u);  // the spool has no name
}

BOOST_AUTO_TEST_CASE(an_array_of_pictures_without_labels_beside_others_is_listed_and_counted) {
  const Arrays arrays;
  const std::string labels = npy_file("|u1", "(2,)", "\0\1"s);
  for (const bool is_deflated : {false, true}) {
    std::vector<tests::ZipPart> parts = {
        {.name = "x_train.npy", .bytes = npy_file("|u1", "(2, 2, 2)", "abcdefgh")},
        {.name = "y_train.npy", .bytes = labels},
        {.name = "x_test.npy", .bytes = npy_file("|u1", "(6, 30, 40, 3)", counted_bytes(21600))},
        {.name = "x_extra.npy", .bytes = npy_file("|u1", "(1, 2, 2)", "abcd")},
        {.name = "y_extra.npy", .bytes = npy_file("|u1", "(1,)", "\0"s)},
        {.name = "weights.npy", .bytes = npy_file("<f4", "(1, 1, 1)", "abcd")},
        {.name = "features.npy", .bytes = npy_file("|u1", "(2, 4)", "abcdefgh")},
        {.name = "objects.npy", .bytes = npy_file("|O", "(1, 1, 1)", "abcdefgh")}};
    for (tests::ZipPart& part : parts) part.is_deflated = is_deflated;
    arrays.write("data.npz", zip_file(parts));
    const SourceScan found = scan(arrays.file("data.npz"));
    BOOST_TEST(found.pictures.size() == 2u);
    BOOST_TEST(findings_of(found) ==
               "data.npz:x_test image_without_row 6 pictures in an array without labels of a usual "
               "name: name both with --images and --labels\n"
               "data.npz:x_extra image_without_row 1 picture in an array without labels of a usual "
               "name: name both with --images and --labels\n");
    BOOST_TEST(num_pictures_of(found.findings) == 7u);
    BOOST_TEST(found.findings[0].size_bytes == 21600u);
    // Asked for by their names, they are all there is.
    const SourceScan named = scan(arrays.pair("data.npz:x_extra", "data.npz:y_extra"));
    BOOST_TEST(findings_of(named) == "");
  }
}

BOOST_AUTO_TEST_CASE(several_pairs_of_files_tell_their_splits_by_their_names) {
  const Arrays arrays;
  for (const std::string split : {"train", "test"}) {
    arrays.write("x_" + split + ".npy", npy_file("|u1", "(1, 2, 2)", "abcd"));
    arrays.write("y_" + split + ".npy", npy_file("|u1", "(1,)", "\0"s));
  }
  SourceRequest request = arrays.pair("x_train.npy", "y_train.npy");
  BOOST_TEST(list_of(scan(request)) == "x_train/00000:0");  // alone it is all there is
  request.arrays.push_back({arrays.path("x_test.npy"), arrays.path("y_test.npy")});
  BOOST_TEST(list_of(scan(request)) == "x_train/00000:0/train x_test/00000:0/test");
  request.arrays[1].images = request.arrays[0].images;
  BOOST_TEST(list_of(scan(request)) == "x_train/00000:0/train x_train-2/00000:0/train");
}

BOOST_AUTO_TEST_CASE(classes_are_named_by_texts_or_by_a_file) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(3, 2, 2)", counted_bytes(12)));
  arrays.write("y.npy", npy_file("|S3", "(3,)", "dogcatdog"));
  const SourceScan texts = scan(arrays.pair("x.npy", "y.npy"));
  BOOST_TEST(texts.class_names == (std::vector<std::string>{"cat", "dog"}),
             boost::test_tools::per_element());
  BOOST_TEST(list_of(texts) == "x/00000:1 x/00001:0 x/00002:1");
  arrays.write("names.txt", "no\nyes\n");
  SourceRequest request = arrays.pair("x.npy", "y.npy");
  request.class_names_file = arrays.path("names.txt");
  BOOST_TEST(list_of(scan(request)) == list_of(texts));  // renamed behind the scan, as all classes
  arrays.write("y.npy", npy_file("|i1", "(3,)", "\1\2\xff"s));
  const SourceScan numbers = scan(request);
  BOOST_TEST(numbers.class_names == (std::vector<std::string>{"no", "yes"}),
             boost::test_tools::per_element());
  BOOST_TEST(list_of(numbers) == "x/00000:1");
  BOOST_TEST(findings_of(numbers) == "00001 unknown_label 2\n00002 unknown_label -1\n");
}

BOOST_AUTO_TEST_CASE(a_number_beyond_all_classes_is_told_with_the_limit) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(3, 2, 2)", counted_bytes(12)));
  arrays.write("y.npy", npy_file("<i4", "(3,)", "\0\0\0\0\0\xCA\x9A\x3B\xFF\xFF\xFF\xFF"s));
  BOOST_TEST(findings_of(scan(arrays.pair("x.npy", "y.npy"))) ==
             "00001 unknown_label 1000000000: expected at most 1048575\n"
             "00002 unknown_label -1\n");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_label_is_kept_without_one_on_request) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(3, 2, 2)", counted_bytes(12)));
  arrays.write("y.npy", npy_file("|S3", "(3,)", "dog\0\0\0cat"s));
  SourceRequest request = arrays.pair("x.npy", "y.npy");
  BOOST_TEST(findings_of(scan(request)) == "00001 row_without_label \n");
  request.unlabelled = UnlabelledRows::kKept;
  const SourceScan kept = scan(request);
  BOOST_TEST(findings_of(kept) == "");
  BOOST_TEST(list_of(kept) == "x/00000:1 x/00001:4294967295 x/00002:0");  // kUnlabelled, FORMAT.md
}

BOOST_AUTO_TEST_CASE(one_hot_labels_make_as_many_classes_as_columns) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(2, 2, 2)", counted_bytes(8)));
  arrays.write("y.npy", npy_file("|u1", "(2, 4)", "\0\1\0\0\1\0\0\0"s));
  const SourceScan found = scan(arrays.pair("x.npy", "y.npy"));
  BOOST_TEST(found.class_names.size() == 4u);
  BOOST_TEST(list_of(found) == "x/00000:1 x/00001:0");
}

BOOST_AUTO_TEST_CASE(an_array_cut_short_gives_what_is_whole_and_says_so) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(3, 2, 2)", "abcdefghijk"));
  arrays.write("y.npy", npy_file("|u1", "(3,)", "\0\1\0"s));
  const SourceScan found = scan(arrays.pair("x.npy", "y.npy"));
  BOOST_TEST(list_of(found) == "x/00000:0 x/00001:1");
  BOOST_TEST(findings_of(found) == "x.npy archive_truncated 2 of 3 rows\n");
  arrays.write("x.npy", npy_file("|u1", "(3, 2, 2)", "abcdefghijkl"));
  arrays.write("y.npy", npy_file("|u1", "(3,)", "\0"s));
  const SourceScan labels = scan(arrays.pair("x.npy", "y.npy"));
  BOOST_TEST(list_of(labels) == "x/00000:0");
  BOOST_TEST(findings_of(labels) ==
             "y.npy archive_truncated 1 of 3 rows\n"
             "00001 row_without_label this and the 1 behind it\n");
  BOOST_TEST(num_pictures_of(found.findings) == 1u);
  BOOST_TEST(num_pictures_of(labels.findings) == 2u);
}

BOOST_AUTO_TEST_CASE(a_member_whose_checksum_differs_is_named_and_offered_as_unchecked) {
  const Arrays arrays;
  for (const bool is_deflated : {false, true}) {
    arrays.write("d.npz", zip_file({{.name = "x.npy",
                                     .bytes = npy_file("|u1", "(1, 2, 2)", "abcd"),
                                     .is_deflated = is_deflated,
                                     .crc32_change = 4},
                                    {.name = "y.npy", .bytes = npy_file("|u1", "(1,)", "\0"s)}}));
    const SourceScan found = scan(arrays.file("d.npz"));
    BOOST_TEST(list_of(found) == "x/00000:0");
    BOOST_TEST(contains(findings_of(found), "d.npz:x archive_damaged CRC-32: expected "));
    BOOST_TEST(num_pictures_of(found.findings) == 0u);  // each says so itself
    SourcePicture picture;
    found.source->read(found.pictures[0], picture);
    BOOST_TEST(picture.failed_checksum.starts_with("CRC-32: expected "));
  }
}

BOOST_AUTO_TEST_CASE(arrays_that_do_not_fit_are_refused_by_name) {
  const Arrays arrays;
  arrays.write("x.npy", npy_file("|u1", "(2, 2, 2)", "abcdefgh"));
  arrays.write("float.npy", npy_file("<f4", "(2, 2, 2)", std::string(32, '\0')));
  arrays.write("wide.npy", npy_file("<u2", "(2, 2, 2)", std::string(16, '\0')));
  arrays.write("bool.npy", npy_file("|b1", "(2, 2, 2)", std::string(8, '\0')));
  arrays.write("none.npy", npy_file("|u1", "(0, 2, 2)", ""));
  arrays.write("y.npy", npy_file("|u1", "(2,)", "\0\1"s));
  arrays.write("y3.npy", npy_file("|u1", "(3,)", "\0\1\0"s));
  arrays.write("bad.npy", npy_file("|i1", "(2,)", "\xff\xff"s));
  const auto refusal = [&](const std::string& images, const std::string& labels) {
    return refusal_of(arrays.pair(images, labels));
  };
  BOOST_TEST(contains(refusal("float.npy", "y.npy"), "float.npy: expected uint8, found float32"));
  BOOST_TEST(contains(refusal("wide.npy", "y.npy"), "expected uint8, found uint16"));
  BOOST_TEST(contains(refusal("bool.npy", "y.npy"), "expected uint8, found bool"));
  BOOST_TEST(
      contains(refusal("none.npy", "y.npy"), "expected at least one picture, found [0, 2, 2]"));
  BOOST_TEST(
      contains(refusal("x.npy", "y3.npy"), "y3.npy: expected 2 labels, one for each picture of "));
  BOOST_TEST(contains(refusal("x.npy", "bad.npy"), "expected a picture with a label, found none"));
  BOOST_TEST(contains(refusal("x.npy", ""), "expected --labels beside it, found none"));
  BOOST_TEST(contains(refusal("missing.npy", "y.npy"), "missing.npy"));
  BOOST_TEST(
      contains(refusal_of(arrays.file("x.npy")), "expected pictures and labels, found one array"));
  SourceRequest request = arrays.pair("x.npy", "y.npy");
  request.channel_axis = ChannelAxis::kFirst;
  BOOST_TEST(contains(refusal_of(request), "expected four sides, found [2, 2, 2]"));
  arrays.write("o.npz",
               zip_file({{.name = "pixels.npy", .bytes = "x"}, {.name = "y.npy", .bytes = "x"}}));
  BOOST_TEST(contains(refusal_of(arrays.file("o.npz")), "found pixels, y"));
  BOOST_TEST(
      contains(refusal("o.npz:z", "y.npy"), "expected an array called 'z', found pixels, y"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
