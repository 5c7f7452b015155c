// Holds the dump of FORMAT.md against the writer: what the document shows is what is written.
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

// The dump's rows, as in the document.
std::vector<std::string> dump_of_document() {
  std::ifstream in(PENSTOCK_FORMAT_DOCUMENT);
  BOOST_REQUIRE(in.good());
  std::vector<std::string> rows;
  std::string line;
  while (std::getline(in, line) && line != "<!-- dump -->") {
  }
  std::getline(in, line);
  BOOST_REQUIRE(line == "```");
  while (std::getline(in, line) && line != "```") rows.push_back(line);
  return rows;
}

std::string dump_row(std::size_t at, std::span<const std::byte> bytes) {
  char text[24];
  std::snprintf(text, sizeof text, "%08zx ", at);
  std::string row = text;
  std::string letters;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 8) row += ' ';
    if (i < bytes.size()) {
      const unsigned value = static_cast<unsigned>(bytes[i]);
      std::snprintf(text, sizeof text, " %02x", value);
      row += text;
      letters += value >= 0x20 && value < 0x7F ? static_cast<char>(value) : '.';
    } else {
      row += "   ";
    }
  }
  return row + "  |" + letters + "|";
}

// What `hexdump -C` prints, less the HDF5 library's own bytes.
std::vector<std::string> dump_of(const tests::Bytes& file) {
  constexpr std::size_t kHeaderEnd = 0x1000, kMetadataEnd = 0x4000;
  std::vector<std::string> rows;
  std::span<const std::byte> before;
  for (std::size_t at = 0; at < file.size(); at += 16) {
    if (at == kHeaderEnd) {
      rows.push_back("... bytes 00001000 to 00003fff: metadata written by the HDF5 library ...");
      at = kMetadataEnd;
      before = {};
    }
    const auto row = std::span(file).subspan(at, std::min<std::size_t>(16, file.size() - at));
    if (std::ranges::equal(row, before)) {
      if (rows.back() != "*") rows.push_back("*");
    } else {
      rows.push_back(dump_row(at, row));
    }
    before = row;
  }
  char end[24];
  std::snprintf(end, sizeof end, "%08zx", file.size());
  rows.push_back(end);
  return rows;
}

BOOST_AUTO_TEST_SUITE(format_document)

BOOST_AUTO_TEST_CASE(the_dump_is_what_the_writer_writes) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "smallest.h5";
  ShardWriter writer(
      path, {.split = "train", .class_names = {"red"}, .num_samples = 1, .payload_bytes = 3});
  const std::byte red_pixel[] = {std::byte{255}, std::byte{0}, std::byte{0}};
  writer.add({.encoded = red_pixel,
              .record = {.class_idx = 0, .width_px = 1, .height_px = 1, .codec = 1},
              .name = "red/dot.png"});
  writer.finish();

  const std::vector<std::string> expected = dump_of_document();
  const std::vector<std::string> found = dump_of(tests::read_bytes(path));
  BOOST_TEST(expected.size() > 40u);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
