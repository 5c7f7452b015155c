#include <boost/test/unit_test.hpp>
#include <fstream>

#include "tests/layering/include_rules.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

BOOST_AUTO_TEST_SUITE(layering)

BOOST_AUTO_TEST_CASE(no_include_goes_against_the_dependency_direction) {
  const auto violations = find_include_violations(PENSTOCK_SOURCE_FOLDER);
  for (const std::string& violation : violations) BOOST_ERROR(violation);
}

void plant(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

BOOST_AUTO_TEST_CASE(planted_includes_are_found) {
  const TemporaryFolder folder;
  plant(folder.path() / "streamer/read/a.h", "\n  #include \"augment/b.h\"\n");
  plant(folder.path() / "train/loop/c.cpp", "#include \"train/run/d.h\"\n#include <hdf5.h>\n");
  plant(folder.path() / "streamer/core/e.h",
        "#include \"streamer/shard/f.h\"\n#include <vector>\n");
  plant(folder.path() / "streamer/pipeline/g.h", "#include <tbb/flow_graph.h>\n");
  plant(folder.path() / "streamer/pipeline/g.cpp", "#include <tbb/flow_graph.h>\n");
  plant(folder.path() / "train/run/h.cpp",
        "#include \"train/loop/i.h\"\n#include \"augment/j.h\"\n#include \"tools/k.h\"\n");
  const std::vector<std::string> expected = {
      "streamer/core/e.h:1: may not include streamer/shard/f.h",
      "streamer/pipeline/g.h:1: may not include tbb/flow_graph.h",
      "streamer/read/a.h:2: may not include augment/b.h",
      "train/loop/c.cpp:1: may not include train/run/d.h",
      "train/loop/c.cpp:2: may not include hdf5.h",
      "train/run/h.cpp:3: may not include tools/k.h"};
  BOOST_TEST(find_include_violations(folder.path()) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
