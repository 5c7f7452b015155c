#include "tools/convert/duplicate/near_search.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/duplicate/copy_groups.h"

namespace penstock::convert {
namespace {

struct Fixture {
  // Looks around a few centres, so that all distances occur; some equal, some of the same content.
  void make(std::uint32_t num_pictures) {
    std::vector<std::uint64_t> centres(6);
    for (std::uint64_t& centre : centres) centre = random();
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < num_pictures; ++i) names.push_back(std::to_string(i));
    std::ranges::shuffle(names, random);
    for (std::uint32_t i = 0; i < num_pictures; ++i) {
      pictures.add({.name = names[i],
                    .class_idx = static_cast<std::uint32_t>(random() % 3),
                    .split = static_cast<SplitKind>(random() % 3)});
      std::uint64_t look = centres[random() % centres.size()];
      for (auto flips = random() % 9; flips > 0; --flips) look ^= std::uint64_t{1} << random() % 64;
      Digest128 content{};
      content[0] = static_cast<std::uint8_t>(random() % 4);
      looks.push_back(look_print(look, content, i));
      bits.push_back(look);
    }
  }

  std::vector<NearFinding> search(unsigned max_bits, std::size_t prints_in_run,
                                  std::size_t longest_run) {
    PrintFile file(folder.path(), kLooksName, 0);
    std::vector<PrintRun> runs;
    for (const ContentPrint& print : looks) {
      file.add(print);
      if (file.num_open() > random() % longest_run) runs.push_back(file.end_run());
    }
    runs.push_back(file.end_run());
    std::vector<NearFinding> found;
    find_near_pairs({.pictures = &pictures,
                     .looks = &file,
                     .runs = runs,
                     .folder = folder.path(),
                     .max_bits = max_bits,
                     .prints_in_run = prints_in_run,
                     .merge = {.max_runs = 3, .block_bytes = 5 * kPrintBytes}},
                    {}, [&](const NearFinding& finding) { found.push_back(finding); });
    BOOST_TEST(tests::count_entries(folder.path()) == 1u);
    return found;
  }

  // All pairs, by the words of the header.
  std::vector<NearFinding> all_pairs(unsigned max_bits) const {
    std::vector<std::uint32_t> order(pictures.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, [&](auto a, auto b) { return is_earlier_copy(pictures, a, b); });
    std::set<Digest128> contents;
    std::erase_if(order, [&](auto i) { return !contents.insert(looks[i].digest).second; });
    const auto is_first_of_place = [&](std::size_t at) {
      return std::none_of(
          order.begin(), order.begin() + static_cast<std::ptrdiff_t>(at), [&](auto j) {
            return bits[j] == bits[order[at]] && pictures[j].split == pictures[order[at]].split &&
                   pictures[j].class_idx == pictures[order[at]].class_idx;
          });
    };
    std::map<std::pair<std::uint32_t, ReasonCode>, NearFinding> best;
    for (std::size_t at = 0; at < order.size(); ++at) {
      const std::uint32_t i = order[at];
      for (std::size_t before = 0; before < at; ++before) {
        const std::uint32_t j = order[before];
        const unsigned distance_bits = look_distance_bits(bits[i], bits[j]);
        if (distance_bits > (is_first_of_place(at) ? max_bits : 0)) continue;
        if (distance_bits > 0 && !is_first_of_place(before)) continue;
        const auto offer = [&](ReasonCode reason) {
          const NearFinding finding{reason, i, j, distance_bits};
          const auto [place, is_new] = best.insert({{i, reason}, finding});
          if (!is_new && distance_bits < place->second.distance_bits) place->second = finding;
        };
        const bool is_split = pictures[i].split != pictures[j].split;
        const bool is_class = pictures[i].class_idx != pictures[j].class_idx;
        if (is_split) offer(ReasonCode::kNearDuplicateAcrossSplits);
        if (is_class) offer(ReasonCode::kNearDuplicateAcrossClasses);
        if (!is_split && !is_class) offer(ReasonCode::kNearDuplicateWithinClass);
      }
    }
    std::vector<NearFinding> found;
    for (const auto& [key, finding] : best) found.push_back(finding);
    return found;
  }

  tests::TemporaryFolder folder;
  const unsigned seed = std::random_device()();
  std::mt19937_64 random{seed};
  PictureList pictures;
  std::vector<ContentPrint> looks;
  std::vector<std::uint64_t> bits;
};

BOOST_FIXTURE_TEST_SUITE(near_search, Fixture)

BOOST_AUTO_TEST_CASE(what_is_found_is_what_all_pairs_give_for_every_distance) {
  BOOST_TEST_MESSAGE("seed " << seed);
  make(300);
  for (unsigned max_bits = 0; max_bits <= kMaxNearBits; ++max_bits) {
    const std::vector<NearFinding> expected = all_pairs(max_bits);
    BOOST_TEST(!expected.empty());
    for (const auto& [prints_in_run, longest_run] : {std::pair{10'000u, 1000u}, {150u, 30u}}) {
      BOOST_CHECK_MESSAGE(search(max_bits, prints_in_run, longest_run) == expected,
                          "seed " << seed << ", " << max_bits << " bits");
    }
  }
}

// One band alone is the same, but for one bit; or none is.
BOOST_AUTO_TEST_CASE(seven_bits_that_fall_into_all_bands_are_found) {
  for (const std::uint64_t differing : {0x0001'0003'0003'0003u, 0x8000'C000'C000'C000u,
                                        0x0003'0003'0001'8001u, 0x007F'0000'0000'0000u}) {
    pictures = {};
    looks.clear();
    bits = {0x1234'5678'9ABC'DEF0u, 0x1234'5678'9ABC'DEF0u ^ differing};
    for (std::uint32_t i = 0; i < 2; ++i) {
      pictures.add({.name = std::to_string(i), .class_idx = i, .split = SplitKind::kTrain});
      looks.push_back(look_print(bits[i], {}, i));
    }
    BOOST_TEST(search(7, 100, 10).size() == 1u);
    BOOST_TEST(search(6, 100, 10).empty());
  }
}

BOOST_AUTO_TEST_CASE(without_looks_nothing_is_found) {
  BOOST_TEST(search(kNearBits, 100, 10).empty());
}

// Of a conversion that was killed while it searched.
BOOST_AUTO_TEST_CASE(what_a_search_that_was_killed_has_left_changes_nothing) {
  BOOST_TEST_MESSAGE("seed " << seed);
  make(100);
  for (const char* name : {kNearFirstsName, kNearBandName, kNearFoundName, kMergedPrintsName}) {
    tests::write_file(folder.path() / name, std::string(50 * kPrintBytes, '\x55'));
  }
  BOOST_CHECK_MESSAGE(search(kMaxNearBits, 150, 30) == all_pairs(kMaxNearBits), "seed " << seed);
}

BOOST_AUTO_TEST_CASE(it_stops_on_request_and_leaves_nothing_behind) {
  make(20);
  PrintFile file(folder.path(), kLooksName, 0);
  for (const ContentPrint& print : looks) file.add(print);
  const std::vector<PrintRun> runs{file.end_run()};
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_EXCEPTION(
      find_near_pairs(
          {.pictures = &pictures, .looks = &file, .runs = runs, .folder = folder.path()},
          stop.get_token(), [](const NearFinding&) {}),
      Error, [](const Error& error) { return error.code() == ErrorCode::kStopped; });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
