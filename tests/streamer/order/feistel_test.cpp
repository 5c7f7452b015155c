#include "streamer/order/feistel.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(feistel)

std::vector<std::uint64_t> permuted(const Feistel& feistel, Feistel::Domain domain) {
  std::vector<std::uint64_t> values(domain.size);
  for (std::uint64_t i = 0; i < domain.size; ++i) values[i] = feistel.permute(i, domain);
  return values;
}

// From a script in Python that writes Philox, SplitMix64's finaliser and a Feistel network down as
// their papers do, halves changing places every round. Old runs depend on these numbers.
BOOST_AUTO_TEST_CASE(orders_are_those_of_the_papers) {
  using Values = std::vector<std::uint64_t>;
  BOOST_TEST(permuted(Feistel({.seed = 7}), {.size = 10}) == (Values{1, 5, 4, 8, 6, 3, 9, 2, 0, 7}),
             boost::test_tools::per_element());
  BOOST_TEST(permuted(Feistel({.seed = 7, .epoch = 1}), {.size = 10}) ==
                 (Values{9, 2, 3, 7, 0, 1, 5, 6, 4, 8}),
             boost::test_tools::per_element());
  BOOST_TEST(permuted(Feistel({.seed = 7, .stream = Feistel::Stream::kPieces}), {.size = 10}) ==
                 (Values{9, 2, 4, 1, 6, 8, 3, 0, 7, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(permuted(Feistel({.seed = 7, .stream = Feistel::Stream::kWindows}), {.size = 10}) ==
                 (Values{2, 0, 1, 4, 5, 8, 3, 9, 7, 6}),
             boost::test_tools::per_element());
  const Feistel feistel({.seed = 42, .epoch = 3});
  BOOST_TEST(permuted(feistel, {.size = 12}) == (Values{9, 4, 2, 1, 0, 7, 6, 11, 10, 5, 3, 8}),
             boost::test_tools::per_element());
  BOOST_TEST(
      permuted(feistel, {.size = 12, .tweak = 5}) == (Values{1, 2, 11, 7, 9, 10, 8, 6, 3, 5, 4, 0}),
      boost::test_tools::per_element());
  // 21 bits: the halves are of 10 and 11.
  const Feistel large({.seed = std::uint64_t{1} << 40 | 5, .epoch = 9});
  const std::uint64_t places[] = {0, 1, 640'583, 1'281'166};
  const std::uint64_t expected[] = {189'088, 302'045, 973'237, 540'836};
  for (int i = 0; i < 4; ++i) {
    BOOST_TEST(large.permute(places[i], {.size = 1'281'167}) == expected[i]);
  }
}

BOOST_AUTO_TEST_CASE(every_value_comes_exactly_once_for_every_size_stream_and_tweak) {
  for (std::uint64_t size = 1; size <= 130; ++size) {
    for (const auto stream : {Feistel::Stream::kSamples, Feistel::Stream::kPieces}) {
      for (const std::uint64_t tweak : {std::uint64_t{0}, size, ~std::uint64_t{0}}) {
        BOOST_TEST_INFO("seed " << size << ", size " << size << ", tweak " << tweak);
        const Feistel feistel({.seed = size, .epoch = 1, .stream = stream});
        std::vector<int> seen(size, 0);
        for (const std::uint64_t value : permuted(feistel, {.size = size, .tweak = tweak})) {
          BOOST_REQUIRE(value < size);
          ++seen[value];
        }
        BOOST_REQUIRE(seen == std::vector<int>(size, 1));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sizes_near_the_ends_of_64_bits_are_permuted_too) {
  const Feistel feistel({.seed = 1});
  for (const std::uint64_t size : {(std::uint64_t{1} << 48) - 1, ~std::uint64_t{0}}) {
    for (const std::uint64_t value : {std::uint64_t{0}, size / 2, size - 1}) {
      BOOST_TEST(feistel.permute(value, {.size = size}) < size);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
