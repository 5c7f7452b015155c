#include "train/run/settings/run_file.h"
#include "train/run/settings/idle_settings.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/run_keys.h"

namespace penstock::train {
namespace {

std::string refusal_of(const std::string& text) {
  try {
    parse_run_file(text, "run.toml");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return error.hint().empty() ? error.what() : std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(run_file)

BOOST_AUTO_TEST_CASE(keys_that_are_there_replace_the_defaults_and_no_others) {
  const RunConfig config = parse_run_file(
      "epochs = 5\nlearning_rate = 1\nmemory = \"256M\"\nimage_size = \"64x96\"\n"
      "[augment]\npreset = \"standard\"\nzoom_range = 0.25\n",
      "run.toml");
  BOOST_TEST(config.epochs == 5u);
  BOOST_TEST(config.optimizer.learning_rate == 1.0);
  BOOST_TEST(config.memory_bytes == 268435456u);  // 256 * 2^20
  BOOST_TEST(config.image_height_px == 64u);
  BOOST_TEST(config.image_width_px == 96u);
  BOOST_TEST(config.augment.zoom_range.lo == 0.75);
  BOOST_TEST(config.augment.zoom_range.hi == 1.25);
  BOOST_TEST(config.augment.horizontal_flip == 0.5);
  BOOST_TEST(config.batch_size == 32u);
}

BOOST_AUTO_TEST_CASE(a_wrong_type_names_key_expected_and_found) {
  BOOST_TEST(
      refusal_of("epochs = \"ten\"") ==
      "run: run.toml: epochs: expected a whole number, found the text \"ten\" | epochs = 30");
  BOOST_TEST(refusal_of("epochs = 1.5") ==
             "run: run.toml: epochs: expected a whole number, found the number 1.5 | epochs = 30");
  BOOST_TEST(
      refusal_of("nesterov = 1") ==
      "run: run.toml: nesterov: expected true or false, found the number 1 | nesterov = true");
  BOOST_TEST(refusal_of("model = 3") ==
             "run: run.toml: model: expected a text, found the number 3 | model = \"small_cnn\"");
  BOOST_TEST(refusal_of("model = \"\"") ==
             "run: run.toml: model: expected a name, found none | model = \"small_cnn\"");
  BOOST_TEST(refusal_of("memory = \"lots\"") ==
             "run: run.toml: memory: expected a size such as \"256M\", found the text \"lots\" | "
             "memory = \"256M\"");
  BOOST_TEST(refusal_of("image_size = 0") ==
             "run: run.toml: image_size: expected pixels such as 96 or \"160x224\", found the "
             "number 0 | image_size = 96");
  BOOST_TEST(refusal_of("augment = 1") ==
             "run: run.toml: augment: expected a table, found the number 1 | [augment]");
  BOOST_TEST(refusal_of("[augment]\ncval = true") ==
             "run: run.toml: augment.cval: expected a number, found true | cval = 0.0");
}

BOOST_AUTO_TEST_CASE(an_unknown_key_comes_with_the_nearest_known_one) {
  BOOST_TEST(refusal_of("epoch = 3") ==
             "run: run.toml: expected a known key, found 'epoch' | did you mean 'epochs'?");
  BOOST_TEST(refusal_of("[augment]\nzoom = 3").find("found 'augment.zoom'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_syntax_is_placed) {
  BOOST_TEST(refusal_of("epochs = 3\nseed = = 4").substr(0, 21) == "run: run.toml:2:8: ex");
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_named_with_the_file_and_a_line_that_is_right) {
  BOOST_TEST(refusal_of("epochs = 0") ==
             "run: run.toml: epochs: expected 1 to 100000, found 0 | epochs = 30");
  // 100,000 epochs of 4,294,967,295 steps are more than any loader or schedule counts.
  BOOST_TEST(refusal_of("steps_per_epoch = 4294967295") ==
             "run: run.toml: steps_per_epoch: expected 0 to 1000000000, found 4294967295 | "
             "steps_per_epoch = 1000");
  BOOST_TEST(refusal_of("epochs = 100000\nsteps_per_epoch = 10001") ==
             "run: run.toml: steps_per_epoch: expected at most 10000 with epochs = 100000: "
             "1000000000 steps in all, found 10001 | steps_per_epoch = 10000");
  BOOST_TEST(parse_run_file("epochs = 100000\nsteps_per_epoch = 10000", "run.toml").epochs ==
             100'000u);
  BOOST_TEST(refusal_of("[checkpoint]\nevery_minutes = nan") ==
             "run: run.toml: checkpoint: every_minutes: expected 0 to 525600, found nan | "
             "every_minutes = 10");
  BOOST_TEST(refusal_of("learning_rate = nan") ==
             "run: run.toml: sgd: learning_rate: expected a finite number above 0, found nan | "
             "learning_rate = 0.1");
  BOOST_TEST(refusal_of("warmup_fraction = 1.5") ==
             "run: run.toml: schedule: warmup_fraction: expected above 0 and below 1, found 1.5 | "
             "warmup_fraction = 0.2");
  BOOST_TEST(refusal_of("schedule = \"cosin\"") ==
             "run: run.toml: schedule: expected constant, one_cycle, step, cosine, polynomial or "
             "exponential, found \"cosin\" | did you mean 'cosine'?");
  BOOST_TEST(refusal_of("[augment]\ncval = 256") ==
             "run: run.toml: augment: cval: expected 0 to 255, found 256 | cval = 255");
  BOOST_TEST(refusal_of("[augment]\nrandom_crop_padding = -1") ==
             "run: run.toml: augment.random_crop_padding: expected a whole number from 0 to 16384, "
             "found the number -1 | random_crop_padding = 0");
  BOOST_TEST(refusal_of("[augment]\nrand_augment_ops = 8") ==
             "run: run.toml: augment.rand_augment_ops: expected a whole number from 1 to 7, "
             "found the number 8 | rand_augment_ops = 2");
  BOOST_TEST(refusal_of("[augment]\npreset = \"strong\"") ==
             "run: run.toml: augment: preset: expected one of none, keras_default, standard, "
             "imagenet, cifar, "
             "found \"strong\" | "
             "known names: none keras_default standard imagenet cifar");
  BOOST_TEST(
      refusal_of("[augment]\nrandom_resized_crop_scale = 0.5") ==
      "run: run.toml: augment.random_resized_crop_scale: expected a list of two numbers, found "
      "the number 0.5 | random_resized_crop_scale = [0.08, 1]");
  BOOST_TEST(refusal_of("batch_size = 65537") ==
             "run: run.toml: batch_size: expected 1 to 65536, found 65537 | batch_size = 32");
  BOOST_TEST(refusal_of("batch_size = 1\n[augment]\nmixup = 0.2") ==
             "run: run.toml: batch_size: expected 2 or more with augment.mixup, found 1 | "
             "batch_size = 32");
  BOOST_TEST(refusal_of("batch_size = 1\n[augment]\ncutmix = 1.0") ==
             "run: run.toml: batch_size: expected 2 or more with augment.cutmix, found 1 | "
             "batch_size = 32");
  BOOST_TEST(refusal_of("loader_threads = 1") ==
             "run: run.toml: loader_threads: expected 2 to 256, found 1 | loader_threads = 2");
  BOOST_TEST(refusal_of("backend = \"cudnn\"") ==
             "run: run.toml: backend: expected onednn or reference, found \"cudnn\" | backend = "
             "\"onednn\"");
  BOOST_TEST(refusal_of("precision = \"bfloat\"") ==
             "run: run.toml: precision: expected \"float32\", \"bfloat16\", \"tf32\" or "
             "\"float16\", found the text "
             "\"bfloat\" | did you mean 'bfloat16'?");
  BOOST_TEST(refusal_of("epochs = 4294967296") ==
             "run: run.toml: epochs: expected a whole number from 0 to 4294967295, found the "
             "number 4294967296 | epochs = 30");
  BOOST_TEST(refusal_of("device = \"cuda\"") == "accepted");  // a flag may say otherwise
}

constexpr const char* kLayers =
    "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 3\n";

BOOST_AUTO_TEST_CASE(layers_without_a_model_are_called_as_the_file_is) {
  const RunConfig config = parse_run_file(kLayers, "nets/mine.toml");
  BOOST_TEST(config.model == "mine");
  BOOST_TEST(config.model_layers.find("units = 3") != std::string::npos);
  BOOST_TEST(parse_run_file("model = \"net\"\n" + std::string(kLayers), "a.toml").model == "net");
}

BOOST_AUTO_TEST_CASE(layers_beside_a_file_of_layers_are_refused) {
  BOOST_TEST(refusal_of("model = \"x.toml\"\n" + std::string(kLayers)) ==
             "run: run.toml: model: expected a name for the [[layer]] tables, found another file "
             "of layers, the text \"x.toml\" | leave out model, or the [[layer]] tables");
}

BOOST_AUTO_TEST_CASE(layers_beside_a_model_by_name_are_refused) {
  BOOST_TEST(refusal_of("model = \"resnet18\"\n" + std::string(kLayers)) ==
             "run: run.toml: model: expected a name for the [[layer]] tables, found a model by "
             "name, the text \"resnet18\" | leave out model, or the [[layer]] tables");
}

// What is stored with the run is read again.
BOOST_AUTO_TEST_CASE(layers_in_a_file_that_is_called_as_a_model_have_a_name_of_their_own) {
  const RunConfig config = parse_run_file(kLayers, "nets/resnet18.toml");
  BOOST_TEST(config.model == "resnet18_layers");
  BOOST_TEST(parse_run_file(format_run_file(config), "run.toml").model == "resnet18_layers");
  const tests::TemporaryFolder folder;
  RunConfig by_file;
  by_file.model = folder.path() / "lenet.toml";
  publish_file(by_file.model, kLayers);
  inline_model_file(by_file);
  BOOST_TEST(by_file.model == "lenet_layers");
}

BOOST_AUTO_TEST_CASE(a_size_of_the_image_has_no_zero_in_its_range) {
  BOOST_TEST(refusal_of("image_size = 100000") ==
             "run: run.toml: image_size: expected 1 to 16384, found 100000 | image_size = 96");
}

BOOST_AUTO_TEST_CASE(a_time_limit_is_ended_by_a_word) {
  RunConfig config = parse_run_file("max_time = \"2h\"", "run.toml");
  BOOST_TEST(config.checkpoint.max_minutes == 120);
  set_run_value(config, "max_time", "none", "--max-time");
  BOOST_TEST(config.checkpoint.max_minutes == 0);
}

BOOST_AUTO_TEST_CASE(a_model_by_flag_replaces_the_layers_of_the_file) {
  RunConfig config = parse_run_file(kLayers, "mine.toml");
  set_run_value(config, "model", "small_cnn", "--model");
  BOOST_TEST(config.model == "small_cnn");
  BOOST_TEST(config.model_layers.empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_run_file_is_a_wrong_argument) {
  const tests::TemporaryFolder folder;
  BOOST_CHECK_EXCEPTION(read_run_file(folder.path()), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument && error.hint() == "check the path" &&
           std::string(error.what()) ==
               "run: " + folder.path().native() + ": expected a file of TOML, found a folder";
  });
  const std::filesystem::path path = folder.path() / "big.toml";
  publish_file(path, std::string((1u << 20) + 1, '#'));
  BOOST_CHECK_EXCEPTION(read_run_file(path), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "run: " + path.native() + ": expected TOML of at most 1048576 bytes, found 1048577";
  });
}

// Nobody writes into the pipe: opening it would wait for that.
BOOST_AUTO_TEST_CASE(a_pipe_or_a_device_is_refused_and_not_waited_for) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  BOOST_REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::filesystem::path& path : {pipe, std::filesystem::path("/dev/null")}) {
    BOOST_CHECK_EXCEPTION(read_run_file(path), Error, [&](const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument &&
             error.hint() == "put what it holds into a file" &&
             std::string(error.what()) ==
                 "run: " + path.native() + ": expected a file of TOML, found a pipe or a device";
    });
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_says_nothing_changes_nothing) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "empty.toml";
  RunConfig base;
  base.epochs = 7;
  for (const char* text : {"", "\n", "# epochs = 3\n"}) {
    publish_file(path, text);
    BOOST_TEST(format_run_file(read_run_file(path, base)) == format_run_file(base));
  }
}

// No layers stand for a model by name, here one that is called as the file.
BOOST_AUTO_TEST_CASE(an_empty_file_of_layers_is_refused) {
  const tests::TemporaryFolder folder;
  RunConfig config;
  config.model = folder.path() / "net.toml";
  publish_file(config.model, "");
  BOOST_CHECK_EXCEPTION(inline_model_file(config), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "model: " + config.model + ": expected [[layer]] tables, found an empty file";
  });
  publish_file(config.model, kLayers);
  inline_model_file(config);
  BOOST_TEST(config.model == "net");
  BOOST_TEST(config.model_layers == kLayers);
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_to_the_same_text) {
  RunConfig config;
  config.dataset = "/data/with \"quotes\"\n";
  config.out = "runs/a";
  config.image_height_px = 64;
  config.image_width_px = 96;
  config.optimizer.learning_rate = 0.1 + 0.2;
  config.memory_bytes = 300u << 20;
  config.mean = {0.1, 0.2, 1.0 / 3};
  config.std = {1, 2, 3};
  config.augment.fill_mode = augment::FillMode::kConstant;
  config.model = "net";
  config.model_layers = kLayers;
  const std::string text = format_run_file(config);
  const RunConfig again = parse_run_file(text, "run.toml");
  BOOST_TEST(format_run_file(again) == text);
  BOOST_TEST(again.dataset == config.dataset);
  BOOST_TEST(again.optimizer.learning_rate == config.optimizer.learning_rate);
  BOOST_TEST((again.mean == config.mean));
  BOOST_TEST((again.augment == config.augment));
  BOOST_TEST(again.model_layers.find("units = 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_flag_is_read_like_a_key) {
  RunConfig config;
  set_run_value(config, "epochs", "7", "--epochs");
  set_run_value(config, "augment.zoom_range", "[0.5, 2]", "--augment.zoom-range");
  set_run_value(config, "augment.random_resized_crop", "true", "--augment.random-resized-crop");
  set_run_value(config, "augment.random_resized_crop_scale", "[0.25, 1]", "--scale");
  set_run_value(config, "augment.random_crop_padding", "4", "--padding");
  set_run_value(config, "augment.vertical_flip", "true", "--over");
  set_run_value(config, "augment.rotation_range", "15", "--turn");
  set_run_value(config, "augment.shear_range", "5.5", "--lean");
  set_run_value(config, "augment.center_crop", "0.875", "--centre");
  set_run_value(config, "augment.mixup", "0.2", "--mixup");
  set_run_value(config, "augment.cutmix", "1", "--cutmix");
  set_run_value(config, "augment.fill_mode", "wrap", "--fill");
  set_run_value(config, "augment.auto_augment", "rand_augment", "--policy");
  set_run_value(config, "augment.rand_augment_ops", "3", "--ops");
  set_run_value(config, "augment.rand_augment_magnitude", "14", "--magnitude");
  set_run_value(config, "augment.interpolation", "bilinear_antialias", "--smooth");
  BOOST_TEST(config.augment.vertical_flip == 0.5);
  BOOST_TEST(config.augment.rotation_range == 15.0);
  BOOST_TEST(config.augment.shear_range == 5.5);
  BOOST_TEST(config.augment.center_crop == 0.875);
  BOOST_TEST(config.augment.mixup == 0.2);
  BOOST_TEST(config.augment.cutmix == 1.0);
  BOOST_TEST((config.augment.fill_mode == augment::FillMode::kWrap));
  BOOST_TEST((config.augment.auto_augment == augment::AutoAugment::kRandAugment));
  BOOST_TEST(config.augment.rand_augment_ops == 3u);
  BOOST_TEST(config.augment.rand_augment_magnitude == 14u);
  BOOST_TEST((config.augment.interpolation == augment::Interpolation::kBilinearAntialias));
  set_run_value(config, "augment.vertical_flip", "0.25", "--over");
  BOOST_TEST(config.augment.vertical_flip == 0.25);
  BOOST_CHECK_THROW(set_run_value(config, "augment.vertical_flip", "often", "--over"), Error);
  BOOST_TEST(config.augment.random_resized_crop);
  BOOST_TEST(config.augment.random_resized_crop_scale.lo == 0.25);
  BOOST_TEST(config.augment.random_crop_padding == 4u);
  set_run_value(config, "memory", "1G", "--memory");
  set_run_value(config, "order", "windowed", "--order");
  set_run_value(config, "window", "64M", "--window");
  BOOST_TEST((config.order == SampleOrder::kWindowed));
  BOOST_TEST(config.window_bytes == 64u << 20);
  set_run_value(config, "image_size", "48", "--image-size");
  BOOST_TEST(config.epochs == 7u);
  BOOST_TEST(config.augment.zoom_range.hi == 2.0);
  BOOST_TEST(config.augment.horizontal_flip == 0.5);
  BOOST_TEST(config.memory_bytes == 1u << 30);
  BOOST_TEST(config.image_width_px == 48u);
  BOOST_CHECK_EXCEPTION(set_run_value(config, "epochs", "ten", "--epochs"), Error,
                        [](const Error& error) {
                          return std::string(error.what()) ==
                                 "run: --epochs: epochs: expected a whole number, found the text "
                                 "\"ten\"";
                        });
  for (const char* text : {"7\nseed = 9", "7 #x", "0x10", "1_000", "+7", " 7", "", "7.0"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_CHECK_THROW(set_run_value(config, "epochs", text, "--epochs"), Error);
    }
  }
  set_run_value(config, "learning_rate", ".25", "--learning-rate");
  BOOST_TEST(config.optimizer.learning_rate == 0.25);
  set_run_value(config, "memory", "256m", "--memory");
  BOOST_TEST(config.memory_bytes == 256u << 20);
  BOOST_CHECK_THROW(set_run_value(config, "augment.zoom_range", "[0.5; 2]", "--z"), Error);
  BOOST_TEST(config.seed == 0u);
}

/// Settings that figures do not depend on, that come from data or machine, or that are of no effect
/// beside the others.
bool may_be_left_out(const RunKey& key) {
  constexpr std::array<std::string_view, 34> kOptional{"dataset",
                                                       "init_from",
                                                       "loss_weights",
                                                       "freeze",
                                                       "freeze_norm",
                                                       "out",
                                                       "order",
                                                       "window",
                                                       "seed",
                                                       "threads",
                                                       "loader_threads",
                                                       "cache",
                                                       "backend",
                                                       "device",
                                                       "memory_gpu",
                                                       "deterministic",
                                                       "batch_element",
                                                       "augment_on",
                                                       "max_time",
                                                       "checkpoint.every_steps",
                                                       "checkpoint.every_minutes",
                                                       "checkpoint.every_epoch",
                                                       "checkpoint.keep",
                                                       "mean",
                                                       "std",
                                                       "micro_batch",  // the machine's
                                                       "augment.preset",
                                                       "augment.cval",
                                                       "augment.rescale",
                                                       "augment.random_resized_crop_scale",
                                                       "augment.random_resized_crop_ratio",
                                                       "augment.random_erasing_scale",
                                                       "augment.random_erasing_ratio",
                                                       "augment.random_erasing_value"};
  return std::ranges::find(kOptional, key.name) != kOptional.end();
}

// Recipes are run files that a change of a default leaves as they are.
BOOST_AUTO_TEST_CASE(recipes_are_valid_and_state_every_setting) {
  const std::filesystem::path folder = std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tools/recipes";
  std::size_t num_recipes = 0;
  for (const auto& recipe : std::filesystem::directory_iterator(folder)) {
    if (recipe.path().extension() != ".toml") continue;
    ++num_recipes;
    BOOST_TEST_CONTEXT(recipe.path()) {
      const RunConfig config = read_run_file(recipe.path());
      const std::string text = read_text_file(recipe.path());
      for (const RunKey& key : run_keys()) {
        if (may_be_left_out(key) || !is_heeded(key.name, config)) continue;
        const std::string line = "\n" + std::string(key.name_in_table()) + " = ";
        BOOST_TEST(text.find(line) != std::string::npos, "expected a line for " << key.name);
      }
    }
  }
  BOOST_TEST(num_recipes > 0u);
}

BOOST_AUTO_TEST_CASE(the_readme_names_every_key) {
  const std::filesystem::path root = PENSTOCK_SOURCE_DIR;
  const std::string readme = read_text_file(root / "train/run/settings/README.md");
  const std::size_t start = readme.find("Keys of a run file: ");
  BOOST_REQUIRE(start != std::string::npos);
  const std::string keys = readme.substr(start, readme.find("\n\n", start) - start);
  for (const RunKey& key : run_keys()) {
    BOOST_TEST_CONTEXT(key.name) {
      BOOST_TEST(keys.find(key.name_in_table()) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_optimizer_brings_its_usual_settings_and_keeps_the_common_ones) {
  RunConfig base;
  base.optimizer.clip_norm = 2;
  const RunConfig config = parse_run_file(
      "optimizer = \"adamw\"\nbeta2 = 0.99\nschedule = \"cosine\"\nwarmup_epochs = 2\n", "run.toml",
      base);
  BOOST_TEST((config.optimizer.kind == OptimizerKind::kAdamw));
  BOOST_TEST(config.optimizer.learning_rate == 1e-3);  // torch.optim.AdamW's
  BOOST_TEST(config.optimizer.weight_decay == 1e-2);
  BOOST_TEST(config.optimizer.beta2 == 0.99);
  BOOST_TEST(config.optimizer.clip_norm == 2.0);
  BOOST_TEST((config.schedule.kind == ScheduleKind::kCosine));
  BOOST_TEST(config.schedule.warmup_epochs == 2.0);
  // What the optimizer and the schedule read is written, and nothing else.
  const std::string text = format_run_file(config);
  for (const char* line : {"optimizer = \"adamw\"\n", "beta2 = 0.99\n", "clip_norm = 2.0\n",
                           "schedule = \"cosine\"\n", "warmup_epochs = 2.0\n"}) {
    BOOST_TEST(text.find(line) != std::string::npos, line);
  }
  for (const char* key : {"momentum", "nesterov", "div_factor", "gamma", "alpha"}) {
    BOOST_TEST(text.find(std::string(key) + " = ") == std::string::npos, key);
  }
  BOOST_TEST(format_run_file(parse_run_file(text, "again.toml", {})) == text);
}

BOOST_AUTO_TEST_CASE(schedules_and_optimizers_that_are_not_known_are_refused_with_the_nearest) {
  BOOST_CHECK_EXCEPTION(parse_run_file("optimizer = \"adamww\"\n", "run.toml", {}), Error,
                        [](const Error& error) { return error.hint() == "did you mean 'adamw'?"; });
  BOOST_CHECK_EXCEPTION(
      parse_run_file("milestone_epochs = [2.5]\n", "run.toml", {}), Error, [](const Error& error) {
        return std::string(error.what()).find("a list of whole numbers") != std::string::npos;
      });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
