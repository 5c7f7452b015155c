// Runs whose samples weigh more or less in the loss: 80 samples of pets().
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;

struct Fixture : tests::TinyRun {
  std::vector<std::string> names = Dataset::open(tests::pets()).split("train").read_names();

  /// No draws but the order's: a sample's loss depends on the weights alone.
  RunConfig plain() const {
    RunConfig config = TinyRun::config();
    config.augment = augment::AugmentConfig::preset("none");
    config.label_smoothing = 0;  // which brings the weights of all classes into a sample's loss
    config.epochs = 1;
    return config;
  }
  fs::path write(const std::map<std::size_t, float>& weights, float of_others,
                 const char* name = "weights.csv") const {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto given = weights.find(i);
      text += names[i] + "," + std::to_string(given == weights.end() ? of_others : given->second) +
              "\n";
    }
    const fs::path path = folder.path() / name;
    publish_file(path, text);
    return path;
  }
  RunOutcome train(const RunConfig& config) {
    fs::remove_all(config.out);
    return train_run(config, watcher, stop.get_token());
  }
  /// Of the first step of a run whose step is the epoch: the initial weights'.
  double first_loss(RunConfig config, const std::map<std::size_t, float>& weights) {
    config.batch_size = kWholeEpoch;
    config.loss_weights = write(weights, 0);
    return train(config).last->train.totals.loss();
  }
  std::string weights_after(const RunConfig& config) {
    train(config);
    return read_text_file(config.out / kWeightsName);
  }
};

BOOST_FIXTURE_TEST_SUITE(weighted_run, Fixture)

// From the losses of two samples, each weighed alone: (1 a + 3 b) / 4; with class weights that of a cat counts
// twice: (2 a + 3 b) / 5. Within a part of a step as within the whole.
BOOST_AUTO_TEST_CASE(the_loss_is_the_mean_of_weighted_losses) {
  const DatasetSplit split = Dataset::open(tests::pets()).split("train");
  std::size_t cat = 0;
  while (split.record(cat).class_idx != 0) ++cat;
  std::size_t dog = 0;
  while (split.record(dog).class_idx != 1) ++dog;
  RunConfig config = plain();
  const double a = first_loss(config, {{cat, 1.0f}});
  const double b = first_loss(config, {{dog, 1.0f}});
  BOOST_TEST(std::abs(a - b) > 1e-3);
  const auto near = boost::test_tools::tolerance(1e-5);
  for (const std::uint32_t micro_batch : {0u, 20u, 7u}) {
    config.micro_batch = micro_batch;
    config.class_weights.clear();
    BOOST_TEST(first_loss(config, {{cat, 1.0f}, {dog, 3.0f}}) == (a + 3 * b) / 4, near);
    BOOST_TEST(first_loss(config, {{cat, 100.0f}, {dog, 300.0f}}) == (a + 3 * b) / 4, near);
    config.class_weights = {2, 1};
    BOOST_TEST(first_loss(config, {{cat, 1.0f}, {dog, 3.0f}}) == (2 * a + 3 * b) / 5, near);
  }
}

