#include "tests/layering/public_headers.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

// Headers in the CMake lists of the libraries, those of `folder`, from the tree's root.
std::set<std::string> installed_headers(const std::string& folder) {
  std::set<std::string> headers;
  std::ifstream list(PENSTOCK_INSTALLED_HEADERS);
  for (std::string path; std::getline(list, path);) {
    std::string header =
        std::filesystem::path(path).lexically_relative(PENSTOCK_SOURCE_FOLDER).generic_string();
    if (header.starts_with(folder)) headers.insert(std::move(header));
  }
  return headers;
}

// What a program of augment includes.
const std::vector<std::string> kAugmentDoors = {"augment/augment_transform.h",
                                                "augment/batch_mix.h",
                                                "augment/crop_transform.h"};

HeaderClosure reached_from(const std::vector<std::string>& entries, const std::string& folder) {
  HeaderClosure closure = header_closure(PENSTOCK_SOURCE_FOLDER, entries);
  std::erase_if(closure.headers,
                [&](const std::string& header) { return !header.starts_with(folder); });
  return closure;
}

std::vector<std::string> missing_from(const std::set<std::string>& there,
                                      const std::set<std::string>& wanted) {
  std::vector<std::string> missing;
  std::ranges::set_difference(wanted, there, std::back_inserter(missing));
  return missing;
}

void check_doors(const std::vector<std::string>& entries, const std::string& folder) {
  const HeaderClosure reached = reached_from(entries, folder);
  const std::set<std::string> installed = installed_headers(folder);
  for (const std::string& header : missing_from(installed, reached.headers)) {
    BOOST_ERROR(header << ": expected among the installed HEADERS of its CMakeLists.txt, as "
                       << entries.front() << " or another door includes it");
  }
  for (const std::string& header : missing_from(reached.headers, installed)) {
    BOOST_ERROR(header << ": expected not to be installed, as nothing that " << entries.front()
                       << " or another door includes reaches it");
  }
  for (const std::string& line : reached.foreign) BOOST_ERROR(line);
}

/// All that is reached lies in these folders and is installed.
void check_installed(const HeaderClosure& reached, const std::vector<std::string>& folders) {
  BOOST_TEST(reached.headers.size() > 5u);  // else it looked in the wrong place
  for (const std::string& header : reached.headers) {
    const bool is_there = std::ranges::any_of(folders, [&](const std::string& folder) {
      return header.starts_with(folder) && installed_headers(folder).contains(header);
    });
    BOOST_TEST(is_there, header << " is not installed");
  }
}

BOOST_AUTO_TEST_SUITE(public_headers)

BOOST_AUTO_TEST_CASE(what_the_streamer_installs_is_what_its_one_include_reaches) {
  check_doors({"streamer/streamer.h"}, "streamer/");
}

BOOST_AUTO_TEST_CASE(what_augment_installs_is_what_its_transforms_reach) {
  check_doors(kAugmentDoors, "augment/");
  check_installed(header_closure(PENSTOCK_SOURCE_FOLDER, kAugmentDoors), {"streamer/", "augment/"});
}

// Beside what its one include reaches, train installs headers of their own use: losses, the search for a rate.
BOOST_AUTO_TEST_CASE(what_the_one_include_of_train_reaches_is_installed) {
  const HeaderClosure reached = header_closure(PENSTOCK_SOURCE_FOLDER, {"train/train.h"});
  check_installed(reached, {"streamer/", "train/"});
  for (const std::string& line : reached.foreign) BOOST_ERROR(line);
}

BOOST_AUTO_TEST_CASE(what_run_installs_is_what_its_one_include_reaches) {
  check_doors({"train/run/run.h"}, "train/run/");
  check_installed(header_closure(PENSTOCK_SOURCE_FOLDER, {"train/run/run.h"}),
                  {"streamer/", "augment/", "train/"});
}

BOOST_AUTO_TEST_CASE(a_closure_holds_what_is_included_and_names_what_is_foreign) {
  const TemporaryFolder folder;
  const auto plant = [&](const char* name, const char* text) {
    std::ofstream(folder.path() / name) << text;
  };
  plant("a.h", "#include <vector>\n#include \"b.h\"\n#include \"gone.h\"\n");
  plant("b.h", "  #include \"a.h\"\n#include <jpeglib.h>\n#include <tbb/flow_graph.h>\n");
  plant("c.h", "#include \"a.h\"\n");
  const HeaderClosure closure = header_closure(folder.path(), {"a.h"});
  BOOST_TEST((closure.headers == std::set<std::string>{"a.h", "b.h"}));
  BOOST_TEST(closure.foreign ==
                 (std::vector<std::string>{"a.h: includes gone.h", "b.h: includes jpeglib.h",
                                           "b.h: includes tbb/flow_graph.h"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
