// Runs in bfloat16 from end to end: what is stored, and that evaluation finds the run's own figures again.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "tests/contains.h"
#include "tests/train/has_bfloat16.h"
#include "tests/train/run/tiny_run.h"
#include "train/run/inference/evaluation.h"

namespace penstock::train::tests {
namespace {

using penstock::tests::contains;

struct Bfloat16Run : TinyRun {
  RunOutcome outcome;

  Bfloat16Run() {
    RunConfig given = config();
    given.precision = ComputeType::kBfloat16;
    given.model_layers =
        "[[layer]]\ntype = \"conv2d\"\nfilters = 4\n[[layer]]\ntype = \"batch_norm\"\n"
        "[[layer]]\ntype = \"relu\"\n" +
        std::string(kTinyNet);
    outcome = train_run(given, watcher, stop.get_token());
  }
  double loss_in(std::optional<ComputeType> precision) const {
    return evaluate_run(
               {.run = out,
                .dataset = {},
                .split = "validation",
                .inference = {.precision = precision, .threads = 1, .memory_bytes = 128u << 20}},
               nullptr, {})
        .pass.totals.loss();
  }
};

BOOST_AUTO_TEST_SUITE(precision_run)

BOOST_FIXTURE_TEST_CASE(a_run_in_bfloat16_is_evaluated_in_bfloat16_unless_told_otherwise,
                        Bfloat16Run, *boost::unit_test::precondition(HasBfloat16())) {
  BOOST_TEST(record()["precision"] == "bfloat16");
  BOOST_TEST(contains(record()["identity"].get<std::string>(), "run.precision=bfloat16\n"));
  BOOST_TEST(contains(read_text_file(out / kRunFileName), "precision = \"bfloat16\"\n"));
  BOOST_REQUIRE(outcome.last.has_value() && outcome.last->validation.has_value());
  const double own = outcome.last->validation->totals.loss();
  BOOST_TEST(loss_in({}) == own);
  const double exact = loss_in(ComputeType::kFloat32);
  BOOST_TEST(exact != own);
  BOOST_TEST(exact == own, boost::test_tools::tolerance(0.05));
}

// It rounds where another backend keeps bfloat16.
BOOST_FIXTURE_TEST_CASE(the_reference_backend_rounds_as_well, TinyRun) {
  std::vector<double> losses;
  for (const ComputeType precision : {ComputeType::kFloat32, ComputeType::kBfloat16}) {
    RunConfig given = config();
    given.backend = "reference";
    given.precision = precision;
    given.out = folder.path() / std::string(compute_type_name(precision));
    losses.push_back(train_run(given, watcher, stop.get_token()).last.value().train.totals.loss());
  }
  BOOST_TEST(losses[0] != losses[1]);
  BOOST_TEST(losses[0] == losses[1], boost::test_tools::tolerance(0.05));
}

BOOST_FIXTURE_TEST_CASE(a_run_in_float32_says_nothing_of_it_in_its_identity, TinyRun) {
  run();
  BOOST_TEST(record()["precision"] == "float32");
  BOOST_TEST(!contains(record()["identity"].get<std::string>(), "precision"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::tests
