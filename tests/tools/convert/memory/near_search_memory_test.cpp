// What find_near_pairs() holds, whatever the pictures; and that a conversion's limit has room for it.
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/temporary_folder.h"
#include "tools/convert/duplicate/near_search.h"
#include "tools/convert/write/convert_memory.h"

namespace penstock::convert {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

struct Fixture {
  // The most that was out while looks were held against each other, less what was out before.
  std::uint64_t peak_bytes(std::uint32_t num_pictures, std::uint64_t random_bits) {
    PictureList pictures;
    PrintFile file(folder.path(), kLooksName, 0);
    std::vector<PrintRun> runs;
    for (std::uint32_t i = 0; i < num_pictures; ++i) {
      pictures.add({.name = std::to_string(i), .split = SplitKind::kTrain});
      file.add(look_print(random() & random_bits, {}, i));
      if (file.num_open() == 5000) runs.push_back(file.end_run());
    }
    runs.push_back(file.end_run());
    const std::size_t before = tests::allocated_bytes().now;
    tests::reset_peak();
    find_near_pairs({.pictures = &pictures,
                     .looks = &file,
                     .runs = runs,
                     .folder = folder.path(),
                     .max_bits = kMaxNearBits,
                     .prints_in_run = kPrintsInRun,
                     .merge = {.max_runs = 8, .block_bytes = 4096}},
                    {}, [](const NearFinding&) {});
    return tests::allocated_bytes().peak - before;
  }

  static constexpr std::size_t kPrintsInRun = 10'000;
  // Two open runs, half as much again where a vector grows; readers; two writers of 80 KiB; the rest.
  static constexpr std::uint64_t kFixedBytes =
      2 * 3 * 20 * 16'384 + 2 * 8 * 4096 + 2 * (80u << 10) + (100u << 10);

  tests::TemporaryFolder folder;
  std::mt19937_64 random{20};
};

BOOST_FIXTURE_TEST_SUITE(near_search_memory, Fixture)

// 17 keys for each, and each key's 20 bytes: 20 MB for the larger number.
BOOST_AUTO_TEST_CASE(it_holds_no_more_for_many_pictures_than_for_few) {
  for (const std::uint32_t num_pictures : {10'000u, 60'000u}) {
    BOOST_TEST(peak_bytes(num_pictures, ~std::uint64_t{0}) <= kFixedBytes);
  }
}

// The worst: all hashes have 16 bits in common. 16 bytes each, and the vector grows by doubling.
BOOST_AUTO_TEST_CASE(pictures_with_a_part_of_their_hash_in_common_are_held_at_once) {
  constexpr std::uint32_t kNumPictures = 6000;
  const std::uint64_t bytes = peak_bytes(kNumPictures, ~std::uint64_t{0xFFFF});
  BOOST_TEST(bytes <= kFixedBytes + 3 * 16 * kNumPictures);
}

// Searched when pictures take nothing any more. 64 blocks of 64 KiB twice, runs of 100,000.
BOOST_AUTO_TEST_CASE(the_least_limit_of_a_list_has_room_for_the_worst) {
  constexpr std::uint64_t kSearchBytes = 2 * 3 * 20 * 131'072 + 2 * 64 * (64u << 10);
  for (const std::uint32_t num_pictures : {1u, 1000u, 300'000u}) {
    SourceScan scan;
    for (std::uint32_t i = 0; i < num_pictures; ++i) {
      scan.pictures.add({.name = "1", .size_bytes = 100, .split = SplitKind::kTrain});
    }
    scan.class_names = {"class"};
    const auto shards = plan_shards(scan.pictures, 0, 64 * kMiB);
    const auto plan = [&](std::uint64_t limit_bytes) {
      return plan_memory(limit_bytes, 1, scan, shards, {}, true);
    };
    try {
      plan(1);
      BOOST_FAIL("one byte was enough");
    } catch (const Error& error) {
      const ConvertMemory memory = plan(std::stoull(error.hint().substr(9)) * kMiB);
      BOOST_TEST(memory.one_picture_bytes >= kSearchBytes + 3 * 16 * num_pictures);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
