#include "train/run/data/loss_weights.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLimitBytes = 1u << 20;

struct Fixture {
  penstock::tests::TemporaryFolder folder;
  fs::path file = folder.path() / "weights.csv";
  DatasetSplit split = Dataset::open(tests::pets()).split("train");
  std::string a = split.read_name(3);
  std::string b = split.read_name(70);

  LossWeights read(const std::string& text) const {
    publish_file(file, text);
    return read_loss_weights(file, split, kLimitBytes);
  }
  std::string refusal_of(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
      const std::string what = error.what();
      const std::string head = "loss_weights: " + file.native() + ": ";
      BOOST_REQUIRE(what.starts_with(head));
      return what.substr(head.size());
    }
    return "accepted";
  }
  /// As the split has them, 1 but for these two.
  std::vector<float> expected(float of_a, float of_b) const {
    std::vector<float> weights(split.num_samples(), 1.0f);
    weights[3] = of_a;
    weights[70] = of_b;
    return weights;
  }
};

BOOST_FIXTURE_TEST_SUITE(loss_weights, Fixture)

BOOST_AUTO_TEST_CASE(names_have_their_weights_and_others_weigh_1) {
  BOOST_TEST(!read_loss_weights({}, split, kLimitBytes).by_sample);
  BOOST_TEST(read_loss_weights({}, split, kLimitBytes).digest().empty());
  const LossWeights weights = read(b + ",0\n" + a + ",2.5\n");
  BOOST_TEST(*weights.by_sample == expected(2.5f, 0), boost::test_tools::per_element());
  BOOST_TEST(weights.num_named == 2u);
  BOOST_TEST(weights.bytes() == 4 * split.num_samples());
}

BOOST_AUTO_TEST_CASE(the_form_of_the_file_is_free_where_its_meaning_is_not) {
  const std::string digest = read(a + ",0.5\n" + b + ",1e2\n").digest();
  for (const std::string& text : {"name,weight\n" + a + ",0.5\n" + b + ",100\n",
                                  "\xEF\xBB\xBF" + b + ", 100\r\n\r\n" + a + ",5e-1",
                                  "\"" + a + "\",0.5\n\n" + b + ",100.0\n"}) {
    BOOST_TEST(read(text).digest() == digest, text);
  }
  BOOST_TEST(read(a + ",0.5\n").digest() != digest);
}

BOOST_AUTO_TEST_CASE(names_with_commas_and_quotes_are_read_as_csv) {
  // No sample is called so: what was read is what the refusal names.
  BOOST_TEST(refusal_of("x,y.jpg,1\n").ends_with("found \"x,y.jpg\""));
  BOOST_TEST(refusal_of("\"x,\"\"y\"\".jpg\",1\n").ends_with("found \"x,\"y\".jpg\""));
  BOOST_TEST(refusal_of("\"x.jpg,1\n") ==
             "line 1: expected a name that ends with its quote, found \"\"x.jpg\"");
  BOOST_TEST(refusal_of("\"x\".jpg,1\n") ==
             "line 1: expected a name that ends with its quote, found \"\"x\".jpg\"");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_with_its_line) {
  const std::string named =
      "line 2: expected the name of a sample of split train, as the dataset "
      "stores it, found ";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {a + ",1\nnobody.jpg,1\nno one.jpg,1\n", named + "\"nobody.jpg\""},
      {a + ",1\nname,weight\n", "line 2: expected a weight of 0, or 1e-9 to 1e9, found \"weight\""},
      {a + ",1\n" + b + ",1\n\n" + a + ",2\n" + b + ",1\n",
       "line 4: expected each name once, found \"" + a + "\" again, as on line 1"},
      {a + "\n", "line 1: expected NAME,WEIGHT, found \"" + a + "\""},
      {",1\n", "line 1: expected NAME,WEIGHT, found \",1\""},
      {"", "expected lines NAME,WEIGHT, found none"},
      {"name,weight\n\n", "expected lines NAME,WEIGHT, found none"},
  };
  for (const auto& [text, message] : cases) BOOST_TEST(refusal_of(text) == message);
  for (const char* number :
       {"", "much", "-1", "nan", "inf", "1e10", "1e-10", "-1e-300", "1 2", "+1", "0x1", "1,5x"}) {
    const std::string refused = refusal_of(a + "," + number + "\n");
    BOOST_TEST(refused.starts_with("line 1: expected a weight of 0, or 1e-9 to 1e9, found \""),
               refused);
  }
  const std::string lengthy = refusal_of(std::string(1000, 'x'));
  BOOST_TEST(lengthy == "line 1: expected NAME,WEIGHT, found \"" + std::string(80, 'x') + "...\"");
}

// 25 bytes a line, one more than there are line feeds; 4 a sample; and the file.
BOOST_AUTO_TEST_CASE(a_file_is_read_within_the_limit_or_refused) {
  const std::string text = a + ",0.5\n" + b + ",2\n";
  publish_file(file, text);
  const std::uint64_t needed_bytes = text.size() + 3 * 25 + 4 * split.num_samples();
  BOOST_TEST(read_loss_weights(file, split, needed_bytes).num_named == 2u);
  for (const std::uint64_t limit : {needed_bytes - 1, 4 * split.num_samples() + 1}) {
    BOOST_CHECK_EXCEPTION(read_loss_weights(file, split, limit), Error, [](const Error& error) {
      return error.code() == ErrorCode::kOutOfMemory;
    });
  }
}

BOOST_AUTO_TEST_CASE(weights_that_leave_nothing_are_refused) {
  std::string all;
  for (const std::string& name : split.read_names()) all += name + ",0\n";
  BOOST_TEST(refusal_of(all) == "expected a sample of split train above 0, found all at 0");
  BOOST_TEST(read(all.substr(all.find('\n') + 1)).num_named == split.num_samples() - 1);
}

BOOST_AUTO_TEST_CASE(a_sample_of_another_split_is_none_of_this_one) {
  const std::string name = Dataset::open(tests::pets()).split("validation").read_name(0);
  BOOST_TEST(refusal_of(name + ",1\n").ends_with("found \"" + name + "\""));
}

BOOST_AUTO_TEST_CASE(a_dataset_without_names_is_refused) {
  penstock::tests::write_cats_and_dogs(folder.path() / "pets", 4);
  tests::Quiet quiet;
  convert::ConvertConfig nameless{.source = folder.path() / "pets",
                                  .dataset = folder.path() / "pets.ds"};
  nameless.store_names = false;
  convert::convert_folder(nameless, quiet, {});
  split = Dataset::open(nameless.dataset).split("train");
  publish_file(file, "cat/1.jpg,1\n");
  try {
    read_loss_weights(file, split, kLimitBytes);
    BOOST_ERROR("accepted");
  } catch (const Error& error) {
    BOOST_TEST(
        std::string(error.what()) ==
        "loss_weights: expected a dataset with the names of its samples, found none in split "
        "train");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
