// Who may go on with a stopped conversion of a table of labels beside an archive.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/tools/convert/restart/killed_conversion.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

struct TablePlace {
  TablePlace() {
    write_mixed_source(folder.path() / "photos");
    std::string rows = "path,label\nmissing.jpg,cat\n";
    std::vector<fixtures::TarEntry> members;
    for (std::uint32_t i = 0; i < 8; ++i) {
      const std::string name = std::to_string(i) + ".jpg";
      rows += "cat/" + name + ",cat\ndog/" + name + ",dog\n";
      const std::vector<std::byte> jpeg = picture_jpeg({.seed = 100 + i});
      members.push_back({.name = "cat/" + name,
                         .bytes = {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()}});
    }
    write_file(table, rows);
    write_file(folder.path() / "more.tar", fixtures::make_tar(members));
    config = {.source = table,
              .more_sources = {folder.path() / "more.tar"},
              .dataset = folder.path() / "ds",
              .shard_size_bytes = 1u << 20,
              .num_jobs = 2};
    stopped = convert_in_child(config,
                               {.stops_at = [](std::uint64_t num_done) { return num_done == 20; }});
    BOOST_REQUIRE(stopped.num_journalled > 0u);
  }

  void check_refused(const std::string& line) const {
    const ChildResult refused = convert_in_child(config);
    BOOST_TEST(refused.error_code == static_cast<int>(ErrorCode::kAlreadyExists));
    BOOST_TEST(contains(refused.what, "found it changed: " + line), refused.what);
  }

  TemporaryFolder folder{quick_disk()};
  fs::path table = folder.path() / "photos/labels.csv";
  convert::ConvertConfig config;
  ChildResult stopped;
};

void write_later(const fs::path& file) {
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
}

BOOST_FIXTURE_TEST_SUITE(continue_table, TablePlace)

BOOST_AUTO_TEST_CASE(it_goes_on_to_the_dataset_of_an_unbroken_run) {
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  config.dataset = folder.path() / "whole";
  const ChildResult whole = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(whole.is_done, whole.what);
  BOOST_TEST(rest.num_begun == whole.num_begun - stopped.num_journalled);
  BOOST_TEST(rest.report == whole.report);
  BOOST_CHECK(contents(folder.path() / "ds") == contents(config.dataset));
}

BOOST_AUTO_TEST_CASE(a_table_that_was_written_to_since_is_refused_by_its_name) {
  write_later(table);
  check_refused(table.native() + ": written to since");
}

BOOST_AUTO_TEST_CASE(so_is_a_file_that_it_names) {
  write_later(folder.path() / "photos/cat/3.jpg");
  check_refused("labels.csv/cat/3.jpg: written to since");
}

BOOST_AUTO_TEST_CASE(so_is_the_archive_beside_it) {
  write_later(folder.path() / "more.tar");
  check_refused((folder.path() / "more.tar").native() + ": written to since");
}

BOOST_AUTO_TEST_CASE(another_way_to_draw_splits_is_another_conversion) {
  config.split.draw = convert::SplitDraw::kStratified;
  const ChildResult refused = convert_in_child(config);
  BOOST_TEST(contains(refused.what, "found stratify: false before, now true"), refused.what);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
