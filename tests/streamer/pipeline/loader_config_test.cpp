// Settings that nobody should have typed: refused by name, value and range, before any thread starts.
#include <boost/test/unit_test.hpp>
#include <functional>
#include <limits>
#include <string>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 16};

struct TenSamples {
  tests::TemporaryFolder folder;
  DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(10)).split("train");

  // The message of what making a loader throws.
  std::string refusal(const LoaderConfig& config, ErrorCode code) {
    MemoryBudget budget(64u << 20);
    try {
      Loader(split, config, std::make_shared<ResizeTransform>(), budget);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == code));
      BOOST_TEST(budget.used_bytes() == 0u);
      return error.what();
    }
    return "nothing was refused";
  }
};

BOOST_FIXTURE_TEST_SUITE(loader_config, TenSamples)

BOOST_AUTO_TEST_CASE(every_setting_out_of_its_range_is_named_with_value_and_range) {
  struct Wrong {
    std::function<void(LoaderConfig&)> set;
    std::string message;
  };
  const auto out_of = [](double value) {
    return [=](LoaderConfig& c) { c.max_bad_fraction = value; };
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {[](auto& c) { c.batch.batch = 0; }, "batch: batch: expected 1 to 1048576, found 0"},
           {[](auto& c) { c.batch.batch = UINT32_MAX; },
            "batch: batch: expected 1 to 1048576, found 4294967295"},
           {[](auto& c) { c.batch.height_px = 0; },
            "batch: height_px: expected 1 to 16384, found 0"},
           {[](auto& c) { c.batch.width_px = 16385; },
            "batch: width_px: expected 1 to 16384, found 16385"},
           {[](auto& c) { c.batch.channels = 0; }, "batch: channels: expected 1 or 3, found 0"},
           {[](auto& c) { c.batch.channels = UINT32_MAX; },
            "batch: channels: expected 1 or 3, found 4294967295"},
           {[](auto& c) { c.batch.element = static_cast<ElementType>(4); },
            "batch: element: expected 0 to 3, found 4"},
           {[](auto& c) { c.batch.layout = static_cast<PixelLayout>(255); },
            "batch: layout: expected 0 to 1, found 255"},
           {[](auto& c) { c.batch.label_form = static_cast<LabelForm>(2); },
            "batch: label_form: expected 0 to 1, found 2"},
           {[](auto& c) { c.batch.label_form = LabelForm::kTargets; },
            "batch: num_targets: expected 1 to 1048576, found 0"},
           {[](auto& c) { c.num_readers = UINT32_MAX; },
            "loader: num_readers: expected 0 to 256, found 4294967295"},
           {[](auto& c) { c.num_workers = 257; },
            "loader: num_workers: expected 0 to 256, found 257"},
           {[](auto& c) { c.num_slots = 0; }, "loader: num_slots: expected 2 to 64, found 0"},
           {[](auto& c) { c.num_slots = 65; }, "loader: num_slots: expected 2 to 64, found 65"},
           {[](auto& c) { c.max_run_samples = 0; },
            "loader: max_run_samples: expected 1 to 64, found 0"},
           {[](auto& c) { c.max_run_samples = 65; },
            "loader: max_run_samples: expected 1 to 64, found 65"},
           {[](auto& c) { c.work_bytes = UINT64_MAX; },
            "loader: work_bytes: expected 0 to 281474976710656, found 18446744073709551615"},
           {[](auto& c) { c.first_epoch = 1u << 31; },
            "loader: first_epoch: expected 0 to 2147483647, found 2147483648"},
           {[](auto& c) { c.num_epochs = (1u << 31) + 1; },
            "loader: num_epochs: expected 0 to 2147483648, found 2147483649"},
           {[](auto& c) { c.remainder_of = 8; },
            "loader: remainder_of: expected 0 without drop_remainder, found 8"},
           {[](auto& c) {
              c.drop_remainder = true;
              c.batch.batch = 4;
              c.rank.world = 2;
              c.remainder_of = 12;
            },
            "loader: remainder_of: expected a multiple of the 8 samples of a batch, found 12"},
           {out_of(kNan), "loader: max_bad_fraction: expected 0 to 1, found nan"},
           {out_of(kInfinity), "loader: max_bad_fraction: expected 0 to 1, found inf"},
           {out_of(-0.5), "loader: max_bad_fraction: expected 0 to 1, found -0.500000"},
           {out_of(1e300),
            "loader: max_bad_fraction: expected 0 to 1, found " + std::to_string(1e300)},
           {out_of(1.5), "loader: max_bad_fraction: expected 0 to 1, found 1.500000"}}) {
    LoaderConfig config{.batch = kSpec};
    wrong.set(config);
    BOOST_TEST(refusal(config, ErrorCode::kInvalidArgument) == wrong.message);
  }
}

