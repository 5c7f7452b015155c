#include "tools/augment_text.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "streamer/core/error.h"
#include "train/run/settings/run_file.h"
#include "train/run/settings/run_keys.h"

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(augment_text)

BOOST_AUTO_TEST_CASE(a_preset_is_told_by_what_it_turns_on) {
  train::RunConfig config;
  config.augment = {};
  BOOST_TEST(tools::augment_text(config) == "none");
  config.augment = augment::AugmentConfig::preset("standard");
  BOOST_TEST(tools::augment_text(config) ==
             "horizontal_flip 0.5, width_shift_range 0.1, height_shift_range 0.1, "
             "zoom_range [0.9, 1.1]");
  config.augment.mixup = 0.2;
  config.augment.interpolation = augment::Interpolation::kBicubic;
  BOOST_TEST(tools::augment_text(config).ends_with(", mixup 0.2, interpolation \"bicubic\""));
}

// Every key of the table but the preset, which is told by what it stands for.
BOOST_AUTO_TEST_CASE(every_setting_is_told_by_its_name) {
  const std::set<std::string_view> other_values = {"bicubic", "wrap", "off",         "rand_augment",
                                                   "true",    "0.25", "[0.5, 0.75]", "3"};
  for (const train::RunKey& key : train::run_keys()) {
    if (key.table() != "augment" || key.name == "augment.preset") continue;
    bool is_told = false;
    for (const std::string_view value : other_values) {
      train::RunConfig config;
      config.augment = {};
      try {
        train::set_run_value(config, std::string(key.name), std::string(value), "a test");
      } catch (const Error&) {
        continue;  // not a value of this key
      }
      is_told = is_told ||
                tools::augment_text(config).starts_with(std::string(key.name_in_table()) + " ");
    }
    BOOST_TEST(is_told, key.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
