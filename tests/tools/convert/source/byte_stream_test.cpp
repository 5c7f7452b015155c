#include "tools/convert/source/byte_stream.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/temporary_folder.h"
#include "tests/tools/compressed.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

using tests::compressed;
using tests::gzipped;

struct ReadStream {
  std::string bytes;
  std::optional<ArchiveFault> fault;
};

ReadStream read_all(const std::string& file) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "file", file);
  const auto stream = open_byte_stream(folder.path() / "file");
  ReadStream result;
  for (auto bytes = stream->next(); !bytes.empty(); bytes = stream->next()) {
    result.bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  result.fault = stream->fault();
  return result;
}

// Hard to compress, so that cuts and flips fall into data.
std::string some_bytes(std::size_t num_bytes) {
  std::string bytes;
  std::uint32_t state = 1;
  while (bytes.size() < num_bytes) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes' generator
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

BOOST_AUTO_TEST_SUITE(byte_stream)

BOOST_AUTO_TEST_CASE(every_compression_gives_the_bytes_that_went_in) {
  const std::string bytes = some_bytes(300'000);
  BOOST_CHECK(read_all(bytes).bytes == bytes);
  BOOST_CHECK(read_all(gzipped(bytes)).bytes == bytes);
  for (const char* filter : {"bzip2", "xz", "zstd"}) {
    const ReadStream read = read_all(compressed(bytes, filter));
    BOOST_TEST_CONTEXT(filter) {
      BOOST_CHECK(read.bytes == bytes);
      BOOST_TEST(!read.fault.has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_cut_is_told_and_what_came_before_is_given) {
  const std::string bytes = some_bytes(3'000'000);  // several of bzip2's blocks
  const auto check = [&](const std::string& file, const char* name) {
    const ReadStream read = read_all(file.substr(0, file.size() / 2));
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(read.bytes.size() > bytes.size() / 8);
      BOOST_CHECK(bytes.compare(0, read.bytes.size(), read.bytes) == 0);
      BOOST_REQUIRE(read.fault.has_value());
      BOOST_CHECK(read.fault->reason == ReasonCode::kArchiveTruncated);
    }
  };
  check(gzipped(bytes), "gzip");
  for (const char* filter : {"bzip2", "xz", "zstd"}) check(compressed(bytes, filter), filter);
}

// Deflate's stored blocks hold the bytes as they are: only gzip's checksum sees the bit.
BOOST_AUTO_TEST_CASE(a_flipped_bit_in_gzip_is_seen_by_its_checksum) {
  std::string file = gzipped(some_bytes(1000), 0);
  file[500] = static_cast<char>(file[500] ^ 1);
  const ReadStream read = read_all(file);
  BOOST_REQUIRE(read.fault.has_value());
  BOOST_CHECK(read.fault->reason == ReasonCode::kArchiveDamaged);
  BOOST_TEST(read.fault->detail == "gzip: incorrect data check");  // zlib's words
}

BOOST_AUTO_TEST_CASE(gzip_members_follow_one_another_and_what_is_behind_them_is_left) {
  const ReadStream read = read_all(gzipped("one ") + gzipped("two") + std::string(700, '\0'));
  BOOST_TEST(read.bytes == "one two");
  BOOST_TEST(!read.fault.has_value());
}

BOOST_AUTO_TEST_CASE(the_first_bytes_decide_and_not_the_name) {
  const tests::TemporaryFolder folder;
  tests::write_file(folder.path() / "photos.tar", gzipped("x"));
  tests::write_file(folder.path() / "photos.tar.gz", "plain");
  BOOST_CHECK(compression_of_file(folder.path() / "photos.tar") == Compression::kGzip);
  BOOST_CHECK(compression_of_file(folder.path() / "photos.tar.gz") == Compression::kNone);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
