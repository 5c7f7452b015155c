#include "streamer/order/windowed_order.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <optional>
#include <stop_token>
#include <thread>

#include "streamer/core/draws.h"
#include "tests/streamer/stop_time.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(windowed_order)

std::vector<ShardExtent> random_shards(std::uint64_t seed) {
  std::vector<ShardExtent> shards(1 + seed % 12);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto words = Draws({.seed = seed, .position = i}).block(0);
    shards[i] = {.num_samples = 1 + words[0] % 40, .size_bytes = 1 + words[1] % 5000};
  }
  return shards;
}

std::uint64_t num_samples(const std::vector<ShardExtent>& shards) {
  std::uint64_t sum = 0;
  for (const ShardExtent& shard : shards) sum += shard.num_samples;
  return sum;
}

// The slow twin: every piece and every sample of the row in turn, by the words of the header.
struct Piece {
  std::vector<std::uint64_t> sample_ids;
  std::uint64_t size_bytes = 0;
};

std::vector<Piece> cut_into_pieces(const std::vector<ShardExtent>& shards,
                                   std::uint64_t piece_bytes) {
  std::vector<Piece> pieces;
  std::uint64_t next_id = 0;
  for (const ShardExtent& shard : shards) {
    std::uint64_t count = 1;
    while (count < shard.num_samples && count * piece_bytes < shard.size_bytes) ++count;
    std::uint64_t taken = 0;
    for (std::uint64_t nr = 0; nr < count; ++nr) {
      Piece piece{
          .sample_ids = {},
          .size_bytes = shard.size_bytes * (nr + 1) / count - shard.size_bytes * nr / count};
      for (; taken < shard.num_samples * (nr + 1) / count; ++taken) {
        piece.sample_ids.push_back(next_id++);
      }
      pieces.push_back(piece);
    }
  }
  return pieces;
}

struct RowPlace {
  std::uint64_t sample_id = 0;
  std::uint64_t window = 0;  // numbered over those with samples
};

std::vector<RowPlace> row_slowly(const std::vector<ShardExtent>& shards,
                                 const WindowedOrder::Config& config) {
  const std::vector<Piece> pieces = cut_into_pieces(shards, config.piece_bytes);
  const Feistel order(
      {.seed = config.seed, .epoch = config.epoch, .stream = Feistel::Stream::kPieces});
  const Feistel of_windows(
      {.seed = config.seed, .epoch = config.epoch, .stream = Feistel::Stream::kWindows});
  std::uint64_t total_bytes = 0;
  for (const ShardExtent& shard : shards) total_bytes += shard.size_bytes;
  const bool is_one = config.window_bytes >= total_bytes;
  const std::uint64_t first_bytes =
      is_one ? total_bytes : 1 + of_windows.permute(0, {.size = config.window_bytes});

  std::vector<RowPlace> row;
  std::vector<std::uint64_t> cuts;  // how many there are before a sample, sample by sample
  std::uint64_t piece_bytes = 0;    // where the piece begins
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[order.permute(i, {.size = pieces.size()})];
    const std::uint64_t count = piece.sample_ids.size();
    for (std::uint64_t k = 0; k < count; ++k) {
      // A sample lies before a cut when its end, in bytes of the mean size, does. All times count.
      const std::uint64_t end = piece_bytes * count + (k + 1) * piece.size_bytes;
      std::uint64_t num_cuts = 0;
      for (std::uint64_t cut = first_bytes; cut < total_bytes; cut += config.window_bytes) {
        num_cuts += end > cut * count ? 1 : 0;
      }
      row.push_back({.sample_id = piece.sample_ids[k]});
      cuts.push_back(num_cuts);
    }
    piece_bytes += piece.size_bytes;
  }
  for (std::size_t i = 1; i < row.size(); ++i) {
    row[i].window = row[i - 1].window + (cuts[i] > cuts[i - 1] ? 1 : 0);
  }
  return row;
}

