#include <boost/test/unit_test.hpp>
#include <fstream>

#include "tests/layering/include_rules.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

BOOST_AUTO_TEST_SUITE(layering)

BOOST_AUTO_TEST_CASE(no_include_goes_against_the_dependency_direction) {
  const IncludeReport report = check_includes(PENSTOCK_SOURCE_FOLDER);
  for (const std::string& violation : report.violations) BOOST_ERROR(violation);
  BOOST_TEST(report.num_files > 100u);  // else it looked in the wrong place
}

// Left behind once, in a document that nothing compiles.
BOOST_AUTO_TEST_CASE(no_file_holds_the_marks_of_a_merge) {
  const std::string ours = std::string(7, '<') + " ";
  const std::string theirs = std::string(7, '>') + " ";
  std::size_t num_files = 0;
  for (const char* folder : {"streamer", "augment", "train", "tools", "fixtures", "tests"}) {
    const auto root = std::filesystem::path(PENSTOCK_SOURCE_FOLDER) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      ++num_files;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (line.starts_with(ours) || line.starts_with(theirs)) {
          BOOST_ERROR(entry.path().native() << ": " << line);
        }
      }
    }
  }
  BOOST_TEST(num_files > 100u);
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
  plant(folder.path() / "streamer/read/l.cpp",
        "#include <jpeglib.h>\n#include <turbojpeg.h>\n#include <H5Fpublic.h>\n");
  plant(folder.path() / "augment/m.cpp",
        "# include \"train/n.h\"\n#\tinclude \"../train/n.h\"\n#include \"affine_map.h\"\n"
        "#include \"augment/../train/n.h\"\n#include <jerror.h>\n#include N_HEADER\n"
        "#include <unheard_of/o.h>\n#include <unistd.h>\n#include <sys/mman.h>\n"
        "#include <augment/p.h>\n#include <train/n.h>\n");
  plant(folder.path() / "streamer/streamer.h", "#include \"streamer/read/q.h\"\n");
  plant(folder.path() / "tools/examples/r.cpp",
        "#include \"s.h\"\n#include \"../s.h\"\n#include \"tools/s.h\"\n"
        "#include \"streamer/streamer.h\"\n");
  const std::vector<std::string> expected = {
      "augment/m.cpp:11: may not include train/n.h",
      "augment/m.cpp:1: may not include train/n.h",
      "augment/m.cpp:2: may not include ../train/n.h",
      "augment/m.cpp:3: may not include affine_map.h",
      "augment/m.cpp:4: may not include augment/../train/n.h",
      "augment/m.cpp:5: may not include jerror.h",
      "augment/m.cpp:6: may not include #include N_HEADER",
      "augment/m.cpp:7: may not include unheard_of/o.h",
      "streamer/core/e.h:1: may not include streamer/shard/f.h",
      "streamer/pipeline/g.h:1: may not include tbb/flow_graph.h",
      "streamer/read/a.h:2: may not include augment/b.h",
      "streamer/read/l.cpp:2: may not include turbojpeg.h",
      "streamer/read/l.cpp:3: may not include H5Fpublic.h",
      "tools/examples/r.cpp:2: may not include ../s.h",
      "tools/examples/r.cpp:3: may not include tools/s.h",
      "train/loop/c.cpp:1: may not include train/run/d.h",
      "train/loop/c.cpp:2: may not include hdf5.h",
      "train/run/h.cpp:3: may not include tools/k.h"};
  const IncludeReport report = check_includes(folder.path());
  BOOST_TEST(report.violations == expected, boost::test_tools::per_element());
  BOOST_TEST(report.num_files == 10u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
