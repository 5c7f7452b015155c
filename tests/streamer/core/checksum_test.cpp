#include "streamer/core/checksum.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(checksum)

// Source: `printf abc | xxhsum -H3` and `-H2` of xxhash 0.8.1 (Debian package xxhash); the empty
// input's values are also in the xxHash specification's sanity tests.
BOOST_AUTO_TEST_CASE(values_equal_those_of_the_xxhsum_program) {
  BOOST_TEST(hex(xxh3_64(std::string_view(""))) == "2d06800538d394c2");
  BOOST_TEST(hex(xxh3_64(std::string_view("abc"))) == "78af5f94892f3950");
  BOOST_TEST(hex(xxh3_128({})) == "99aa06d3014798d86001c324468d497f");
}

BOOST_AUTO_TEST_CASE(pieces_hash_like_the_whole) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>('a' + i % 26);
  StreamHasher hasher;
  for (std::size_t at = 0; at < text.size(); at += 37) {
    hasher.update(std::string_view(text).substr(at, 37));
  }
  BOOST_TEST(hasher.digest_64() == xxh3_64(text));
  BOOST_TEST(hex(hasher.digest_128()) == hex(xxh3_128(std::as_bytes(std::span(text)))));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
