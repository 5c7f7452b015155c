#include "streamer/core/checksum.h"

#include <xxhash.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <span>
#include <vector>

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

// The library's functions for any machine, without a look at this one's vectors.
BOOST_AUTO_TEST_CASE(every_length_hashes_as_on_a_machine_without_wide_vectors) {
  std::vector<std::byte> bytes(4096 + 7);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(i * 131 + i / 251);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const std::span<const std::byte> some(bytes.data() + length % 7, length - length % 7);
    XXH128_canonical_t plain_128;
    XXH128_canonicalFromHash(&plain_128, XXH3_128bits(some.data(), some.size()));
    const bool is_same = xxh3_64(some) == XXH3_64bits(some.data(), some.size()) &&
                         xxh3_128(some) == std::bit_cast<Digest128>(plain_128);
    BOOST_REQUIRE_MESSAGE(is_same, length);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
