// Runs from end to end on a few pictures: how they stop, how they fail, what they leave behind.
#include "train/run/session.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <new>
#include <nlohmann/json.hpp>
#include <set>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"
#include "train/run/run_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;
using penstock::tests::contains;
using Json = nlohmann::json;

struct Quiet final : convert::ConvertObserver {
  void notice(const std::string&) override {}
  void progress(const convert::ConvertProgress&) override {}
};

/// 64 pictures of cats and dogs to train on and 16 or so to validate with.
const fs::path& pets() {
  static const penstock::tests::TemporaryFolder folder;
  static const fs::path dataset = [] {
    penstock::tests::write_cats_and_dogs(folder.path() / "pets", 60);
    Quiet quiet;
    convert::convert_folder({.source = folder.path() / "pets",
                             .dataset = folder.path() / "pets.ds",
                             .split = {.validation_fraction = 0.3, .test_fraction = {}, .seed = 0}},
                            quiet, {});
    return folder.path() / "pets.ds";
  }();
  return dataset;
}

/// Does something at the first step or end that a test chooses.
struct Watcher final : RunObserver {
  std::function<void(const RunOverview&)> at_start = [](const RunOverview&) {};
  std::function<void(const EpochReport&)> at_train_step = [](const EpochReport&) {};
  std::function<void(const EpochReport&)> at_validation_step = [](const EpochReport&) {};
  std::function<void(const EpochReport&)> at_epoch = [](const EpochReport&) {};

  void on_start(const RunOverview& overview) override { at_start(overview); }
  void on_train_step(const EpochReport& so_far) override { at_train_step(so_far); }
  void on_validation_step(const EpochReport& done, const PassReport&) override {
    at_validation_step(done);
  }
  void on_epoch(const EpochReport& report) override { at_epoch(report); }
  void on_skipped(const SkippedSample&) override {}
};

constexpr const char* kTinyNet =
    "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";

struct Fixture {
  penstock::tests::TemporaryFolder folder;
  fs::path out = folder.path() / "run";
  Watcher watcher;
  std::stop_source stop;

  RunConfig config() const {
    RunConfig config;
    config.dataset = pets();
    config.out = out;
    config.model = "tiny";
    config.model_layers = kTinyNet;
    config.image_height_px = config.image_width_px = 16;
    config.batch_size = 8;
    config.epochs = 3;
    config.threads = 1;
    config.memory_bytes = 128u << 20;
    return config;
  }
  RunOutcome run() { return train_run(config(), watcher, stop.get_token()); }
  Error failure_of(const RunConfig& given) {
    try {
      train_run(given, watcher, stop.get_token());
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no failure"};
  }
  std::size_t num_metric_lines() const {
    const std::string text = read_text_file(out / kMetricsName);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1;
  }
  Json record() const { return Json::parse(read_text_file(out / kModelRecordName)); }
};

BOOST_FIXTURE_TEST_SUITE(session, Fixture)

/// Two large pictures to train on and two to validate with, about 4 MiB each when decoded.
fs::path large_pets(const fs::path& folder) {
  for (const char* split : {"train", "validation"}) {
    for (const char* pet : {"cat", "dog"}) {
      penstock::tests::write_picture(folder / "pets" / split / pet / "0.jpg",
                                     {.width_px = 1200, .height_px = 1200});
    }
  }
  Quiet quiet;
  convert::convert_folder({.source = folder / "pets", .dataset = folder / "pets.ds"}, quiet, {});
  return folder / "pets.ds";
}

BOOST_AUTO_TEST_CASE(large_pictures_leave_room_for_the_validation_loader) {
  RunConfig large = config();
  large.dataset = large_pets(folder.path());
  large.batch_size = 2;
  large.epochs = 1;
  large.augment.decode_scaling = augment::DecodeScaling::kOff;
  // The training loader alone would take 4 * 5 MiB for samples in flight.
  large.memory_bytes = 24u << 20;
  const RunOutcome outcome = train_run(large, watcher, stop.get_token());
  BOOST_REQUIRE(outcome.last.has_value());
  BOOST_TEST(outcome.last->validation->num_samples == 2u);
  BOOST_TEST(outcome.high_water_bytes <= large.memory_bytes);
}

BOOST_AUTO_TEST_CASE(a_stop_in_validation_keeps_the_figures_of_the_epoch_before) {
  watcher.at_validation_step = [&](const EpochReport& done) {
    if (done.epoch_idx == 1) stop.request_stop();
  };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.num_epochs == 2u);
  BOOST_REQUIRE(outcome.last.has_value());
  BOOST_TEST(outcome.last->epoch_idx == 0u);
  BOOST_TEST(outcome.last->validation.has_value());
  BOOST_REQUIRE(outcome.partial.has_value());
  BOOST_TEST(outcome.partial->epoch_idx == 1u);
  BOOST_TEST(!outcome.partial->train.was_stopped);
  BOOST_TEST(outcome.partial->train.num_samples == outcome.partial->train.num_expected);
  BOOST_TEST(num_metric_lines() == 1u);
  BOOST_TEST(read_text_file(out / kMetricsName).find(",,") == std::string::npos);
  BOOST_TEST(record()["num_epochs"] == 2);
  BOOST_TEST(record()["metrics"]["epoch"] == 1);
  BOOST_TEST(record()["metrics"].contains("validation_loss"));
}

