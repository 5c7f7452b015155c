#include "tools/convert/source/npy_header.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/tools/convert/source/array_files.h"

namespace penstock::convert {
namespace {

using tests::contains;
using tests::npy_file;
using tests::npy_header;

NpyHeader parse(const std::string& bytes) {
  return parse_npy_header(std::as_bytes(std::span(bytes)), "x.npy");
}

std::string error_of(const std::string& bytes, ErrorCode code) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    BOOST_TEST(!error.hint().empty());
    return error.what();
  }
  return "no error";
}

std::string with_dictionary(const std::string& text, ErrorCode code) {
  return error_of(npy_header(text), code);
}

BOOST_AUTO_TEST_SUITE(npy_header_reading)

// The example of numpy.lib.format, "Format Version 1.0".
BOOST_AUTO_TEST_CASE(the_header_that_numpy_writes_is_read) {
  const std::string bytes =
      npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, 5), }");
  const NpyHeader header = parse(bytes + std::string(480, '\0'));
  BOOST_TEST(header.header_bytes == bytes.size());
  BOOST_TEST((header.form.kind == ElementKind::kFloat));
  BOOST_TEST(header.form.element_bytes == 8u);
  BOOST_TEST(header.form.type_text == "float64");
  BOOST_TEST(header.form.shape == (std::vector<std::uint64_t>{3, 4, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(header.form.row_bytes() == 160u);
}

BOOST_AUTO_TEST_CASE(formats_2_and_3_have_a_longer_length) {
  const std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': (7,), }";
  for (const int major : {2, 3}) {
    const std::string bytes = npy_header(text, major);
    BOOST_TEST(parse(bytes).header_bytes == bytes.size());
    BOOST_TEST(parse(bytes).form.num_rows() == 7u);
  }
  BOOST_TEST(contains(error_of(npy_header(text, 4), ErrorCode::kCorruptData), "found 4.0"));
}

BOOST_AUTO_TEST_CASE(types_of_both_byte_orders_are_told_apart) {
  const auto form = [](const std::string& descr) {
    return parse(npy_file(descr, "(1,)", "")).form;
  };
  BOOST_TEST(!form("<i4").is_big_endian);
  BOOST_TEST(form(">i4").is_big_endian);
  BOOST_TEST((form(">i4").kind == ElementKind::kSigned));
  BOOST_TEST((form("|b1").kind == ElementKind::kUnsigned));
  BOOST_TEST(form("|b1").type_text == "bool");
  BOOST_TEST((form("|S5").kind == ElementKind::kBytes));
  BOOST_TEST(form("|S5").element_bytes == 5u);
  BOOST_TEST((form("<U3").kind == ElementKind::kUnicode));
  BOOST_TEST(form("<U3").element_bytes == 12u);
}

BOOST_AUTO_TEST_CASE(keys_come_in_any_order_with_either_quote_and_python_2_writes_an_l) {
  const NpyHeader header =
      parse(npy_header("{\"shape\": (3L, 2L), \"fortran_order\": False, \"descr\": \"<u2\"}"));
  BOOST_TEST(header.form.shape == (std::vector<std::uint64_t>{3, 2}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(fortran_order_is_taken_where_it_is_the_same_and_refused_where_it_is_not) {
  const auto text = [](const std::string& shape) {
    return "{'descr': '<i8', 'fortran_order': True, 'shape': " + shape + ", }";
  };
  BOOST_TEST(parse(npy_header(text("(5, 1)"))).form.num_rows() == 5u);
  BOOST_TEST(
      contains(with_dictionary(text("(5, 2)"), ErrorCode::kUnsupported), "found Fortran order"));
}

BOOST_AUTO_TEST_CASE(what_is_no_array_of_numbers_or_texts_is_refused_by_name) {
  const auto with_type = [](const std::string& descr) {
    return with_dictionary("{'descr': " + descr + ", 'fortran_order': False, 'shape': (1,), }",
                           ErrorCode::kUnsupported);
  };
  BOOST_TEST(contains(with_type("'|O'"), "found pickled Python objects"));
  BOOST_TEST(contains(with_type("[('a', '<i4'), ('b', '<i4')]"), "structures of several fields"));
  BOOST_TEST(contains(with_type("'<c16'"), "found type '<c16'"));
  BOOST_TEST(contains(with_type("'<M8'"), "found type '<M8'"));
  BOOST_TEST(contains(with_type("'<i3'"), "found type '<i3'"));
  BOOST_TEST(contains(with_dictionary("{'descr': '<i4', 'fortran_order': False, 'shape': (), }",
                                      ErrorCode::kUnsupported),
                      "found a single number"));
}

BOOST_AUTO_TEST_CASE(headers_that_say_something_else_are_damage) {
  const auto damage = [](const std::string& text) {
    return with_dictionary(text, ErrorCode::kCorruptData);
  };
  BOOST_TEST(contains(damage("{'descr': '<i4', 'shape': (1,), }"), "found fewer"));
  BOOST_TEST(
      contains(damage("{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (1,)}"),
               "found it twice"));
  BOOST_TEST(contains(damage("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), 'x': 1}"),
                      "found 'x'"));
  BOOST_TEST(contains(damage("{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}"),
                      "expected a text in quotes"));
  BOOST_TEST(
      contains(damage("{'descr': '<i4', 'fortran_order': 0, 'shape': (1,)}"), "True or False"));
  BOOST_TEST(contains(damage("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}"),
                      "a side from 0"));
  BOOST_TEST(
      contains(damage("{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
               "a side from 0"));
  BOOST_TEST(contains(
      damage("{'descr': '<i4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
      "a size that can be"));
  BOOST_TEST(contains(damage("{'descr': '<i4', 'fortran_order': False, 'shape': (1,)} + 1"),
                      "nothing behind"));
}

BOOST_AUTO_TEST_CASE(a_header_cut_anywhere_is_damage) {
  const std::string whole = npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    error_of(whole.substr(0, length), ErrorCode::kCorruptData);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
