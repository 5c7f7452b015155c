#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/cli/trained_shapes.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Fixture {
  const TrainedShapes& shapes = TrainedShapes::get();
  TemporaryFolder folder;

  /// The pictures of one class in the test split, in the order of their names.
  std::vector<std::string> pictures_of(const std::string& name) const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(shapes.pictures() / "test" / name)) {
      paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
};

BOOST_FIXTURE_TEST_SUITE(predict_cli, Fixture)

// A picture's file and its sample in the dataset are treated alike: over the whole test split,
// predict recognises as many of each class as evaluate does.
BOOST_AUTO_TEST_CASE(files_give_the_answers_that_their_samples_give) {
  const CommandResult evaluated = run_penstock({"evaluate", shapes.run(), "--json"});
  BOOST_REQUIRE(evaluated.exit_code == 0);
  for (const Json& one : Json::parse(evaluated.out)["classes"]) {
    const std::string name = one["name"];
    std::vector<std::string> line = {"predict", shapes.run(), "--top", "1", "--json"};
    const std::vector<std::string> pictures = pictures_of(name);
    line.insert(line.end(), pictures.begin(), pictures.end());
    const CommandResult predicted = run_penstock(line);
    BOOST_REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
    std::uint64_t num_correct = 0;
    for (const Json& answer : Json::parse(predicted.out)) {
      num_correct += answer["top"][0]["class"] == name;
    }
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(num_correct == one["num_correct"].get<std::uint64_t>());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_best_classes_are_named_best_first) {
  const std::string picture = pictures_of("circle").front();
  const CommandResult text = run_penstock({"predict", shapes.run(), picture});
  BOOST_TEST(text.exit_code == 0);
  BOOST_TEST(text.out.substr(0, picture.size() + 2) == picture + ": ");
  BOOST_TEST(std::count(text.out.begin(), text.out.end(), '%') == 3);
  const CommandResult all =
      run_penstock({"predict", shapes.run(), picture, "--top", "10", "--json"});
  const Json top = Json::parse(all.out)[0]["top"];
  BOOST_REQUIRE(top.size() == 10u);
  double sum = 0;
  for (std::size_t i = 0; i < top.size(); ++i) {
    sum += top[i]["probability"].get<double>();
    if (i > 0) BOOST_TEST(top[i]["probability"] <= top[i - 1]["probability"]);
  }
  BOOST_TEST(sum == 1.0, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_bad_picture_is_named_and_the_others_are_answered) {
  const std::string bad = folder.path() / "bad.jpg";
  publish_file(bad, std::string("\xFF\xD8\xFF\xE0 no picture", 15));
  const std::string missing = folder.path() / "missing.jpg";
  const std::string good = pictures_of("star").front();
  const CommandResult result = run_penstock({"predict", shapes.run(), bad, missing, good});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.err.find(bad) != std::string::npos);
  BOOST_TEST(result.err.find(missing) != std::string::npos);
  BOOST_TEST(result.out.substr(0, good.size()) == good);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