BOOST_AUTO_TEST_CASE(a_stop_in_training_counts_its_steps) {
  watcher.at_train_step = [&](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1 && so_far.train.num_steps == 2) stop.request_stop();
  };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.num_epochs == 1u);
  BOOST_REQUIRE(outcome.partial.has_value());
  BOOST_TEST(outcome.partial->train.was_stopped);
  BOOST_TEST(outcome.partial->train.num_steps == 2u);
  BOOST_TEST(outcome.last->train.num_samples == outcome.last->train.num_expected);
}

BOOST_AUTO_TEST_CASE(a_stop_between_epochs_cuts_nothing_short) {
  watcher.at_epoch = [&](const EpochReport&) { stop.request_stop(); };
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(outcome.num_epochs == 1u);
  BOOST_TEST(!outcome.partial.has_value());
  BOOST_TEST(outcome.last->validation.has_value());
  BOOST_TEST(record()["metrics"].contains("validation_top1"));
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_first_step_leaves_nothing) {
  stop.request_stop();
  const RunOutcome outcome = run();
  BOOST_TEST(outcome.was_stopped);
  BOOST_TEST(!outcome.has_weights);
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_failure_before_the_first_step_leaves_nothing) {
  watcher.at_start = [](const RunOverview&) { throw Error(ErrorCode::kIo, "planted"); };
  BOOST_TEST((failure_of(config()).code() == ErrorCode::kIo));
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_failure_in_the_first_epoch_keeps_the_weights_so_far) {
  watcher.at_train_step = [](const EpochReport&) { throw std::bad_alloc(); };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(!error.hint().empty());
  BOOST_TEST(
      contains(error.what(), "the weights after 0 whole epochs and the steps since are in "));
  BOOST_TEST(load_model(out).record.num_epochs == 0u);
}

// All steps of the epoch have been taken by then.
BOOST_AUTO_TEST_CASE(a_failure_in_validation_keeps_the_weights_of_the_whole_epoch) {
  watcher.at_validation_step = [](const EpochReport& done) {
    if (done.epoch_idx == 1) throw Error(ErrorCode::kIo, "planted");
  };
  const Error error = failure_of(config());
  BOOST_TEST(std::string(error.what()) ==
             "planted; the weights after 2 whole epochs are in " + out.native());
  BOOST_TEST(load_model(out).record.num_epochs == 2u);
}

