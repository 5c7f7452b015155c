// What penstock convert says of pictures that are there twice, as it is typed.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fixtures/copied_pictures.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/copy_rows.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// Three of each kind: encoded coarser, at twice the size, and both.
struct NearPlace {
  TemporaryFolder folder;
  std::string source = (folder.path() / "photos").string();
  std::string dataset = (folder.path() / "photos.ds").string();

  NearPlace() { fixtures::write_near_pictures(source); }

  CommandResult convert(std::vector<std::string> flags) const {
    std::vector<std::string> line = {"convert", source, dataset, "--force"};
    line.insert(line.end(), flags.begin(), flags.end());
    return run_penstock(line);
  }
  bool has_list() const { return fs::exists(fs::path(dataset) / "duplicates.csv"); }
  // "path reason other_path" of each row, and its distance.
  std::map<std::string, unsigned long> distances() const {
    std::map<std::string, unsigned long> found;
    for (const std::vector<std::string>& row : copy_rows(dataset)) {
      found[row[0] + " " + row[1] + " " + row[5]] = std::stoul(row[8]);
    }
    return found;
  }
  nlohmann::json inspect() const {
    return nlohmann::json::parse(run_penstock({"inspect", dataset, "--json"}).out);
  }
};

const nlohmann::json kThreeOfEach = {
    {"num_within_class", 3}, {"num_across_classes", 3}, {"num_across_splits", 3}};

BOOST_FIXTURE_TEST_SUITE(convert_duplicates_cli, NearPlace)

BOOST_AUTO_TEST_CASE(pictures_encoded_anew_or_resized_are_listed_with_their_distance_and_counted) {
  const CommandResult result = convert({"--near-duplicates"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(
      contains(result.out,
               "\n  alike         3 within a class, 3 across classes, 3 across splits; see " +
                   dataset + "/duplicates.csv\n"),
      result.out);
  const auto found = distances();
  for (const fixtures::CopiedPicture& one : fixtures::near_pictures()) {
    const auto row = found.find(one.path + " " + one.reason + " " + one.other_path);
    BOOST_REQUIRE_MESSAGE(row != found.end(), one.path);
    BOOST_TEST(row->second <= 5u);
  }
  BOOST_TEST(found.size() == fixtures::near_pictures().size());
  BOOST_TEST(contains(run_penstock({"inspect", dataset}).out,
                      "\n  alike 3 within a class, 3 across classes, 3 across splits\n"));
}

BOOST_AUTO_TEST_CASE(json_has_the_counts_of_both_kinds) {
  const CommandResult result = convert({"--near-duplicates", "--json", "--quiet"});
  const auto statistics = nlohmann::json::parse(result.out)["statistics"];
  BOOST_TEST(statistics["near_duplicates"] == kThreeOfEach);
  const nlohmann::json none = {
      {"num_within_class", 0}, {"num_across_classes", 0}, {"num_across_splits", 0}};
  BOOST_TEST(statistics["duplicates"] == none);
  BOOST_TEST(inspect()["near_duplicates"] == kThreeOfEach);
  BOOST_TEST(inspect()["duplicates"] == none);
}

// Those at a smaller distance are among those at a larger one.
BOOST_AUTO_TEST_CASE(the_distance_is_what_is_typed) {
  BOOST_TEST(convert({"--near-duplicates=7"}).exit_code == 0);
  const auto all = distances();
  std::map<std::string, unsigned long> within;
  for (const auto& [row, distance] : all) {
    if (distance <= 3) within.emplace(row, distance);
  }
  BOOST_TEST(!within.empty());
  BOOST_TEST(convert({"--near-duplicates=3"}).exit_code == 0);
  BOOST_CHECK(distances() == within);
  BOOST_TEST(inspect()["conversion"]["near_duplicates"] == 3);
}

BOOST_AUTO_TEST_CASE(nothing_alike_is_said_as_none) {
  fs::remove_all(source);
  fixtures::write_copies(source);
  const CommandResult result = convert({"--near-duplicates"});
  BOOST_TEST(contains(result.out, "\n  copies        3 within a class, 3 across classes, "),
             result.out);
  BOOST_TEST(contains(result.out, "\n  alike         none\n"), result.out);
}

BOOST_AUTO_TEST_CASE(a_distance_that_is_not_looked_for_is_refused_with_what_to_type) {
  for (const std::string bits : {"9", "8", "-1", "five", "3.5"}) {
    check_refused(convert({"--near-duplicates=" + bits}), 2,
                  "--near-duplicates: expected 0 to 7 bits, found '" + bits + "'",
                  "--near-duplicates=5");
    BOOST_TEST(!fs::exists(dataset));
  }
}

BOOST_AUTO_TEST_CASE(without_the_flag_nothing_is_said_of_them) {
  const CommandResult result = convert({});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(!contains(result.out, "alike"), result.out);
  BOOST_TEST(!contains(result.out, "duplicates.csv"), result.out);
  BOOST_TEST(!has_list());
  BOOST_TEST(inspect()["near_duplicates"].is_null());
  BOOST_TEST(!contains(run_penstock({"inspect", dataset}).out, "alike"));
  const CommandResult json = convert({"--json", "--quiet"});
  BOOST_TEST(nlohmann::json::parse(json.out)["statistics"]["near_duplicates"].is_null());
}

BOOST_AUTO_TEST_CASE(bits_behind_a_space_are_refused_and_make_no_dataset_of_that_name) {
  const std::string hint = "--near-duplicates=3; a path of that name is ./3";
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"convert", source, dataset, "--near-duplicates", "3"},
           {"convert", "--near-duplicates", "3", source, dataset},
           {"convert", source, "--near-duplicates", "3", dataset, "--force"}}) {
    check_refused(run_penstock(line), 2,
                  "wrong arguments: penstock convert: --near-duplicates: expected its bits behind "
                  "'=', found '3' behind a space",
                  hint);
  }
  BOOST_TEST(!fs::exists("3"));
  // One that stands elsewhere, or is a path.
  BOOST_TEST(run_penstock({"convert", source, "--near-duplicates=3", dataset}).exit_code == 0);
  const std::string numbered = (folder.path() / "7").string();
  BOOST_TEST(run_penstock({"convert", source, "--near-duplicates", numbered}).exit_code == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