// The loss after the first step says what its gradient was.
BOOST_AUTO_TEST_CASE(parts_of_a_step_add_up_to_it) {
  const auto second_loss = [&](std::uint32_t micro_batch) {
    RunConfig config = plain();
    config.batch_size = kWholeEpoch;
    config.micro_batch = micro_batch;
    config.epochs = 2;
    config.loss_weights = write({{3, 5.0f}, {10, 0.0f}, {11, 0.25f}, {60, 9.0f}}, 1);
    return train(config).last->train.totals.loss();
  };
  const double whole = second_loss(80);
  BOOST_TEST(second_loss(20) == whole, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(second_loss(7) == whole, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(weights_of_1_are_those_of_no_file) {
  for (const double mixup : {0.0, 0.4}) {
    RunConfig config = TinyRun::config();
    config.augment.mixup = mixup;
    const std::string without = weights_after(config);
    config.loss_weights = write({}, 1);
    BOOST_TEST((weights_after(config) == without));
    config.loss_weights = write({{5, 2.0f}}, 1);
    BOOST_TEST((weights_after(config) != without));
  }
}

// A picture that cannot be read is a black one that counts nowhere: with a weight of 0 so is the picture itself.
BOOST_AUTO_TEST_CASE(a_sample_of_weight_0_has_no_influence) {
  for (const double mixup : {0.0, 0.4}) {
    RunConfig damaged = TinyRun::config();
    damaged.augment.mixup = mixup;
    damaged.dataset = folder.path() / "damaged";
    fs::remove_all(damaged.dataset);
    fs::copy(tests::pets(), damaged.dataset);
    const fs::path shard = damaged.dataset / "train-00000.h5";
    const std::size_t first_picture = read_text_file(shard).find("\xFF\xD8\xFF");
    BOOST_REQUIRE(first_picture != std::string::npos);
    fixtures::flip_byte(shard, first_picture + 400);
    const std::string expected = weights_after(damaged);
    const std::string skipped = read_text_file(out / kSkippedName);
    std::size_t lost = 0;
    while (lost < names.size() && !contains(skipped, "," + names[lost] + ",")) ++lost;
    BOOST_REQUIRE(lost < names.size());

    RunConfig whole = damaged;
    whole.dataset = tests::pets();
    whole.loss_weights = write({{lost, 0.0f}}, 1);
    BOOST_TEST((weights_after(whole) == expected));
    whole.loss_weights = write({{lost, 0.5f}}, 1);
    BOOST_TEST((weights_after(whole) != expected));
  }
}

BOOST_AUTO_TEST_CASE(validation_weighs_nothing) {
  RunConfig config = plain();
  config.optimizer.learning_rate = 1e-30;
  config.optimizer.weight_decay = 0;
  const double expected = train(config).last->validation->totals.loss();
  config.loss_weights = write({{1, 0.0f}}, 7);
  BOOST_TEST(train(config).last->validation->totals.loss() == expected);
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_only_with_the_weights_that_it_began_with) {
  RunConfig config = TinyRun::config();
  config.loss_weights = write({{5, 2.0f}, {6, 0.0f}}, 1);
  config.epochs = 2;
  const auto stop_in_mid_epoch = [&] {
    std::stop_source source;
    watcher = {};
    watcher.at_train_step = [&](const EpochReport&) { source.request_stop(); };
    fs::remove_all(out);
    BOOST_TEST(train_run(config, watcher, source.get_token()).was_stopped);
    watcher = {};
  };
  const auto refusal_of = [&](const RunConfig& given) {
    try {
      train_run(given, watcher, {}, RunStart::kResume);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  stop_in_mid_epoch();
  RunConfig without = config;
  without.loss_weights.clear();
  BOOST_TEST(contains(refusal_of(without), "run.loss_weights: expected weights of XXH3-64 "));
  const std::string text = read_text_file(config.loss_weights);
  write({{5, 2.0f}, {6, 0.5f}}, 1);
  BOOST_TEST(contains(refusal_of(config), "run.loss_weights: expected weights of XXH3-64 "));
  fs::remove(config.loss_weights);
  BOOST_TEST(contains(refusal_of(config), config.loss_weights.native()));
  // Elsewhere and in another form.
  RunConfig moved = config;
  moved.loss_weights = folder.path() / "moved.csv";
  publish_file(moved.loss_weights, "name,weight\n" + names[6] + ",0\n" + names[5] + ",2\n");
  std::vector<std::string> notes;
  watcher.at_start = [&](const RunOverview& overview) {
    notes = overview.resume_notes;
    BOOST_TEST(overview.num_loss_weights == 2u);
  };
  BOOST_TEST(!train_run(moved, watcher, {}, RunStart::kResume).was_stopped);
  BOOST_TEST(contains(notes.at(0), ": continues bit for bit"), notes.at(0));
  const std::string resumed = read_text_file(out / kWeightsName);
  watcher = {};
  publish_file(config.loss_weights, text);
  BOOST_TEST((weights_after(config) == resumed));
}

BOOST_AUTO_TEST_CASE(weights_are_counted_in_the_memory_of_the_run) {
  RunConfig config = plain();
  std::vector<MemoryRow> rows;
  watcher.at_start = [&](const RunOverview& overview) { rows = overview.memory; };
  const auto num_rows = [&] {
    return std::ranges::count_if(rows, [](const MemoryRow& row) {
      return row.what == "weights in the loss" && row.bytes == 4 * 80;
    });
  };
  train(config);
  BOOST_TEST(num_rows() == 0);
  config.loss_weights = write({{1, 0.5f}}, 1);
  train(config);
  BOOST_TEST(num_rows() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
