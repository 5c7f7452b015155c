#include "tools/convert/source/array_labels.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

using tests::contains;
using tests::npy_file;
using namespace std::string_literals;

// "0 2 -1?": the labels of an array in a line, faults with a question mark.
std::string labels_text(const std::string& npy) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "y.npy", npy);
  ArrayStore store({.folder = folder.path()});
  const std::uint32_t array_idx = store.open(folder.path() / "y.npy", "", {});
  std::string text;
  std::uint64_t expected_row = 0;
  read_labels(store, array_idx, {}, [&](std::uint64_t row, const LabelValue& label) {
    BOOST_TEST(row == expected_row++);
    text += text.empty() ? "" : " ";
    if (const auto* number = std::get_if<std::uint32_t>(&label)) text += std::to_string(*number);
    if (const auto* name = std::get_if<std::string>(&label)) text += *name;
    if (const auto* fault = std::get_if<LabelFault>(&label)) text += fault->detail + "?";
  });
  return text;
}

std::string refusal_of(const std::string& npy) {
  try {
    labels_text(npy);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return error.what();
  }
  return "no error";
}

BOOST_AUTO_TEST_SUITE(array_labels)

BOOST_AUTO_TEST_CASE(whole_numbers_of_every_width_and_order_are_read) {
  BOOST_TEST(labels_text(npy_file("|u1", "(3,)", "\x00\x02\xff"s)) == "0 2 255");
  BOOST_TEST(labels_text(npy_file("|i1", "(3,)", "\x00\x02\xff"s)) == "0 2 -1?");
  BOOST_TEST(labels_text(npy_file("<u2", "(2,)", "\x01\x02\x00\x00"s)) == "513 0");
  BOOST_TEST(labels_text(npy_file(">u2", "(2,)", "\x01\x02\x00\x00"s)) == "258 0");
  BOOST_TEST(labels_text(npy_file(">i4", "(2,)", "\x00\x00\x00\x09\xff\xff\xff\xfe"s)) == "9 -2?");
  BOOST_TEST(labels_text(npy_file("<i8", "(2, 1)",
                                  "\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"s)) ==
             "7 -1?");
  BOOST_TEST(labels_text(npy_file("|b1", "(2,)", "\x01\x00"s)) == "1 0");
}

BOOST_AUTO_TEST_CASE(numbers_beyond_the_most_classes_are_no_labels) {
  BOOST_TEST(labels_text(npy_file("<u4", "(2,)", "\xff\xff\x0f\x00\x00\x00\x10\x00"s)) ==
             "1048575 1048576: expected at most 1048575?");
  BOOST_TEST(labels_text(npy_file("<u8", "(1,)", "\xff\xff\xff\xff\xff\xff\xff\xff"s)) ==
             "18446744073709551615: expected at most 1048575?");
}

BOOST_AUTO_TEST_CASE(one_hot_rows_are_the_place_of_their_one) {
  BOOST_TEST(labels_text(npy_file("|u1", "(5, 3)", "\0\0\1\1\0\0\0\0\0\1\1\0\0\2\0"s)) ==
             "2 0 not one-hot: no 1? not one-hot: more than one 1? not one-hot: neither 0 nor 1?");
  // 1.0 is 3F800000, 0.5 is 3F000000, -0.0 is 80000000, a NaN is 7FC00000 (IEEE 754 binary32).
  BOOST_TEST(labels_text(npy_file(">f4", "(3, 2)",
                                  "\x80\0\0\0\x3f\x80\0\0"s + "\x3f\0\0\0\x3f\0\0\0"s +
                                      "\x7f\xc0\0\0\x3f\x80\0\0"s)) ==
             "1 not one-hot: neither 0 nor 1? not one-hot: neither 0 nor 1?");
  BOOST_TEST(labels_text(npy_file("<f2", "(1, 2)", "\0\x3c\0\0"s)) == "0");
  BOOST_TEST(labels_text(npy_file("<f8", "(1, 2)", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0\x3f"s)) ==
             "1");
}

BOOST_AUTO_TEST_CASE(texts_are_class_names_in_utf_8) {
  BOOST_TEST(labels_text(npy_file("|S4", "(3,)", "cat\0dog2\xc3\xa4\xff\0"s)) == "cat dog2 ä\\xff");
  // U+00E4, U+65E5, U+1F408 (a cat) as UCS-4; UTF-8 by RFC 3629
  BOOST_TEST(labels_text(npy_file(
                 "<U2", "(2,)", "\xe4\0\0\0\xe5\x65\0\0"s + "\x08\xf4\x01\0\0\0\0\0"s)) == "ä日 🐈");
  BOOST_TEST(labels_text(npy_file(">U1", "(1,)", "\0\0\0a"s)) == "a");
}

BOOST_AUTO_TEST_CASE(texts_that_are_empty_or_no_unicode_are_faults) {
  BOOST_TEST(labels_text(npy_file("|S2", "(2,)", "\0\0ab"s)) == "? ab");
  BOOST_TEST(labels_text(npy_file("<U1", "(2,)", "\0\xd8\0\0\0\0\x11\0"s)) ==
             "no text of Unicode? no text of Unicode?");
  BOOST_TEST(labels_text(npy_file("|S3", "(2,)", "c\0tcat"s)) == "a label with a zero byte? cat");
}

BOOST_AUTO_TEST_CASE(what_is_no_label_is_refused) {
  BOOST_TEST(contains(refusal_of(npy_file("<f4", "(1,)", "\0\0\0\0"s)),
                      "expected whole numbers, found float32 [1]"));
  BOOST_TEST(contains(refusal_of(npy_file("<i4", "(1, 2, 2)", std::string(16, '\0'))),
                      "expected one label a picture"));
  BOOST_TEST(contains(refusal_of(npy_file("<i4", "(1, 0)", "")), "expected one label a picture"));
}

BOOST_AUTO_TEST_CASE(labels_of_several_pieces_are_all_read) {
  std::string numbers;
  for (int i = 0; i < 600'000; ++i) tests::put_le(numbers, static_cast<std::uint64_t>(i % 7), 8);
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "y.npy", npy_file("<i8", "(600000,)", numbers));
  ArrayStore store({.folder = folder.path()});
  const std::uint32_t array_idx = store.open(folder.path() / "y.npy", "", {});
  std::uint64_t num_right = 0;
  read_labels(store, array_idx, {}, [&](std::uint64_t row, const LabelValue& label) {
    num_right += std::get<std::uint32_t>(label) == row % 7 ? 1 : 0;
  });
  BOOST_TEST(num_right == 600'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