BOOST_AUTO_TEST_CASE(the_ends_of_the_ranges_are_accepted) {
  for (const auto& set : std::vector<std::function<void(LoaderConfig&)>>{
           [](auto& c) { c.num_readers = 256, c.num_workers = 256; },
           [](auto& c) { c.num_slots = 2, c.max_run_samples = 1, c.max_bad_fraction = 0; },
           [](auto& c) { c.num_slots = 64, c.max_run_samples = 64, c.max_bad_fraction = 1; },
           [](auto& c) { c.first_epoch = (1u << 31) - 1, c.num_epochs = 1u << 31; },
           [](auto& c) {
             c.batch.batch = 1u << 20, c.batch.height_px = c.batch.width_px = 16384;
           }}) {
    LoaderConfig config{.batch = kSpec};
    set(config);
    BOOST_CHECK_NO_THROW(config.validate());
  }
}

BOOST_AUTO_TEST_CASE(
    a_batch_larger_than_the_split_is_delivered_short_or_refused_when_remainders_are_dropped) {
  LoaderConfig config{.batch = kSpec};
  config.batch.batch = 64;
  MemoryBudget budget(64u << 20);
  Loader loader(split, config, std::make_shared<ResizeTransform>(), budget);
  {
    const BatchLease lease = loader.next();
    BOOST_REQUIRE(static_cast<bool>(lease));
    BOOST_TEST(lease->num_valid == 10u);
    BOOST_TEST(lease->ends_epoch);
    for (std::uint32_t i = 0; i < 64; ++i) BOOST_TEST(lease->weights[i] == (i < 10 ? 1.0f : 0.0f));
  }
  BOOST_TEST(!loader.next());

  config.drop_remainder = true;
  BOOST_TEST(refusal(config, ErrorCode::kInvalidArgument) ==
             "loader: split train: expected samples for a batch of 64, found 10 samples");
  config.batch.batch = 8;
  config.remainder_of = 16;
  BOOST_TEST(refusal(config, ErrorCode::kInvalidArgument) ==
             "loader: split train: expected samples for a step of 16, found 10 samples");
}

BOOST_AUTO_TEST_CASE(weights_in_the_loss_that_are_none_are_refused) {
  const auto refused = [&](std::vector<float> weights) {
    LoaderConfig config{.batch = kSpec};
    config.loss_weights = std::make_shared<const std::vector<float>>(std::move(weights));
    return refusal(config, ErrorCode::kInvalidArgument);
  };
  const std::string head = "loader: split train: loss_weights: expected ";
  BOOST_TEST(refused(std::vector<float>(9, 1)) == head + "10 values, found 9");
  BOOST_TEST(refused(std::vector<float>(10, 0)) == head + "one above 0 at least, found only zeros");
  std::vector<float> one(10, 1);
  one[4] = -0.5f;
  BOOST_TEST(refused(one) == head + "finite numbers, 0 or more, found -0.500000");
  one[4] = static_cast<float>(kNan);
  BOOST_TEST(refused(one) == head + "finite numbers, 0 or more, found nan");
}

BOOST_AUTO_TEST_CASE(a_split_without_samples_is_refused) {
  Manifest manifest = read_manifest(folder.path() / "d");
  manifest.splits.push_back(
      {.name = "test", .num_samples = 0, .num_by_class = {0, 0}, .shards = {}});
  write_manifest(folder.path() / "d", manifest);
  MemoryBudget budget(64u << 20);
  BOOST_CHECK_EXCEPTION(
      Loader(Dataset::open(folder.path() / "d").split("test"), {.batch = kSpec},
             std::make_shared<ResizeTransform>(), budget),
      Error, [](const Error& error) {
        BOOST_TEST(error.what() ==
                   std::string("loader: split test: expected samples for a batch of ") +
                       std::to_string(kSpec.batch) + ", found 0 samples");
        BOOST_TEST(error.hint() == "take another split: this one is empty");
        return error.code() == ErrorCode::kInvalidArgument;
      });
}