BOOST_AUTO_TEST_CASE(each_window_holds_the_samples_that_the_slow_twin_puts_there) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const std::vector<ShardExtent> shards = random_shards(seed);
    for (const std::uint64_t window_bytes : {1u, 37u, 500u, 4096u, 30'000u, 1'000'000u}) {
      const std::uint64_t piece_bytes = 1 + Draws({.seed = seed}).block(1)[0] % 6000;
      BOOST_TEST_INFO("seed " << seed << ", windows of " << window_bytes << " bytes, pieces of "
                              << piece_bytes);
      const WindowedOrder::Config config{
          .seed = seed, .epoch = 2, .window_bytes = window_bytes, .piece_bytes = piece_bytes};
      const WindowedOrder order(shards, config);
      const std::vector<RowPlace> row = row_slowly(shards, config);
      BOOST_REQUIRE(row.size() == num_samples(shards));
      BOOST_REQUIRE(order.window_begins().size() == row.back().window + 2);
      std::size_t begin = 0;
      while (begin < row.size()) {
        std::size_t end = begin;
        std::vector<std::uint64_t> expected;
        std::vector<std::uint64_t> found;
        for (; end < row.size() && row[end].window == row[begin].window; ++end) {
          expected.push_back(row[end].sample_id);
          found.push_back(order.sample_at(end));
        }
        std::ranges::sort(expected);
        std::ranges::sort(found);
        BOOST_REQUIRE(found == expected);
        begin = end;
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_window_spans_its_bytes_and_only_first_and_last_are_short) {
  // 40 shards of 100 samples of 1000 bytes: every sample is of the mean size.
  const std::vector<ShardExtent> shards(40, {.num_samples = 100, .size_bytes = 100'000});
  for (std::uint32_t epoch = 0; epoch < 20; ++epoch) {
    BOOST_TEST_INFO("epoch " << epoch);
    const WindowedOrder order(
        shards, {.seed = 5, .epoch = epoch, .window_bytes = 250'000, .piece_bytes = 20'000});
    const auto begins = order.window_begins();
    for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
      const std::uint64_t size = begins[i + 1] - begins[i];
      BOOST_TEST(size <= 250u);
      if (i > 0 && i + 2 < begins.size()) BOOST_TEST(size == 250u);
    }
    BOOST_TEST(begins.back() == 4000u);
  }
}

BOOST_AUTO_TEST_CASE(epochs_differ_in_the_order_of_pieces_in_cuts_and_within_windows) {
  const std::vector<ShardExtent> shards(20, {.num_samples = 50, .size_bytes = 50'000});
  const WindowedOrder a(shards,
                        {.seed = 5, .epoch = 0, .window_bytes = 100'000, .piece_bytes = 1'000'000});
  const WindowedOrder b(shards,
                        {.seed = 5, .epoch = 1, .window_bytes = 100'000, .piece_bytes = 1'000'000});
  BOOST_TEST(a.window_begins()[1] != b.window_begins()[1]);
  std::vector<bool> first_shards_a(20, false);
  std::vector<bool> first_shards_b(20, false);
  int num_equal = 0;
  for (std::uint64_t p = 0; p < 1000; ++p) {
    num_equal += a.sample_at(p) == b.sample_at(p);
    if (p < 100) first_shards_a[a.sample_at(p) / 50] = first_shards_b[b.sample_at(p) / 50] = true;
  }
  BOOST_TEST((first_shards_a != first_shards_b));
  BOOST_TEST(num_equal < 20);  // 1 on average for independent orders
}

BOOST_AUTO_TEST_CASE(what_it_holds_is_within_its_price) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    const std::vector<ShardExtent> shards = random_shards(seed);
    for (const std::uint64_t window_bytes : {1u, 500u, 1'000'000u}) {
      for (const std::uint64_t piece_bytes : {1u, 500u, 1'000'000u}) {
        const WindowedOrder::Config config{
            .seed = seed, .window_bytes = window_bytes, .piece_bytes = piece_bytes};
        const WindowedOrder order(shards, config);
        const std::uint64_t num_pieces = cut_into_pieces(shards, piece_bytes).size();
        const std::uint64_t num_numbers =
            order.window_begins().size() + 2 * num_pieces + 1 + 2 * shards.size();
        BOOST_TEST(num_numbers * 8 <= WindowedOrder::price_bytes(shards, config));
      }
    }
  }
}

// Seconds of work each, and tables that are hardly touched when it is stopped.
BOOST_AUTO_TEST_CASE(a_stop_ends_the_making_of_an_order_within_its_pieces_and_their_cuts) {
  const std::vector<ShardExtent> many_pieces{{.num_samples = 1u << 25, .size_bytes = 1u << 25}};
  const std::vector<ShardExtent> many_cuts{{.num_samples = 1000, .size_bytes = 1u << 29}};
  const auto stop_once = [](const std::vector<ShardExtent>& shards,
                            const WindowedOrder::Config& config) {
    tests::DelayedStop stop;
    const auto order = WindowedOrder::make(shards, config, stop.token());
    const double ms = stop.ms();
    BOOST_TEST(!order.has_value());
    return ms;
  };
  tests::check_stops_in_time("the order of many pieces", [&] {
    return stop_once(many_pieces, {.seed = 1, .window_bytes = 1u << 20, .piece_bytes = 1});
  });
  tests::check_stops_in_time("one piece of many windows", [&] {
    return stop_once(many_cuts, {.seed = 1, .window_bytes = 1, .piece_bytes = 1u << 30});
  });
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_making_leaves_nothing_and_none_changes_nothing) {
  const std::vector<ShardExtent> shards = random_shards(7);
  const WindowedOrder::Config config{.seed = 7, .window_bytes = 500, .piece_bytes = 100};
  std::stop_source stop;
  const auto made = WindowedOrder::make(shards, config, stop.get_token());
  BOOST_REQUIRE(made.has_value());
  const WindowedOrder expected(shards, config);
  for (std::uint64_t p = 0; p < num_samples(shards); ++p) {
    BOOST_TEST(made->sample_at(p) == expected.sample_at(p));
  }
  stop.request_stop();
  BOOST_TEST(!WindowedOrder::make(shards, config, stop.get_token()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
