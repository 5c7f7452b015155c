#include "streamer/read/cache_layout.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "streamer/read/cache_entry.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(cache_layout_of_samples)

BOOST_AUTO_TEST_CASE(forms_are_read_and_named) {
  for (const char* name : {"none", "encoded", "decoded"}) {
    BOOST_TEST(cache_form_name(parse_cache_form(name)) == name);
  }
  BOOST_CHECK_EXCEPTION(parse_cache_form("decode"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "cache: expected none, encoded or decoded, found 'decode'" &&
           error.hint() == "did you mean 'decoded'?";
  });
}

// Sizes by hand: in units of 64 bytes; 1001 x 11 pixels at half scale are 501 x 6.
BOOST_AUTO_TEST_CASE(an_entry_is_the_stored_bytes_or_the_whole_picture_at_its_scale) {
  const StoredInfo info{.length_bytes = 1000, .width_px = 1001, .height_px = 11};
  const DecodeRequest request{.region = {5, 5, 1, 1}, .decode_scale = 2, .channels = 3};
  BOOST_TEST(cache_entry_bytes(CacheForm::kNone, info, request) == 0u);
  BOOST_TEST(cache_entry_bytes(CacheForm::kEncoded, info, request) == 1024u);
  BOOST_TEST(cache_entry_bytes(CacheForm::kDecoded, info, request) == 9024u);  // 501 * 6 * 3 = 9018
}

BOOST_AUTO_TEST_CASE(nothing_to_keep_is_no_cache) {
  BOOST_TEST(cache_layout({}, 1u << 20).total_bytes() == 0u);
  CacheDemand demand;
  demand.add(0);
  BOOST_TEST(cache_layout(demand, 1u << 20).total_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(what_fits_takes_no_more_than_it_needs) {
  CacheDemand demand;
  for (int i = 0; i < 1000; ++i) demand.add(4096);
  const CacheLayout layout = cache_layout(demand, std::uint64_t{1} << 40);
  BOOST_TEST(layout.entries_bytes == 1000u * 4096);
  BOOST_TEST(layout.max_entries == 1000u);
  // 32 bytes a slot, four slots to three entries, in whole pages.
  BOOST_TEST(layout.table_bytes <= 1000 * 32 * 4 / 3 + 2 * 4096);
}

// Whatever the sizes and the room: within the bytes, a search of the table always ends, and a share
// of the dataset is kept that is near the share of the bytes.
BOOST_AUTO_TEST_CASE(any_room_is_divided_within_its_bytes) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    const auto words = Draws({.seed = seed}).block(0);
    const std::uint64_t num_entries = 1 + words[0] % 100'000;
    const std::uint64_t entry_bytes = 64 * (1 + words[1] % 2000);
    const std::uint64_t room = (std::uint64_t{words[2]} << (words[3] % 10)) >> (words[3] % 20);
    const CacheDemand demand{.num_entries = num_entries, .bytes = num_entries * entry_bytes};
    const CacheLayout layout = cache_layout(demand, room);
    BOOST_REQUIRE(layout.total_bytes() <= room);
    if (layout.total_bytes() == 0) {
      BOOST_REQUIRE(room < entry_bytes + 3 * 4096);
      continue;
    }
    BOOST_REQUIRE(layout.max_entries < layout.num_slots);
    BOOST_REQUIRE(layout.num_slots * kCacheSlotBytes <= layout.table_bytes);
    const std::uint64_t num_kept =
        std::min({layout.max_entries, layout.entries_bytes / entry_bytes, num_entries});
    const std::uint64_t num_possible = std::min(room / (entry_bytes + 64), num_entries);
    // The table's own share: at most 86 bytes an entry, and pages begun.
    BOOST_REQUIRE(num_kept * (entry_bytes + 86) + entry_bytes + 4 * 4096 >=
                  num_possible * (entry_bytes + 64));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
