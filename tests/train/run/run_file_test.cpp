#include "train/run/run_file.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "train/run/run_values.h"

namespace penstock::train {
namespace {

std::string refusal_of(const std::string& text) {
  try {
    parse_run_file(text, "run.toml").validate();
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
  BOOST_TEST(config.sgd.learning_rate == 1.0);
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

BOOST_AUTO_TEST_CASE(values_out_of_range_are_named) {
  BOOST_TEST(refusal_of("epochs = 0") == "run: epochs: expected 1 to 100000, found 0");
  BOOST_TEST(refusal_of("learning_rate = nan") ==
             "sgd: learning_rate: expected a finite number above 0, found nan");
  BOOST_TEST(refusal_of("batch_size = 65537") ==
             "run: batch_size: expected 1 to 65536, found 65537");
  BOOST_TEST(refusal_of("loader_threads = 1") == "run: loader_threads: expected 2 to 256, found 1");
  BOOST_TEST(refusal_of("backend = \"cudnn\"") ==
             "run: backend: expected onednn or reference, found \"cudnn\"");
  BOOST_TEST(refusal_of("epochs = 4294967296") ==
             "run: run.toml: epochs: expected a whole number of at most 4294967295, found the "
             "number 4294967296 | epochs = 30");
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_to_the_same_text) {
  RunConfig config;
  config.dataset = "/data/with \"quotes\"\n";
  config.out = "runs/a";
  config.image_height_px = 64;
  config.image_width_px = 96;
  config.sgd.learning_rate = 0.1 + 0.2;
  config.memory_bytes = 300u << 20;
  config.mean = {0.1, 0.2, 1.0 / 3};
  config.std = {1, 2, 3};
  config.augment.fill_mode = augment::FillMode::kConstant;
  config.model = "net";
  config.model_layers = "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 3\n";
  const std::string text = format_run_file(config);
  const RunConfig again = parse_run_file(text, "run.toml");
  BOOST_TEST(format_run_file(again) == text);
  BOOST_TEST(again.dataset == config.dataset);
  BOOST_TEST(again.sgd.learning_rate == config.sgd.learning_rate);
  BOOST_TEST((again.mean == config.mean));
  BOOST_TEST((again.augment == config.augment));
  BOOST_TEST(again.model_layers.find("units = 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_flag_is_read_like_a_key) {
  RunConfig config;
  set_run_value(config, "epochs", "7", "--epochs");
  set_run_value(config, "augment.zoom_range", "[0.5, 2]", "--augment.zoom-range");
  set_run_value(config, "memory", "1G", "--memory");
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
  BOOST_TEST(config.sgd.learning_rate == 0.25);
  set_run_value(config, "memory", "256m", "--memory");
  BOOST_TEST(config.memory_bytes == 256u << 20);
  BOOST_CHECK_THROW(set_run_value(config, "augment.zoom_range", "[0.5; 2]", "--z"), Error);
  BOOST_TEST(config.seed == 0u);
}

// Recipes are run files; each key that the README names exists, and it names them all.
BOOST_AUTO_TEST_CASE(recipes_are_valid_and_the_readme_names_every_key) {
  const std::filesystem::path root = PENSTOCK_SOURCE_DIR;
  for (const auto& recipe : std::filesystem::directory_iterator(root / "tools/recipes")) {
    if (recipe.path().extension() != ".toml") continue;
    BOOST_TEST_CONTEXT(recipe.path()) {
      BOOST_CHECK_NO_THROW(read_run_file(recipe.path()).validate());
    }
  }
  const std::string readme = read_text_file(root / "train/run/README.md");
  const std::size_t start = readme.find("Keys of a run file: ");
  BOOST_REQUIRE(start != std::string::npos);
  const std::string keys = readme.substr(start, readme.find("\n\n", start) - start);
  for (const std::string& key : run_file_keys()) {
    const std::string name = key.substr(key.find('.') == std::string::npos ? 0 : key.find('.') + 1);
    BOOST_TEST_CONTEXT(key) {
      BOOST_TEST(keys.find(name) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(sizes_are_written_in_the_largest_unit_that_divides_them) {
  BOOST_TEST(format_size_bytes(256u << 20) == "256M");
  BOOST_TEST(format_size_bytes(1025) == "1025");
  BOOST_TEST(format_size_bytes(std::uint64_t{3} << 40) == "3T");
  BOOST_TEST(parse_size_bytes("1025").value() == 1025u);
  BOOST_TEST(!parse_size_bytes("17179869184G").has_value());  // 2^34 * 2^30 = 2^64
  BOOST_TEST(!parse_size_bytes("M").has_value());
  BOOST_TEST(!parse_size_bytes("0").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
