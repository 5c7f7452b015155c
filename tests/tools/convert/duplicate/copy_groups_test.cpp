#include "tools/convert/duplicate/copy_groups.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

namespace penstock::convert {
namespace {

using enum SplitKind;

struct Fixture {
  void add(const std::string& name, SplitKind split, std::uint32_t class_idx) {
    pictures.add({.name = name, .class_idx = class_idx, .split = split});
    group.push_back(static_cast<std::uint32_t>(group.size()));
  }
  // "b: duplicate_within_class of a", in the order of the findings.
  std::vector<std::string> resolve() {
    std::vector<std::string> lines;
    resolve_copies(group, pictures, policies, [&](const CopyFinding& finding) {
      lines.push_back(std::string(pictures.name(finding.picture_idx)) + ": " +
                      std::string(reason_code_name(finding.reason)) + " of " +
                      std::string(pictures.name(finding.other_idx)) +
                      (finding.is_dropped ? ", dropped" : ""));
    });
    return lines;
  }
  void check(const std::vector<std::string>& expected) {
    const std::vector<std::string> found = resolve();
    BOOST_TEST(found == expected, boost::test_tools::per_element());
  }

  PictureList pictures;
  std::vector<std::uint32_t> group;
  ReasonPolicies policies;
};

BOOST_FIXTURE_TEST_SUITE(copy_groups, Fixture)

BOOST_AUTO_TEST_CASE(a_picture_alone_is_no_copy) {
  add("a", kTrain, 0);
  check({});
}

BOOST_AUTO_TEST_CASE(the_test_split_comes_first_then_validation_then_the_class_then_the_name) {
  add("t", kTrain, 0);
  add("v", kValidation, 1);
  add("b", kTest, 0);
  add("a", kTest, 0);
  check({"b: duplicate_within_class of a", "v: duplicate_across_splits of a",
         "v: duplicate_across_classes of a", "t: duplicate_across_splits of a",
         "t: duplicate_across_classes of v"});
}

BOOST_AUTO_TEST_CASE(what_is_dropped_is_nothing_that_others_are_copies_of) {
  policies.set("duplicate_across_classes=quarantine");
  add("a", kTest, 0);
  add("b", kTrain, 0);
  add("c", kTrain, 1);
  add("d", kTrain, 1);
  check({"b: duplicate_across_splits of a", "c: duplicate_across_splits of a, dropped",
         "c: duplicate_across_classes of a, dropped", "d: duplicate_across_splits of a, dropped",
         "d: duplicate_across_classes of a, dropped"});
  // Without c and d, a picture of class 0 that comes behind them is a copy within its class.
  add("e", kTrain, 0);
  BOOST_TEST(resolve()[1] == "e: duplicate_across_splits of a");
  BOOST_TEST(resolve()[2] == "e: duplicate_within_class of b");
}

// The twin compares every picture with all that were kept before it.
BOOST_AUTO_TEST_CASE(random_groups_are_resolved_as_by_comparing_all_pairs) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    pictures = {};
    group.clear();
    policies = {};
    for (const char* reason :
         {"duplicate_within_class", "duplicate_across_classes", "duplicate_across_splits"}) {
      if (random() % 2 == 0) policies.set(std::string(reason) + "=quarantine");
    }
    for (unsigned i = 0; i < 2 + random() % 12; ++i) {
      add("n" + std::to_string(100 - i), static_cast<SplitKind>(random() % 3),
          static_cast<std::uint32_t>(random() % 3));
    }
    std::vector<std::uint32_t> order = group;
    std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
      const auto key = [&](std::uint32_t idx) {
        const ListedPicture one = pictures[idx];
        return std::tuple(2 - static_cast<int>(*one.split), one.class_idx, one.name);
      };
      return key(a) < key(b);
    });
    std::vector<std::uint32_t> kept;
    std::vector<std::uint32_t> dropped;
    for (const std::uint32_t idx : order) {
      const ListedPicture one = pictures[idx];
      bool goes = false;
      for (const std::uint32_t before : kept) {
        const ListedPicture other = pictures[before];
        const bool is_same = other.split == one.split && other.class_idx == one.class_idx;
        const auto drops = [&](ReasonCode code) { return policies[code] == Policy::kQuarantine; };
        goes = goes || (is_same && drops(ReasonCode::kDuplicateWithinClass)) ||
               (other.split != one.split && drops(ReasonCode::kDuplicateAcrossSplits)) ||
               (other.class_idx != one.class_idx && drops(ReasonCode::kDuplicateAcrossClasses));
      }
      (goes ? dropped : kept).push_back(idx);
    }
    std::vector<std::uint32_t> found;
    std::ranges::shuffle(group, random);
    resolve_copies(group, pictures, policies, [&](const CopyFinding& finding) {
      if (!finding.is_dropped) return;
      if (found.empty() || found.back() != finding.picture_idx)
        found.push_back(finding.picture_idx);
    });
    BOOST_REQUIRE_MESSAGE(found == dropped, "seed " << seed << ", round " << round);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