BOOST_AUTO_TEST_CASE(weights_are_stored_after_every_epoch) {
  std::vector<std::uint64_t> stored;
  watcher.at_epoch = [&](const EpochReport&) {
    stored.push_back(load_model(out).record.num_epochs);
  };
  run();
  BOOST_TEST((stored == std::vector<std::uint64_t>{1, 2, 3}));
}

// What a full disk does: the new weights cannot be written.
BOOST_AUTO_TEST_CASE(weights_that_cannot_be_stored_leave_those_of_the_epoch_before) {
  watcher.at_train_step = [&](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1) fs::create_directories(out / "weights.safetensors.new.tmp" / "x");
  };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kAlreadyExists));
  BOOST_TEST(contains(error.what(), "these weights were not stored ("));
  BOOST_TEST(contains(error.what(), "; those after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

// A folder where model.json shall be stops the second of the two renames.
BOOST_AUTO_TEST_CASE(a_first_save_whose_renames_fail_leaves_nothing_of_the_run) {
  watcher.at_validation_step = [&](const EpochReport&) {
    fs::create_directories(out / kModelRecordName / "x");
  };
  const Error error = failure_of(config());
  BOOST_TEST(contains(error.what(), "these weights were not stored ("));
  BOOST_TEST(penstock::tests::count_entries(out) == 1u);
  BOOST_TEST(fs::is_directory(out / kModelRecordName));
}

BOOST_AUTO_TEST_CASE(metrics_that_cannot_be_written_leave_the_weights) {
  watcher.at_validation_step = [&](const EpochReport&) {
    fs::create_directories(out / "metrics.csv.tmp" / "x");
  };
  const Error error = failure_of(config());
  BOOST_TEST(contains(error.what(), "metrics.csv"));
  BOOST_TEST(contains(error.what(), "; the weights after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

// A second attempt at the weights would meet the folder and tell of it.
BOOST_AUTO_TEST_CASE(weights_that_are_stored_are_not_stored_again) {
  watcher.at_epoch = [&](const EpochReport&) {
    fs::create_directories(out / "weights.safetensors.new.tmp" / "x");
    throw Error(ErrorCode::kIo, "planted");
  };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kIo));
  BOOST_TEST(std::string(error.what()) ==
             "planted; the weights after 1 whole epoch are in " + out.native());
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(a_list_of_skipped_samples_that_cannot_be_written_leaves_the_weights) {
  RunConfig damaged = config();
  damaged.dataset = folder.path() / "damaged";
  fs::copy(pets(), damaged.dataset);
  const fs::path shard = damaged.dataset / "train-00000.h5";
  const std::size_t first_picture = read_text_file(shard).find("\xFF\xD8\xFF");
  BOOST_REQUIRE(first_picture != std::string::npos);
  fixtures::flip_byte(shard, first_picture + 400);
  watcher.at_validation_step = [&](const EpochReport&) {
    fs::create_directories(out / "skipped.csv.tmp" / "x");
  };
  const Error error = failure_of(damaged);
  const std::string what = error.what();
  const std::size_t first = what.find("skipped.csv");
  BOOST_TEST(first != std::string::npos);
  BOOST_TEST(what.find("skipped.csv", first + 15) == std::string::npos);  // told once
  BOOST_TEST(contains(what, "; the weights after 1 whole epoch are in " + out.native()));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(a_failed_allocation_after_an_epoch_leaves_weights_and_metrics) {
  watcher.at_train_step = [](const EpochReport& so_far) {
    if (so_far.epoch_idx == 1) throw std::bad_alloc();
  };
  const Error error = failure_of(config());
  BOOST_TEST((error.code() == ErrorCode::kOutOfMemory));
  BOOST_TEST(contains(
      error.what(), "the weights after 1 whole epoch and the steps since are in " + out.native()));
  BOOST_TEST(num_metric_lines() == 1u);
  BOOST_CHECK_NO_THROW(load_model(out));
}

// Weight decay 1000 at rate 1 multiplies each weight by -999 a step: 3e38 is passed in the second
// epoch of ten steps or so, and not in the first.
BOOST_AUTO_TEST_CASE(a_diverged_run_keeps_the_weights_and_metrics_before) {
  RunConfig wild = config();
  wild.sgd.learning_rate = 1;
  wild.sgd.weight_decay = 1000;
  wild.sgd.momentum = 0;
  wild.sgd.nesterov = false;
  wild.schedule.kind = ScheduleKind::kConstant;
  const Error error = failure_of(wild);
  BOOST_TEST(contains(error.what(), "loss: step "));
  BOOST_TEST(contains(error.what(), "these weights were not stored ("));
  BOOST_TEST(contains(error.what(), "; those after 1 whole epoch are in " + out.native()));
  BOOST_TEST(num_metric_lines() == 1u);
  BOOST_TEST(fs::exists(out / kRunFileName));
  BOOST_TEST(load_model(out).record.num_epochs == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_file_that_cannot_be_written_leaves_no_folder) {
  // The folder's own path fits into PATH_MAX (4096), that of a file in it does not.
  RunConfig deep = config();
  while (deep.out.native().size() < 3900) deep.out /= std::string(100, 'd');
  deep.out /= std::string(4088 - deep.out.native().size(), 'e');
  const Error error = failure_of(deep);
  BOOST_TEST(contains(error.what(), "File name too long"));
  BOOST_TEST(fs::is_empty(folder.path()));  // the parents it made are gone too
}

BOOST_AUTO_TEST_CASE(of_two_runs_into_one_folder_the_second_is_refused) {
  RunFolderGuard first(out);
  first.make_folder();
  {
    RunFolderGuard second(out);
    BOOST_CHECK_EXCEPTION(second.make_folder(), Error, [](const Error& error) {
      return error.code() == ErrorCode::kAlreadyExists;
    });
  }
  BOOST_TEST(fs::exists(out));
}

BOOST_AUTO_TEST_CASE(what_is_not_kept_is_removed_and_what_is_kept_stays) {
  {
    RunFolderGuard guard(out);
    guard.make_folder();
    for (const char* name : {kRunFileName, kMetricsName, kWeightsName, "model.json.new"}) {
      publish_file(out / name, "x");
    }
    guard.keep();
  }
  BOOST_TEST(penstock::tests::count_entries(out) == 4u);
  fs::remove_all(out);
  {
    RunFolderGuard guard(out);
    guard.make_folder();
    for (const char* name : {kRunFileName, kMetricsName, kSkippedName, kWeightsName}) {
      publish_file(out / name, "x");
    }
    publish_file(out / "model.json.new", "x");
    fs::create_directories(out / "checkpoints/000001-step-000000005.tmp");  // a full disk left it
  }
  BOOST_TEST(!fs::exists(out));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_stays_whatever_ends_the_run) {
  {
    RunFolderGuard guard(out);
    guard.make_folder();
    fs::create_directories(out / "checkpoints/000001-step-000000005");
    fs::create_directories(out / "checkpoints/000002-step-000000009.tmp");
  }
  BOOST_TEST(fs::exists(out / "checkpoints/000001-step-000000005"));
  BOOST_TEST(penstock::tests::count_entries(out / "checkpoints") == 1u);
}

BOOST_AUTO_TEST_CASE(a_trailing_slash_is_the_same_folder) {
  RunConfig slashed = config();
  slashed.out = out.native() + "/";
  slashed.epochs = 1;
  train_run(slashed, watcher, stop.get_token());
  BOOST_CHECK_NO_THROW(load_model(out));
}

struct Identified {
  Fixture& fixture;
  std::uint64_t of(const std::function<void(RunConfig&)>& change) const {
    std::uint64_t hash = 0;
    fixture.watcher.at_start = [&](const RunOverview& overview) {
      hash = overview.identity_hash;
      throw Error(ErrorCode::kStopped, "that is all");
    };
    RunConfig config = fixture.config();
    change(config);
    const Error error = fixture.failure_of(config);
    BOOST_REQUIRE_MESSAGE(hash != 0, error.what());
    return hash;
  }
};

// Every setting of run_config.h that decides bytes; then those that must not.
BOOST_AUTO_TEST_CASE(what_decides_the_weights_is_in_the_identity_and_nothing_else) {
  const Identified identity{*this};
  const std::uint64_t base = identity.of([](RunConfig&) {});
  using Change = std::pair<const char*, std::function<void(RunConfig&)>>;
  const std::vector<Change> decisive = {
      {"layers",
       [](RunConfig& c) {
         c.model_layers = "[[layer]]\ntype = \"relu\"\n" + std::string(kTinyNet);
       }},
      {"height", [](RunConfig& c) { c.image_height_px = 24; }},
      {"width", [](RunConfig& c) { c.image_width_px = 24; }},
      {"epochs", [](RunConfig& c) { c.epochs = 4; }},
      {"batch_size", [](RunConfig& c) { c.batch_size = 9; }},
      {"learning_rate", [](RunConfig& c) { c.sgd.learning_rate = 0.2; }},
      {"momentum", [](RunConfig& c) { c.sgd.momentum = 0.8; }},
      {"nesterov", [](RunConfig& c) { c.sgd.nesterov = false; }},
      {"weight_decay", [](RunConfig& c) { c.sgd.weight_decay = 0.1; }},
      {"schedule", [](RunConfig& c) { c.schedule.kind = ScheduleKind::kConstant; }},
      {"warmup_fraction", [](RunConfig& c) { c.schedule.warmup_fraction = 0.25; }},
      {"div_factor", [](RunConfig& c) { c.schedule.div_factor = 20; }},
      {"final_div_factor", [](RunConfig& c) { c.schedule.final_div_factor = 20; }},
      {"label_smoothing", [](RunConfig& c) { c.label_smoothing = 0.2; }},
      {"order", [](RunConfig& c) { c.order = SampleOrder::kSequential; }},
      {"windowed", [](RunConfig& c) { c.order = SampleOrder::kWindowed; }},
      {"window", [](RunConfig& c) { c.order = SampleOrder::kWindowed, c.window_bytes = 1u << 20; }},
      {"seed", [](RunConfig& c) { c.seed = 1; }},
      {"threads", [](RunConfig& c) { c.threads = 2; }},  // sums are split by it
      {"backend", [](RunConfig& c) { c.backend = "reference"; }},
      {"flip", [](RunConfig& c) { c.augment.horizontal_flip = 0.25; }},
      {"width_shift", [](RunConfig& c) { c.augment.width_shift_range = 0.2; }},
      {"height_shift", [](RunConfig& c) { c.augment.height_shift_range = 0.2; }},
      {"zoom.lo", [](RunConfig& c) { c.augment.zoom_range.lo = 0.8; }},
      {"zoom.hi", [](RunConfig& c) { c.augment.zoom_range.hi = 1.2; }},
      {"random_resized_crop", [](RunConfig& c) { c.augment.random_resized_crop = true; }},
      {"random_crop", [](RunConfig& c) { c.augment.random_crop_padding = 4; }},
      {"vertical_flip", [](RunConfig& c) { c.augment.vertical_flip = 0.5; }},
      {"rotation", [](RunConfig& c) { c.augment.rotation_range = 5; }},
      {"shear", [](RunConfig& c) { c.augment.shear_range = 5; }},
      {"center_crop", [](RunConfig& c) { c.augment.center_crop = 0.875; }},
      {"channel_shift", [](RunConfig& c) { c.augment.channel_shift_range = 9; }},
      {"brightness", [](RunConfig& c) { c.augment.brightness_range.hi = 1.2; }},
      {"contrast", [](RunConfig& c) { c.augment.contrast_range.hi = 1.2; }},
      {"saturation", [](RunConfig& c) { c.augment.saturation_range.hi = 1.2; }},
      {"hue", [](RunConfig& c) { c.augment.hue_range = 0.1; }},
      {"random_erasing", [](RunConfig& c) { c.augment.random_erasing = 0.25; }},
      {"auto_augment",
       [](RunConfig& c) { c.augment.auto_augment = augment::AutoAugment::kTrivialAugmentWide; }},
      {"rand_augment",
       [](RunConfig& c) { c.augment.auto_augment = augment::AutoAugment::kRandAugment; }},
      {"rand_augment_ops",
       [](RunConfig& c) {
         c.augment.auto_augment = augment::AutoAugment::kRandAugment,
         c.augment.rand_augment_ops = 3;
       }},
      {"rand_augment_magnitude",
       [](RunConfig& c) {
         c.augment.auto_augment = augment::AutoAugment::kRandAugment;
         c.augment.rand_augment_magnitude = 10;
       }},
      {"erasing scale",
       [](RunConfig& c) {
         c.augment.random_erasing = 0.25, c.augment.random_erasing_scale.lo = 0.1;
       }},
      {"erasing ratio",
       [](RunConfig& c) {
         c.augment.random_erasing = 0.25, c.augment.random_erasing_ratio.hi = 3;
       }},
      {"erasing value",
       [](RunConfig& c) { c.augment.random_erasing = 0.25, c.augment.random_erasing_value = 1; }},
      {"crop scale",
       [](RunConfig& c) {
         c.augment.random_resized_crop = true, c.augment.random_resized_crop_scale.lo = 0.5;
       }},
      {"crop ratio",
       [](RunConfig& c) {
         c.augment.random_resized_crop = true, c.augment.random_resized_crop_ratio.hi = 1.5;
       }},
      {"mixup", [](RunConfig& c) { c.augment.mixup = 0.2; }},
      {"cutmix", [](RunConfig& c) { c.augment.cutmix = 1; }},
      {"cval",
       [](RunConfig& c) {
         c.augment.fill_mode = augment::FillMode::kConstant, c.augment.cval = 9;
       }},
      {"color_mode", [](RunConfig& c) { c.color_mode = ColorMode::kGrayscale; }},
      {"rescale",
       [](RunConfig& c) {
         c.mean = {0.1, 0.2, 0.3}, c.std = {1, 1, 1}, c.augment.rescale = 1;
       }},
      {"fill_mode", [](RunConfig& c) { c.augment.fill_mode = augment::FillMode::kConstant; }},
      {"interpolation",
       [](RunConfig& c) { c.augment.interpolation = augment::Interpolation::kBicubic; }},
      {"decode_scaling",
       [](RunConfig& c) { c.augment.decode_scaling = augment::parse_decode_scaling("off"); }},
      {"mean",
       [](RunConfig& c) {
         c.mean = {0.1, 0.2, 0.3}, c.std = {1, 1, 1};
       }},
      {"std",
       [](RunConfig& c) {
         c.mean = {0.1, 0.2, 0.3}, c.std = {1, 1, 2};
       }},
  };
  std::set<std::uint64_t> seen = {base};
  for (const auto& [name, change] : decisive) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(seen.insert(identity.of(change)).second);
    }
  }
  const std::vector<Change> others = {
      {"loader_threads", [](RunConfig& c) { c.loader_threads = 5; }},
      {"memory", [](RunConfig& c) { c.memory_bytes = 100u << 20; }},
      {"cache", [](RunConfig& c) { c.cache = CacheForm::kDecoded; }},
      {"out", [](RunConfig& c) { c.out += "2"; }},
      {"device", [](RunConfig& c) { c.device = "cpu"; }},
  };
  for (const auto& [name, change] : others) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(identity.of(change) == base);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
