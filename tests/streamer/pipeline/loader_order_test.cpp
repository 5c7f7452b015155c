// Orders and resuming through a whole loader; the orders by themselves are tested in
// tests/streamer/order.
#include "streamer/pipeline/loader_order.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/loader_memory.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/drawing_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

constexpr std::uint64_t kBudgetBytes = 256u << 20;
constexpr std::uint64_t kNumSamples = 61;
const BatchSpec kSpec{.batch = 4, .height_px = 8, .width_px = 8, .element = ElementType::kUint8};

constexpr SampleOrder kAllOrders[] = {SampleOrder::kShuffle, SampleOrder::kSequential,
                                      SampleOrder::kWindowed, SampleOrder::kWeighted,
                                      SampleOrder::kClassBalanced};

// What stands at one position of an epoch.
struct Place {
  std::uint64_t sample_id = 0;
  std::uint64_t pixels_xxh3 = 0;
  std::uint32_t class_idx = 0;
  float weight = 0;

  friend bool operator==(const Place&, const Place&) = default;
};
using Places = std::map<std::pair<std::uint32_t, std::uint64_t>, Place>;  // by epoch, position

// 61 raw pictures of 12 KiB, 8 to a shard: a window of 64 KiB holds 5.
struct Fixture {
  Fixture() {
    std::vector<tests::SmallSample> samples;
    for (std::uint64_t i = 0; i < kNumSamples; ++i) {
      samples.push_back(tests::raw_sample(64, 64, i));
      samples.back().record.class_idx = i % 6 == 0 ? 1 : 0;
    }
    split = tests::write_small_dataset(folder.path() / "d", samples, 8).split("train");
  }

  static LoaderConfig config_of(SampleOrder order) {
    LoaderConfig config{.batch = kSpec, .order = order, .seed = 9, .num_epochs = 2};
    config.window_bytes = config.piece_bytes = 64u << 10;
    if (order == SampleOrder::kWeighted) {
      std::vector<float> weights(kNumSamples);
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 4);
      config.sample_weights = std::make_shared<const std::vector<float>>(weights);
    }
    return config;
  }

  // Adds what comes to `places`, each no more than once, until the stream or `num_batches` ends;
  // returns the state after the last.
  LoaderState deliver(const LoaderConfig& config, Places& places,
                      std::uint64_t num_batches = ~std::uint64_t{0}) const {
    MemoryBudget budget(kBudgetBytes);
    Loader loader(split, config, std::make_shared<tests::DrawingTransform>(), budget);
    LoaderState state;
    for (std::uint64_t b = 0; b < num_batches; ++b) {
      const BatchLease lease = loader.next();
      if (!lease) break;
      for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
        const auto pixels = std::span(lease->pixels, kSpec.pixels_bytes())
                                .subspan(i * kSpec.sample_bytes(), kSpec.sample_bytes());
        const Place place{.sample_id = lease->sample_ids[i],
                          .pixels_xxh3 = xxh3_64(pixels),
                          .class_idx = lease->class_idx[i],
                          .weight = lease->weights[i]};
        const auto [at, is_new] = places.insert({{lease->epoch, lease->positions[i]}, place});
        BOOST_REQUIRE_MESSAGE(is_new, "position " << lease->positions[i] << " came twice");
      }
      state = loader.state_after(lease.view());
    }
    return state;
  }

  Places deliver_all(const LoaderConfig& config) const {
    Places places;
    deliver(config, places);
    return places;
  }

  void expect_refused(const LoaderConfig& config, const std::string& message) const {
    MemoryBudget budget(kBudgetBytes);
    BOOST_CHECK_EXCEPTION(
        Loader(split, config, std::make_shared<tests::DrawingTransform>(), budget), Error,
        [&](const Error& error) {
          BOOST_TEST(error.what() == message);
          BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
          return true;
        });
    BOOST_TEST(budget.used_bytes() == 0u);
  }

  tests::TemporaryFolder folder;
  DatasetSplit split;
};

