// That train/store/CHECKPOINT.md names what a run writes: columns of metrics and fields of state.json. What is in its
// parts: checkpoint_document_test.cpp.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

using tests::TinyRun;
using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

/// The document's part under a title.
std::string section(const std::string& title) {
  const std::string document =
      read_text_file(std::filesystem::path(PENSTOCK_SOURCE_DIR) / "train/store/CHECKPOINT.md");
  const std::size_t begin = document.find("\n" + title + "\n");
  BOOST_REQUIRE_MESSAGE(begin != std::string::npos, title);
  return document.substr(begin, document.find("\n#", begin + title.size()) - begin);
}

Names quoted(const std::string& text) {
  Names names;
  for (std::size_t at = text.find('`'); at != std::string::npos; at = text.find('`', at)) {
    const std::size_t end = text.find('`', at + 1);
    names.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

/// What is quoted in the first cells of a section's tables.
Names first_cells(const std::string& text) {
  Names names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const Names cell = quoted(line.substr(0, line.find(" | ")));
    names.insert(names.end(), cell.begin(), cell.end());
  }
  return names;
}

Names keys_of(const Json& object) {
  Names names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

void check_equal(const Names& found, const Names& expected) {
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

struct DocumentedRun : TinyRun {
  DocumentedRun() { train_run(config(), watcher, {}); }
  Json state() const {
    std::filesystem::path newest;
    for (const auto& entry : std::filesystem::directory_iterator(out / "checkpoints")) {
      newest = std::max(newest, entry.path());
    }
    return Json::parse(read_text_file(newest / "state.json"));
  }
};

BOOST_FIXTURE_TEST_SUITE(run_documents, DocumentedRun)

BOOST_AUTO_TEST_CASE(columns_of_metrics_are_those_of_the_document) {
  Names columns = first_cells(section("## metrics.csv"));
  std::erase(columns, "val_top5_accuracy");  // of more than 5 classes; here are two
  const std::string text = read_text_file(out / "metrics.csv");
  std::istringstream head(text.substr(0, text.find('\n')));
  Names found;
  for (std::string name; std::getline(head, name, ',');) found.push_back(name);
  check_equal(found, columns);
}

BOOST_AUTO_TEST_CASE(fields_of_state_are_those_of_the_document) {
  Names fields = first_cells(section("### state.json"));
  const auto parts =
      std::ranges::find(fields, "epochs");  // the table of parts is the section's second
  BOOST_REQUIRE((parts != fields.end()));
  fields.erase(parts, fields.end());
  fields.push_back("xxh3");
  check_equal(keys_of(state()), fields);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
