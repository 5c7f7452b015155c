// What a user reads of a scan: the numbers are those of the summary, what is left out has a name.
#include "tools/convert/scan_job.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contains;
using tests::write_file;

std::string notices_of(const ConvertConfig& config, const ScannedSources& sources) {
  std::string text;
  for (const std::string& notice : scan_notices(config, sources)) text += notice + "\n";
  return text;
}

BOOST_AUTO_TEST_SUITE(scan_notice)

BOOST_AUTO_TEST_CASE(findings_are_counted_as_pictures_as_in_the_summary) {
  ScannedSources sources;
  const auto find = [&](const char* path, ReasonCode reason, std::uint64_t num_pictures) {
    sources.scan.findings.push_back({.path = path, .reason = reason, .num_pictures = num_pictures});
  };
  // An array that is cut, and its labels, which lose no picture by themselves.
  find("images", ReasonCode::kArchiveTruncated, 3);
  find("labels", ReasonCode::kArchiveTruncated, 0);
  find("x.npz", ReasonCode::kArchiveDamaged, 0);
  find("1.jpg", ReasonCode::kImageWithoutRow, 1);
  const std::string text = notices_of({}, sources);
  BOOST_TEST(contains(text, "3 archive_truncated, listed in 2 rows of quarantine.csv:\n"), text);
  BOOST_TEST(contains(text,
                      "archive_damaged, listed in quarantine.csv; its pictures count by their own "
                      "reasons:\n  x.npz\n"),
             text);
  BOOST_TEST(contains(text, "1 image_without_row, listed in quarantine.csv:\n  1.jpg\n"), text);
}

struct Source {
  Source() { tests::write_cats_and_dogs(config.source, 2); }
  std::string notices() const { return notices_of(config, scan_for_conversion(config, {})); }

  tests::TemporaryFolder folder;
  ConvertConfig config{.source = folder.path() / "photos", .dataset = folder.path() / "ds"};
};

BOOST_AUTO_TEST_CASE(folders_that_are_left_out_are_named) {
  Source source;
  write_file(source.config.source / "cat/.DS_Store", "x");
  BOOST_TEST(!contains(source.notices(), "left out"));
  write_file(source.folder.path() / "eels/1.jpg", "x");
  fs::create_directory_symlink(source.folder.path() / "eels", source.config.source / "eel");
  write_file(source.config.source / ".hidden/1.jpg", "x");
  write_file(source.config.source / "cat/.1.jpg", "x");
  BOOST_TEST(contains(source.notices(),
                      "left out: 1 system, 2 hidden, 1 symbolic link\n"
                      "  .hidden/ (hidden_file)\n"
                      "  cat/.1.jpg (hidden_file)\n"
                      "  eel/ (symlink)\n"));
  for (int i = 0; i < 9; ++i) {
    write_file(source.config.source / "dog" / ("." + std::to_string(i)), "x");
  }
  BOOST_TEST(contains(source.notices(), "\n  and 2 more\n"));
  // Those are in the list of findings, where they are asked for.
  source.config.policies.set("hidden_file=quarantine");
  BOOST_TEST(contains(source.notices(), "left out: 1 system, 1 symbolic link\n  eel/ (symlink)\n"));
}

BOOST_AUTO_TEST_CASE(a_class_alone_is_warned_of_behind_what_is_added_to) {
  Source source;
  fs::remove_all(source.config.source / "dog");
  BOOST_TEST(contains(source.notices(), "warning: there is only one class (cat): "));
  source.config.amend_scan = [](SourceScan& scan) { scan.class_names = {"cat", "dog"}; };
  BOOST_TEST(!contains(source.notices(), "only one class"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
