#include "tools/convert/duplicate/print_runs.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "tests/temporary_folder.h"

namespace penstock::convert {
namespace {

struct Fixture {
  // Runs of `num_prints` prints in all, whose digests are few enough to meet.
  std::vector<PrintRun> write(PrintFile& file, std::uint32_t num_prints, std::size_t longest_run) {
    std::vector<PrintRun> runs;
    for (std::uint32_t i = 0; i < num_prints; ++i) {
      ContentPrint print{.digest = {}, .picture_idx = i};
      print.digest[0] = static_cast<std::uint8_t>(random());
      print.digest[15] = static_cast<std::uint8_t>(random() % 3);
      file.add(print);
      all.push_back(print);
      if (file.num_open() > random() % longest_run) runs.push_back(file.end_run());
    }
    runs.push_back(file.end_run());
    return runs;
  }

  tests::TemporaryFolder folder;
  const unsigned seed = std::random_device()();
  std::mt19937 random{seed};
  std::vector<ContentPrint> all;
};

BOOST_FIXTURE_TEST_SUITE(print_runs, Fixture)

// The twin holds all in memory and sorts.
BOOST_AUTO_TEST_CASE(runs_are_merged_as_if_all_were_sorted_at_once) {
  BOOST_TEST_MESSAGE("seed " << seed);
  for (const std::size_t max_runs : {2u, 3u, 64u}) {
    all.clear();
    PrintFile file(folder.path(), "prints", 0);
    const std::vector<PrintRun> runs = write(file, 700, 40);
    std::vector<ContentPrint> merged;
    merge_runs(file, runs, folder.path(), {.max_runs = max_runs, .block_bytes = 3 * kPrintBytes},
               [&](const ContentPrint& print) { merged.push_back(print); });
    std::ranges::sort(all);
    BOOST_TEST(runs.size() > 20u);
    BOOST_CHECK_MESSAGE(merged == all, "seed " << seed << ", runs at once " << max_runs);
    BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(groups_are_the_pictures_of_one_digest_without_those_alone) {
  BOOST_TEST_MESSAGE("seed " << seed);
  PrintFile file(folder.path(), "prints", 0);
  const std::vector<PrintRun> runs = write(file, 500, 60);
  std::map<Digest128, std::vector<std::uint32_t>> expected;
  for (const ContentPrint& print : all) expected[print.digest].push_back(print.picture_idx);
  std::erase_if(expected, [](const auto& one) { return one.second.size() < 2; });
  std::vector<std::vector<std::uint32_t>> groups;
  visit_groups(file, runs, folder.path(), {},
               [&](std::vector<std::uint32_t>& group) { groups.push_back(group); });
  BOOST_REQUIRE_MESSAGE(groups.size() == expected.size(), "seed " << seed);
  auto group = groups.begin();
  for (const auto& [digest, members] : expected) {
    BOOST_CHECK_MESSAGE(*group == members, "seed " << seed);
    ++group;
  }
}

BOOST_AUTO_TEST_CASE(a_run_is_known_to_be_what_it_was) {
  PrintRun first;
  PrintRun second;
  {
    PrintFile file(folder.path(), "prints", 0);
    file.add({.digest = {1}, .picture_idx = 7});
    first = file.end_run();
    file.add({.digest = {2}, .picture_idx = 8});
    second = file.end_run();
    file.sync();
  }
  BOOST_TEST(std::filesystem::file_size(folder.path() / "prints") == 2 * kPrintBytes);
  // The second run goes, and something else comes in its place.
  PrintFile file(folder.path(), "prints", first.end_bytes);
  BOOST_TEST(file.is_intact(first));
  BOOST_TEST(!file.is_intact(second));
  file.add({.digest = {3}, .picture_idx = 8});
  file.end_run();
  BOOST_TEST(!file.is_intact(second));
  std::fstream damaged(folder.path() / "prints", std::ios::binary | std::ios::in | std::ios::out);
  damaged.seekp(3);
  damaged.put('\x55');
  damaged.close();
  BOOST_TEST(!file.is_intact(first));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