BOOST_FIXTURE_TEST_SUITE(loader_order, Fixture)

BOOST_AUTO_TEST_CASE(a_loader_delivers_the_order_that_it_was_asked_for) {
  for (const SampleOrder order : kAllOrders) {
    BOOST_TEST_INFO(sample_order_name(order));
    const Places places = deliver_all(config_of(order));
    BOOST_REQUIRE(places.size() == 2 * kNumSamples);
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
      std::set<std::uint64_t> ids;
      int num_of_class_1 = 0;
      for (std::uint64_t p = 0; p < kNumSamples; ++p) {
        const Place& place = places.at({epoch, p});
        ids.insert(place.sample_id);
        num_of_class_1 += static_cast<int>(place.class_idx);
        if (order == SampleOrder::kSequential) BOOST_REQUIRE(place.sample_id == p);
        if (order == SampleOrder::kWeighted) BOOST_REQUIRE(place.sample_id % 4 != 0);
      }
      BOOST_TEST((ids.size() == kNumSamples) == !draws_with_replacement(order));
      // 11 of 61 are of class 1; drawn class-balanced, half with a standard deviation of 4.
      BOOST_TEST((num_of_class_1 > 15) == (order == SampleOrder::kClassBalanced));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_windowed_loader_stays_within_a_window_until_it_is_read) {
  LoaderConfig config = config_of(SampleOrder::kWindowed);
  config.piece_bytes = 1u << 20;  // whole shards
  const Places places = deliver_all(config);
  // Windows of 64 KiB hold 5 samples of 12 KiB and lie in one shard of 8 or across two.
  std::uint64_t num_shard_changes = 0;
  for (std::uint64_t p = 1; p < kNumSamples; ++p) {
    num_shard_changes += places.at({0, p}).sample_id / 8 != places.at({0, p - 1}).sample_id / 8;
  }
  // 7 changes between 8 shards, and up to 4 more in each of 7 windows that lie across two. A global
  // shuffle of 8 shards changes at 7 of 8 places: 53 times.
  BOOST_TEST(num_shard_changes >= 7u);
  BOOST_TEST(num_shard_changes <= 35u);
}

// draws.h: seed, epoch and position, and nothing else.
BOOST_AUTO_TEST_CASE(a_place_gets_the_draws_of_its_seed_epoch_and_position) {
  for (const SampleOrder order : kAllOrders) {
    const LoaderConfig config = config_of(order);
    for (const auto& [at, place] : deliver_all(config)) {
      const auto& [epoch, position] = at;
      const std::vector<std::byte> stored = split.sample(place.sample_id).read_bytes();
      const Draws draws({.seed = config.seed, .epoch = epoch, .position = position});
      const auto expected = tests::DrawingTransform::expected(
          kSpec, draws, static_cast<std::uint8_t>(stored.front()));
      BOOST_REQUIRE(place.pixels_xxh3 == xxh3_64(expected));
    }
  }
}

BOOST_AUTO_TEST_CASE(whatever_the_seed_a_stream_cut_into_pieces_is_the_whole_stream) {
  const std::uint64_t test_seed = std::random_device()();
  BOOST_TEST_INFO("test seed " << test_seed);
  std::mt19937_64 random(test_seed);
  const auto one_to = [&](std::uint64_t most) {
    return static_cast<std::uint32_t>(1 + random() % most);
  };
  for (int trial = 0; trial < 40; ++trial) {
    LoaderConfig config = config_of(kAllOrders[random() % std::size(kAllOrders)]);
    config.seed = random();
    config.batch.batch = one_to(9);
    config.drop_remainder = random() % 2 == 0;
    const Places whole = deliver_all(config);
    Places places;
    LoaderConfig rest = config;
    for (LoaderState state; state.epoch < 2; rest.resume_from = state) {
      rest.num_epochs = 2 - state.epoch;
      rest.num_readers = one_to(4);
      rest.num_workers = one_to(3);
      rest.num_slots = 1 + one_to(5);
      rest.max_run_samples = one_to(20);
      const std::size_t before = places.size();
      state = deliver(rest, places, one_to(12));
      if (places.size() == before) break;  // what is left of the epochs is dropped
    }
    BOOST_TEST_INFO("trial " << trial << ", " << sample_order_name(config.order) << ", seed "
                             << config.seed << ", batch " << config.batch.batch);
    BOOST_REQUIRE((places == whole));
  }
}

BOOST_AUTO_TEST_CASE(a_loader_resumed_anywhere_in_any_order_delivers_exactly_the_rest) {
  for (const SampleOrder order : kAllOrders) {
    for (const bool drop : {false, true}) {
      LoaderConfig config = config_of(order);
      config.drop_remainder = drop;
      const Places whole = deliver_all(config);
      const std::uint32_t num_batches = drop ? 30 : 32;  // twice 61 / 4
      for (std::uint32_t stop_after = 1; stop_after <= num_batches; ++stop_after) {
        BOOST_TEST_INFO(sample_order_name(order)
                        << ", drop " << drop << ", stopped after batch " << stop_after);
        Places places;
        const LoaderState state = deliver(config, places, stop_after);
        LoaderConfig rest = config;
        rest.resume_from = loader_state_from_json(to_json(state));
        rest.num_epochs = 2 - state.epoch;
        rest.num_readers = 1 + stop_after % 4;
        rest.num_workers = 1 + stop_after % 3;
        rest.num_slots = 2 + stop_after % 5;
        rest.max_run_samples = 1 + stop_after % 7;
        deliver(rest, places);
        BOOST_REQUIRE((places == whole));
      }
    }
  }
}

// By hand: 61 = 5 x 12 + 1 and 3 x 16 + 13, in which there are three whole batches of 4.
BOOST_AUTO_TEST_CASE(what_is_left_of_steps_of_several_batches_is_left_out_wherever_one_goes_on) {
  for (const auto& [step_samples, num_positions] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{12, 60}, {16, 48}}) {
    for (const SampleOrder order : kAllOrders) {
      LoaderConfig config = config_of(order);
      const Places all = deliver_all(config);
      config.drop_remainder = true;
      config.remainder_of = step_samples;
      const std::uint64_t num_batches = 2 * num_positions / 4;
      for (std::uint64_t stop_after = 1; stop_after <= num_batches; ++stop_after) {
        BOOST_TEST_INFO(sample_order_name(order) << ", stopped after batch " << stop_after);
        Places places;
        LoaderConfig rest = config;
        rest.resume_from = deliver(config, places, stop_after);
        rest.num_epochs = 2 - rest.resume_from->epoch;
        rest.batch.batch = 2;
        deliver(rest, places);
        BOOST_REQUIRE(places.size() == 2 * num_positions);
        for (const auto& [at, place] : places) {
          BOOST_REQUIRE(at.second < num_positions);
          BOOST_REQUIRE((place == all.at(at)));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(three_ranks_then_two_then_five_deliver_what_one_would) {
  for (const SampleOrder order : kAllOrders) {
    LoaderConfig config = config_of(order);
    config.num_epochs = 1;
    const Places whole = deliver_all(config);
    for (const std::uint64_t num_steps : {1u, 2u, 3u}) {
      BOOST_TEST_INFO(sample_order_name(order) << ", " << num_steps << " steps in each world");
      Places places;
      LoaderConfig now = config;
      for (const std::uint32_t world : {3u, 2u, 5u}) {
        const std::uint64_t most = world == 5 ? ~std::uint64_t{0} : num_steps;
        LoaderState state;
        for (std::uint32_t rank = 0; rank < world; ++rank) {
          now.rank = {.index = rank, .world = world};
          const LoaderState of_rank = deliver(now, places, most);
          if (rank > 0) BOOST_REQUIRE((of_rank == state));  // the same on every rank
          state = of_rank;
        }
        now.resume_from = state;
      }
      BOOST_REQUIRE((places == whole));
    }
  }
}

// Bytes of the same draws: those of a sample hang on its position.
BOOST_AUTO_TEST_CASE(batches_of_another_size_deliver_exactly_the_rest) {
  for (const SampleOrder order : kAllOrders) {
    const LoaderConfig config = config_of(order);
    const Places whole = deliver_all(config);
    for (const std::uint32_t batch : {1u, 3u, 8u, 61u}) {
      BOOST_TEST_INFO(sample_order_name(order) << ", batches of " << batch);
      Places places;
      const LoaderState state = deliver(config, places, 7);
      BOOST_REQUIRE(state.next_position == 28u);
      LoaderConfig rest = config;
      rest.resume_from = state;
      rest.batch.batch = batch;
      deliver(rest, places);
      BOOST_REQUIRE((places == whole));
    }
  }
}

BOOST_AUTO_TEST_CASE(values_of_another_type_and_layout_go_on_with_the_samples_that_are_left) {
  LoaderConfig config = config_of(SampleOrder::kShuffle);
  const Places whole = deliver_all(config);
  for (const BatchSpec& spec :
       {BatchSpec{.batch = 4, .height_px = 8, .width_px = 8, .element = ElementType::kFloat32},
        BatchSpec{.batch = 4,
        .height_px = 8,
        .width_px = 8,
        .element = ElementType::kUint8,
        .layout = PixelLayout::kNchw}}) {
    Places taken;
    LoaderConfig rest = config;
    rest.resume_from = deliver(config, taken, 7);
    rest.batch = spec;
    MemoryBudget budget(kBudgetBytes);
    Loader loader(split, rest, std::make_shared<tests::DrawingTransform>(), budget);
    std::uint64_t num_samples = taken.size();
    for (BatchLease lease = loader.next(); lease; lease = loader.next()) {
      for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
        const std::pair at{lease->epoch, lease->positions[i]};
        BOOST_REQUIRE(taken.count(at) == 0u);
        BOOST_TEST(whole.at(at).sample_id == lease->sample_ids[i]);
        ++num_samples;
      }
    }
    BOOST_TEST(num_samples == whole.size());
  }
}

BOOST_AUTO_TEST_CASE(a_state_of_other_settings_is_refused_with_the_difference) {
  Places ignored;
  LoaderConfig config = config_of(SampleOrder::kWindowed);
  const LoaderState state = deliver(config, ignored, 2);
  const auto refused = [&](const std::function<void(LoaderConfig&)>& change,
                           const std::string& difference) {
    LoaderConfig changed = config;
    changed.resume_from = state;
    change(changed);
    expect_refused(changed, "resume loader: " + difference);
  };
  refused([](LoaderConfig& c) { c.seed = 10; }, "seed: expected 10, found 9");
  refused([](LoaderConfig& c) { c.window_bytes = 1u << 20; },
          "window_bytes: expected 1048576, found 65536");
  refused(
      [](LoaderConfig& c) {
        c.batch.height_px = 5;
        c.drop_remainder = true;
      },
      "drop_remainder: expected 1, found 0; height_px: expected 5, found 8");
  refused([](LoaderConfig& c) { c.order = SampleOrder::kShuffle; },
          "order: expected shuffle, found windowed; window_bytes: expected nothing, found 65536; "
          "piece_bytes: expected nothing, found 65536");
  refused([](LoaderConfig& c) { c.resume_from->dataset_id = "another"; },
          "dataset id: expected " + split.dataset_id() + ", found another");
  refused([](LoaderConfig& c) { c.resume_from->next_position = kNumSamples + 1; },
          "position: expected at most 61, found 62");
  const DatasetSplit whole = split;
  split = whole.subset({.class_indices = {1}});
  refused([](LoaderConfig&) {}, "subset: expected classes 1, found nothing");
}

BOOST_AUTO_TEST_CASE(a_subset_is_delivered_in_every_order) {
  const DatasetSplit whole = split;
  split = whole.subset({.class_indices = {1}});
  for (const auto order :
       {SampleOrder::kShuffle, SampleOrder::kWindowed, SampleOrder::kClassBalanced}) {
    BOOST_TEST_INFO(sample_order_name(order));
    LoaderConfig config = config_of(order);
    config.num_epochs = 1;
    const Places places = deliver_all(config);
    BOOST_REQUIRE(places.size() == 11u);
    std::set<std::uint64_t> ids;
    for (const auto& [at, place] : places) {
      BOOST_TEST(place.class_idx == 1u);
      ids.insert(place.sample_id);
    }
    if (!draws_with_replacement(order)) BOOST_TEST(ids.size() == 11u);
    BOOST_TEST(*ids.rbegin() < 11u);
  }
}

BOOST_AUTO_TEST_CASE(an_epoch_with_replacement_is_as_long_as_asked_for) {
  LoaderConfig config = config_of(SampleOrder::kClassBalanced);
  config.num_samples_per_epoch = 150;
  config.num_epochs = 1;
  MemoryBudget budget(kBudgetBytes);
  const Loader loader(split, config, std::make_shared<ResizeTransform>(), budget);
  BOOST_TEST(loader.num_batches_per_epoch() == 38u);  // 150 = 37 * 4 + 2
  BOOST_TEST(deliver_all(config).size() == 150u);
}

BOOST_AUTO_TEST_CASE(tables_of_an_order_and_of_a_subset_count_as_memory) {
  const auto used_bytes = [](const DatasetSplit& of, const LoaderConfig& config) {
    MemoryBudget budget(kBudgetBytes);
    LoaderConfig fixed = config;
    fixed.work_bytes = 1u << 20;
    const Loader loader(of, fixed, std::make_shared<ResizeTransform>(), budget);
    return budget.used_bytes();
  };
  const std::uint64_t shuffled = used_bytes(split, config_of(SampleOrder::kShuffle));
  BOOST_TEST(used_bytes(split, config_of(SampleOrder::kSequential)) == shuffled);
  // 61 weights, two blocks of 12 bytes, one guide more.
  BOOST_TEST(used_bytes(split, config_of(SampleOrder::kWeighted)) == shuffled + 61 * 4 + 28);
  // 61 ids; two classes and the end, twice.
  BOOST_TEST(used_bytes(split, config_of(SampleOrder::kClassBalanced)) == shuffled + 61 * 4 + 48);
  BOOST_TEST(used_bytes(split, config_of(SampleOrder::kWindowed)) ==
             shuffled + loader_order_bytes(split, config_of(SampleOrder::kWindowed)));
  BOOST_TEST(used_bytes(split.subset({.class_indices = {0, 1}}),
                        config_of(SampleOrder::kShuffle)) == shuffled + 61 * 4);
}

BOOST_AUTO_TEST_CASE(order_settings_out_of_range_are_named) {
  const auto refused = [&](SampleOrder order, const std::function<void(LoaderConfig&)>& change,
                           const std::string& message) {
    LoaderConfig config = config_of(order);
    change(config);
    expect_refused(config, "loader: " + message);
  };
  const auto weights = [](std::vector<float> values) {
    return std::make_shared<const std::vector<float>>(std::move(values));
  };
  refused(
      SampleOrder::kWindowed, [](LoaderConfig& c) { c.window_bytes = 0; },
      "window_bytes: expected 65536 to 1125899906842624, found 0");
  refused(
      SampleOrder::kWindowed, [](LoaderConfig& c) { c.window_bytes = ~std::uint64_t{0}; },
      "window_bytes: expected 65536 to 1125899906842624, found 18446744073709551615");
  refused(
      SampleOrder::kWindowed, [](LoaderConfig& c) { c.piece_bytes = 1; },
      "piece_bytes: expected 65536 to 1125899906842624, found 1");
  refused(
      SampleOrder::kWeighted, [](LoaderConfig& c) { c.sample_weights.reset(); },
      "sample_weights: expected a weight for each sample with the order weighted, found none");
  refused(
      SampleOrder::kShuffle,
      [&](LoaderConfig& c) {
        c.sample_weights = weights({1, 2});
      },
      "sample_weights: expected none with the order shuffle, found 2 weights");
  refused(
      SampleOrder::kWeighted,
      [&](LoaderConfig& c) {
        c.sample_weights = weights({1, 2});
      },
      "sample_weights: expected 61 weights, one for each sample of the split, found 2");
  refused(
      SampleOrder::kWeighted,
      [&](LoaderConfig& c) {
        std::vector<float> values(kNumSamples, 1.0f);
        values[60] = NAN;
        c.sample_weights = weights(values);
      },
      "sample_weights: expected finite numbers of at least 0, found nan for sample 60");
  refused(
      SampleOrder::kShuffle, [](LoaderConfig& c) { c.num_samples_per_epoch = 10; },
      "num_samples_per_epoch: expected none with the order shuffle, which takes every sample "
      "once, found 10");
  refused(
      SampleOrder::kClassBalanced, [](LoaderConfig& c) { c.num_samples_per_epoch = 0; },
      "num_samples_per_epoch: expected 1 to 281474976710656, found 0");
  refused(
      static_cast<SampleOrder>(9), [](LoaderConfig&) {}, "order: expected a SampleOrder, found 9");
  refused(
      SampleOrder::kShuffle, [](LoaderConfig& c) { c.first_epoch = 0x80000000u; },
      "first_epoch: expected 0 to 2147483647, found 2147483648");
  refused(
      SampleOrder::kShuffle, [](LoaderConfig& c) { c.num_epochs = 0xFFFFFFFFu; },
      "num_epochs: expected 0 to 2147483648, found 4294967295");
  refused(
      SampleOrder::kShuffle, [](LoaderConfig& c) { c.rank = {.index = 0, .world = 0}; },
      "rank.world: expected 1 to 1048576, found 0");
  refused(
      SampleOrder::kShuffle, [](LoaderConfig& c) { c.rank = {.index = 3, .world = 3}; },
      "rank.index: expected 0 to 2, found 3");
  refused(
      SampleOrder::kShuffle,
      [](LoaderConfig& c) {
        c.drop_remainder = true;
        c.rank = {.index = 0, .world = 16};
      },
      "split train: expected samples for a batch of 4 on each of 16 ranks, found 61 samples");
}

BOOST_AUTO_TEST_CASE(identity_changes_with_every_setting_of_the_order) {
  const auto identity = [](const DatasetSplit& of, const LoaderConfig& config) {
    return loader_identity(of, config, ResizeTransform());
  };
  std::set<std::string> identities;
  for (const SampleOrder order : kAllOrders) {
    identities.insert(identity(split, config_of(order)));
  }
  LoaderConfig config = config_of(SampleOrder::kWindowed);
  config.window_bytes = 1u << 20;
  identities.insert(identity(split, config));
  config.piece_bytes = 1u << 20;
  identities.insert(identity(split, config));
  config = config_of(SampleOrder::kWeighted);
  std::vector<float> weights = *config.sample_weights;
  weights[60] = 5;
  config.sample_weights = std::make_shared<const std::vector<float>>(weights);
  identities.insert(identity(split, config));
  config.num_samples_per_epoch = kNumSamples;
  identities.insert(identity(split, config));
  config = config_of(SampleOrder::kShuffle);
  identities.insert(identity(split.subset({.class_indices = {1}}), config));
  identities.insert(identity(split.subset({.to_fraction = 0.5}), config));
  identities.insert(identity(split.subset({.to_fraction = 0.5, .seed = 1}), config));
  BOOST_TEST(identities.size() == 12u);
  // A window decides nothing in another order.
  config.window_bytes = 1u << 20;
  BOOST_TEST(identities.count(identity(split, config)) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