// In range one by one, absurd together: the arithmetic must not wrap round on its way to the limit.
BOOST_AUTO_TEST_CASE(what_no_machine_holds_is_refused_as_memory) {
  LoaderConfig config{.batch = {.batch = 1u << 20, .height_px = 16384, .width_px = 16384},
                      .num_slots = 64};
  BOOST_TEST(refusal(config, ErrorCode::kOutOfMemory).starts_with("memory limit: "));
  for (const std::uint64_t work_bytes : {std::uint64_t{1}, std::uint64_t{1} << 48}) {
    config = {.batch = kSpec, .work_bytes = work_bytes};
    BOOST_TEST_INFO("work_bytes " << work_bytes);
    BOOST_TEST(refusal(config, ErrorCode::kOutOfMemory).starts_with("memory limit: "));
  }
}

BOOST_AUTO_TEST_CASE(ranks_are_checked_before_anything_is_computed_from_them) {
  LoaderConfig config{.batch = kSpec, .rank = {.index = 0, .world = 0}};  // a divisor
  BOOST_TEST(refusal(config, ErrorCode::kInvalidArgument) ==
             "loader: rank.world: expected 1 to 1048576, found 0");
  config.rank = {.index = 2, .world = 2};
  BOOST_TEST(refusal(config, ErrorCode::kInvalidArgument) ==
             "loader: rank.index: expected 0 to 1, found 2");
}

BOOST_AUTO_TEST_CASE(fewer_targets_than_classes_are_refused) {
  LoaderConfig config{.batch = kSpec};
  config.batch.label_form = LabelForm::kTargets;
  config.batch.num_targets = 1;
  BOOST_TEST(refusal(config, ErrorCode::kInvalidArgument) ==
             "loader: split train: num_targets: expected at least 2, one for each class of the "
             "dataset, found 1");
}

BOOST_AUTO_TEST_CASE(identity_changes_with_every_setting_that_affects_bytes_and_no_other) {
  const ResizeTransform transform;
  const LoaderConfig base{.batch = kSpec};
  const std::string identity = loader_identity(split, base, transform);
  LoaderConfig changed = base;
  changed.num_readers = 7;
  changed.num_slots = 9;
  changed.rank = {1, 4};
  BOOST_TEST(loader_identity(split, changed, transform) == identity);
  for (const auto& change : std::vector<std::function<void(LoaderConfig&)>>{
           [](LoaderConfig& c) { c.seed = 1; }, [](LoaderConfig& c) { c.batch.batch = 9; },
           [](LoaderConfig& c) { c.batch.layout = PixelLayout::kNchw; },
           [](LoaderConfig& c) { c.order = SampleOrder::kSequential; },
           [](LoaderConfig& c) { c.drop_remainder = true; },
           [](LoaderConfig& c) {
             c.loss_weights = std::make_shared<const std::vector<float>>(10, 0.5f);
           },
           [](LoaderConfig& c) { c.drop_remainder = true, c.remainder_of = 2 * c.batch.batch; },
           [](LoaderConfig& c) {
             c.batch.label_form = LabelForm::kTargets, c.batch.num_targets = 2;
           }}) {
    changed = base;
    change(changed);
    BOOST_TEST(loader_identity(split, changed, transform) != identity);
  }
  BOOST_TEST(loader_identity(split, base, ResizeTransform({.decode_scaling = false})) != identity);
}

BOOST_AUTO_TEST_CASE(a_part_that_is_null_is_refused_and_named) {
  MemoryBudget budget(64u << 20);
  const LoaderConfig config{.batch = {.batch = 2, .height_px = 8, .width_px = 8}};
  const auto refused = [](const std::string& name) {
    return [name](const Error& error) {
      BOOST_TEST(error.what() == "loader: " + name + ": expected one, found null");
      return error.code() == ErrorCode::kInvalidArgument;
    };
  };
  BOOST_CHECK_EXCEPTION(Loader(split, config, nullptr, budget), Error, refused("transform"));
  BOOST_CHECK_EXCEPTION(Loader(split, config, std::make_shared<ResizeTransform>(), budget, nullptr),
                        Error, refused("host_memory"));
  BOOST_TEST(budget.used_bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
