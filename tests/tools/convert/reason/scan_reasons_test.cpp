#include "tools/convert/reason/scan_reasons.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

SourceScan some_scan() {
  SourceScan scan;
  scan.class_names = {"cat", "dog"};
  scan.pictures.add({.name = "cat/1.jpg", .class_idx = 0, .split = {}});
  scan.skipped.num_symlinks = 2;
  scan.num_outside = 1;
  scan.passed_over = {{.path = "cat/link", .reason = ReasonCode::kSymlink},
                      {.path = "dog/link", .reason = ReasonCode::kSymlink},
                      {.path = "1.jpg", .reason = ReasonCode::kOutsideClasses}};
  return scan;
}

bool names_path(SourceScan scan, const char* choice, const std::string& path) {
  ReasonPolicies policies;
  policies.set(choice);
  try {
    apply_policies(scan, policies);
  } catch (const Error& error) {
    return error.code() == ErrorCode::kTooManyBad &&
           std::string(error.what()).find(": " + path + ": ") != std::string::npos;
  }
  return false;
}

BOOST_AUTO_TEST_SUITE(scan_reasons)

BOOST_AUTO_TEST_CASE(by_default_what_was_passed_over_is_counted_alone) {
  SourceScan scan = some_scan();
  apply_policies(scan, {});
  BOOST_TEST(scan.findings.empty());
  BOOST_TEST(scan.skipped.num_symlinks == 2u);
  BOOST_TEST(scan.num_outside == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_listed_is_no_longer_counted_as_left_out) {
  SourceScan scan = some_scan();
  ReasonPolicies policies;
  policies.set("symlink=quarantine");
  apply_policies(scan, policies);
  BOOST_TEST(scan.findings.size() == 2u);
  BOOST_TEST(scan.skipped.num_symlinks == 0u);
  BOOST_TEST(scan.num_outside == 1u);
}

BOOST_AUTO_TEST_CASE(stop_names_what_was_found) {
  BOOST_TEST(names_path(some_scan(), "symlink=stop", "cat/link"));
  BOOST_TEST(names_path(some_scan(), "outside_classes=stop", "1.jpg"));
  BOOST_TEST(names_path(some_scan(), "empty_class=stop", "dog"));
  SourceScan single = some_scan();
  single.class_names.pop_back();
  BOOST_TEST(names_path(std::move(single), "one_class=stop", "cat"));
  BOOST_TEST(!names_path(some_scan(), "one_class=stop", "cat"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
