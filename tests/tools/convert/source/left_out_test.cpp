// Whatever a source is made of, what becomes no picture is counted, and named on request.
#include "tools/convert/source/left_out.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/cifar_batch.h"
#include "fixtures/tar_maker.h"
#include "tests/tools/convert/source/scanned_source.h"
#include "tests/tools/forbidden_folder.h"
#include "tools/convert/reason/scan_reasons.h"

namespace penstock::convert {
namespace {

using fixtures::make_tar;
using tests::ScannedSource;
using Texts = std::vector<std::string>;

Texts passed_over(const SourceScan& scan) {
  Texts found;
  for (const QuarantineEntry& entry : scan.passed_over) {
    found.push_back(std::string(reason_code_name(entry.reason)) + " " + entry.path + " " +
                    std::to_string(entry.size_bytes));
  }
  std::sort(found.begin(), found.end());
  return found;
}

BOOST_AUTO_TEST_SUITE(left_out)

BOOST_AUTO_TEST_CASE(members_of_an_archive_are_named_as_in_a_folder) {
  ScannedSource source;
  source.add("x.tar", make_tar({{"photos/cat/1.jpg", "one"},
                                {"photos/cat/.DS_Store", "four"},
                                {"photos/cat/.git/config", "xx"},
                                {"photos/cat/.git/head", "xx"},
                                {"photos/dog/1.jpg", ""},
                                {.name = "photos/dog/pipe", .type = '6'},
                                {"photos/read.txt", "three"}}));
  SourceScan scan = source.scan("x.tar");
  BOOST_CHECK(
      (passed_over(scan) == Texts{"hidden_file cat/.git/ 0", "outside_classes read.txt 5",
                                  "special_file dog/pipe 0", "system_file cat/.DS_Store 4"}));
  ReasonPolicies policies;
  policies.set("hidden_file=quarantine");
  policies.set("special_file=quarantine");
  apply_policies(scan, policies);
  BOOST_TEST(scan.findings.size() == 2u);
  BOOST_TEST(scan.skipped.num_hidden == 0u);
  BOOST_TEST(scan.skipped.num_special == 0u);
  BOOST_TEST(scan.skipped.num_system == 1u);
}

BOOST_AUTO_TEST_CASE(rows_and_batches_name_what_belongs_to_no_row) {
  ScannedSource source;
  source.add("rows.tar", make_tar({{"1.cls", "0"},
                                   {"1.jpg", "a"},
                                   {"1.png", "bb"},
                                   {"2.cls", "1"},
                                   {"2.jpg", "a"},
                                   {"README", "ccc"},
                                   {".hidden", "d"}}));
  BOOST_CHECK(
      (passed_over(source.scan("rows.tar")) ==
       Texts{"hidden_file .hidden 1", "outside_classes 1.png 2", "outside_classes README 3"}));
  source.add("cifar.tar", make_tar({{"data_batch_1.bin", fixtures::cifar_10_batch(1, 0)},
                                    {"._data_batch_1.bin", "x"}}));
  BOOST_CHECK((passed_over(source.scan("cifar.tar")) == Texts{"system_file ._data_batch_1.bin 1"}));
}

BOOST_AUTO_TEST_CASE(a_folder_of_archives_tells_what_else_lies_in_it) {
  ScannedSource source;
  source.add("cat.tar", make_tar({{"1.jpg", ""}, {".x", "y"}}));
  source.add("dog.tar", make_tar({{"1.jpg", ""}}));
  source.add(".DS_Store", "four");
  const SourceScan scan = source.scan();
  BOOST_TEST(scan.pictures.size() == 2u);
  BOOST_TEST(scan.skipped.num_system == 1u);
  BOOST_TEST(scan.skipped.num_hidden == 1u);
  BOOST_CHECK((passed_over(scan) == Texts{"hidden_file cat/.x 1", "system_file .DS_Store 4"}));
}

BOOST_AUTO_TEST_CASE(an_archive_that_may_not_be_read_costs_the_others_nothing) {
  ScannedSource source;
  source.add("cat.tar", make_tar({{"1.jpg", ""}}));
  source.add("dog.tar", make_tar({{"1.jpg", ""}}));
  source.add("rat.tar", make_tar({{"1.jpg", ""}}));
  std::filesystem::permissions(source.root() / "dog.tar", std::filesystem::perms::none);
  std::filesystem::create_directory(source.root() / "closed");
  const tests::ForbiddenFolder obeying(source.root() / "closed");
  const SourceScan scan = source.scan();
  BOOST_CHECK((tests::listed(scan) ==
               std::map<std::string, std::string>{{"cat/1.jpg", "cat"}, {"rat/1.jpg", "rat"}}));
  Texts found;
  for (const QuarantineEntry& entry : scan.findings) {
    found.push_back(std::string(reason_code_name(entry.reason)) + " " + entry.path);
  }
  BOOST_CHECK((found == Texts{"unreadable closed/", "unreadable dog.tar"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
