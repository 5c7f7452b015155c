#include "tools/convert/source/array_pairs.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tools/convert/source/split_rule.h"

namespace penstock::convert {
namespace {

// "x_train+y_train:train ..."
std::string pairs_text(const std::vector<std::string>& names) {
  std::string text;
  for (const ArrayPair& pair : find_array_pairs(names)) {
    text += (text.empty() ? "" : " ") + pair.images + "+" + pair.labels;
    if (pair.split) text += ":" + std::string(split_name(*pair.split));
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(array_pairs)

// keras.datasets.mnist: mnist.npz
BOOST_AUTO_TEST_CASE(the_pairs_of_keras_are_found) {
  BOOST_TEST(pairs_text({"x_test", "x_train", "y_train", "y_test"}) ==
             "x_train+y_train:train x_test+y_test:test");
}

// MedMNIST: bloodmnist.npz
BOOST_AUTO_TEST_CASE(the_pairs_of_medmnist_are_found) {
  BOOST_TEST(pairs_text({"train_images", "train_labels", "val_images", "val_labels", "test_images",
                         "test_labels"}) ==
             "train_images+train_labels:train val_images+val_labels:validation "
             "test_images+test_labels:test");
}

BOOST_AUTO_TEST_CASE(a_single_pair_is_of_no_split) {
  BOOST_TEST(pairs_text({"images", "labels"}) == "images+labels");
  BOOST_TEST(pairs_text({"X_train", "Y_train"}) == "X_train+Y_train");
  BOOST_TEST(pairs_text({"arr_0", "arr_1"}) == "arr_0+arr_1");
}

BOOST_AUTO_TEST_CASE(an_array_belongs_to_one_pair) {
  BOOST_TEST(pairs_text({"data", "labels", "targets"}) == "data+labels");
}

BOOST_AUTO_TEST_CASE(other_names_are_no_pairs) {
  BOOST_TEST(pairs_text({"x_train", "y_test", "pixels", "weights"}) == "");
  BOOST_TEST(pairs_text({}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
