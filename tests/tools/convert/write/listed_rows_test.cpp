#include "tools/convert/write/listed_rows.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <random>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"

namespace penstock::convert {
namespace {

struct Place {
  explicit Place(const std::vector<std::string>& names) {
    for (const std::string& name : names)
      pictures.add({.name = name, .size_bytes = name.size(), .split = {}});
  }
  std::string list(ListKind kind, const std::vector<ListedRows>& shards, std::uint64_t num_rows,
                   std::vector<QuarantineEntry> others = {}) {
    const std::filesystem::path csv = folder.path() / "list.csv";
    std::filesystem::remove(csv);
    write_list(csv, kind, *rows, shards, num_rows, pictures, std::move(others));
    return read_text_file(csv);
  }

  tests::TemporaryFolder folder;
  PictureList pictures;
  std::unique_ptr<ListedRowsFile> rows = std::make_unique<ListedRowsFile>(folder.path(), 0);
};

BOOST_AUTO_TEST_SUITE(listed_rows)

BOOST_AUTO_TEST_CASE(each_list_has_its_rows_sorted_by_path_with_those_that_no_shard_has) {
  Place place({"b", "a", "d"});
  place.rows->add(ListKind::kQuarantine, 2, ReasonCode::kTruncated, "ends, early\nhere");
  place.rows->add(ListKind::kFixed, 1, ReasonCode::kTooManyPixels, "smaller");
  const ListedRows first = place.rows->end_shard();
  place.rows->add(ListKind::kQuarantine, 0, ReasonCode::kEmptyFile, "");
  const ListedRows second = place.rows->end_shard();
  BOOST_TEST(place.list(ListKind::kQuarantine, {first, second}, 2,
                        {{.path = "e", .reason = ReasonCode::kUnreadable},
                         {.path = "c", .reason = ReasonCode::kSymlink}}) ==
             "path,reason,bytes,detail\nb,empty_file,1,\nc,symlink,0,\n"
             "d,truncated,1,\"ends, early here\"\ne,unreadable,0,\n");
  BOOST_TEST(place.list(ListKind::kFixed, {first, second}, 1) ==
             "path,reason,bytes,detail\na,too_many_pixels,1,smaller\n");
}

// Rows of all lengths, across the blocks in which they are written and read.
BOOST_AUTO_TEST_CASE(very_many_rows_come_back_whole) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  constexpr std::uint32_t kNum = 3000;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < kNum; ++i) names.push_back("p" + std::to_string(10'000 + i));
  Place place(names);
  std::vector<std::string> details(kNum);
  std::vector<std::uint32_t> order(kNum);
  for (std::uint32_t i = 0; i < kNum; ++i) {
    order[i] = i;
    details[i] = std::string(random() % 500, 'x');
  }
  std::shuffle(order.begin(), order.end(), random);
  std::vector<ListedRows> shards;
  for (std::uint32_t i = 0; i < kNum; ++i) {
    place.rows->add(ListKind::kQuarantine, order[i], ReasonCode::kDamaged, details[order[i]]);
    if (i % 1000 == 999) shards.push_back(place.rows->end_shard());
  }
  std::string expected = "path,reason,bytes,detail\n";
  for (std::uint32_t i = 0; i < kNum; ++i) {
    expected += names[i] + ",damaged,6," + details[i] + '\n';
  }
  BOOST_TEST((place.list(ListKind::kQuarantine, shards, kNum) == expected));
}

BOOST_AUTO_TEST_CASE(what_is_gone_on_with_is_kept_and_a_changed_byte_is_seen) {
  Place place({"a", "b"});
  place.rows->add(ListKind::kQuarantine, 0, ReasonCode::kDamaged, "one");
  const ListedRows first = place.rows->end_shard();
  place.rows->add(ListKind::kQuarantine, 1, ReasonCode::kDamaged, "lost");
  place.rows->end_shard();
  place.rows->sync();
  place.rows = std::make_unique<ListedRowsFile>(place.folder.path(), first.end_bytes);
  BOOST_TEST(place.rows->is_intact(first));
  place.rows->add(ListKind::kQuarantine, 1, ReasonCode::kDamaged, "two");
  const ListedRows second = place.rows->end_shard();
  BOOST_TEST(place.list(ListKind::kQuarantine, {first, second}, 2) ==
             "path,reason,bytes,detail\na,damaged,1,one\nb,damaged,1,two\n");

  std::fstream file(place.rows->path(), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(2);
  file.put('x');
  file.close();
  BOOST_TEST(!place.rows->is_intact(first));
  BOOST_TEST(place.rows->is_intact(second));
  BOOST_CHECK_EXCEPTION(place.list(ListKind::kQuarantine, {first, second}, 2), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kCorruptData; });
  // Cut short, and made as long as it was.
  place.rows = std::make_unique<ListedRowsFile>(place.folder.path(), second.begin_bytes);
  place.rows = std::make_unique<ListedRowsFile>(place.folder.path(), second.end_bytes);
  BOOST_TEST(!place.rows->is_intact(second));
}

BOOST_AUTO_TEST_CASE(an_endless_detail_is_cut) {
  Place place({"a"});
  place.rows->add(ListKind::kQuarantine, 0, ReasonCode::kDamaged, std::string(100'000, 'y'));
  const std::string csv = place.list(ListKind::kQuarantine, {place.rows->end_shard()}, 1);
  BOOST_TEST(csv.size() < 3000u);
  BOOST_TEST(csv.find("yyy\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
