#include "train/metrics/figure_names.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(figure_names)

// Names as commands bind them on one side, as Keras has them on the other.
BOOST_AUTO_TEST_CASE(accuracies_are_called_top_k_in_json_too) {
  const auto per_element = boost::test_tools::per_element();
  BOOST_TEST(json_names("accuracy") == (Texts{"accuracy", "top1"}), per_element);
  BOOST_TEST(json_names("val_accuracy") == (Texts{"val_accuracy", "val_top1"}), per_element);
  BOOST_TEST(json_names("top5_accuracy") == (Texts{"top5_accuracy", "top5"}), per_element);
  BOOST_TEST(json_names("test_top12_accuracy") == (Texts{"test_top12_accuracy", "test_top12"}),
             per_element);
}

BOOST_AUTO_TEST_CASE(other_figures_have_one_name) {
  for (const char* name : {"loss", "val_loss", "val_nll", "val_macro_f1", "val_r2"}) {
    BOOST_TEST(json_names(name) == Texts{name}, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
