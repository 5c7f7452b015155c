#include "tools/convert/reason/reason_policies.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

auto says(const std::string& what, const std::string& hint) {
  return [=](const Error& error) {
    BOOST_TEST(error.what() == what);
    BOOST_TEST(error.hint() == hint);
    return error.code() == ErrorCode::kInvalidArgument;
  };
}

BOOST_AUTO_TEST_SUITE(reason_policies)

BOOST_AUTO_TEST_CASE(defaults_are_those_of_the_table) {
  const ReasonPolicies policies;
  for (const ReasonInfo& info : all_reasons()) {
    BOOST_CHECK(policies[info.code] == info.default_policy);
  }
  BOOST_TEST(policies.changes() == "");
}

BOOST_AUTO_TEST_CASE(a_choice_changes_one_reason) {
  ReasonPolicies policies;
  policies.set("truncated=fix");
  policies.set("cmyk=stop");
  BOOST_TEST(policies.fixes(ReasonCode::kTruncated));
  BOOST_CHECK(policies[ReasonCode::kCmyk] == Policy::kStop);
  BOOST_CHECK(policies[ReasonCode::kYcck] == Policy::kFix);
  BOOST_TEST(policies.changes() == "truncated=fix cmyk=stop");
  policies.set("truncated=quarantine");
  BOOST_TEST(policies.changes() == "cmyk=stop");
}

BOOST_AUTO_TEST_CASE(unknown_names_are_answered_with_the_nearest) {
  ReasonPolicies policies;
  BOOST_CHECK_EXCEPTION(
      policies.set("gray_scale=keep"), Error,
      says("--on: expected the name of a reason, found 'gray_scale'", "did you mean 'grayscale'?"));
  BOOST_CHECK_EXCEPTION(policies.set("weather=keep"), Error,
                        says("--on: expected the name of a reason, found 'weather'",
                             "penstock convert --list-reasons names them"));
  BOOST_CHECK_EXCEPTION(policies.set("cmyk=quarantin"), Error,
                        says("--on cmyk: expected fix or quarantine or stop, found 'quarantin'",
                             "did you mean 'quarantine'?"));
  // A policy of other reasons is no misspelt stop.
  BOOST_CHECK_EXCEPTION(policies.set("empty_file=skip"), Error,
                        says("--on empty_file: expected quarantine or stop, found 'skip'",
                             "known names: quarantine stop"));
  BOOST_CHECK_EXCEPTION(policies.set("cmyk"), Error,
                        says("--on: expected REASON=POLICY, found 'cmyk'", "--on truncated=fix"));
}

BOOST_AUTO_TEST_CASE(what_a_reason_does_not_allow_is_refused) {
  ReasonPolicies policies;
  BOOST_CHECK_THROW(policies.set("empty_file=keep"), Error);
  BOOST_CHECK_THROW(policies.set(ReasonCode::kEmptyFile, Policy::kFix), Error);
  BOOST_CHECK_THROW(policies.set("constant=skip"), Error);
  BOOST_CHECK(policies == ReasonPolicies{});
}

BOOST_AUTO_TEST_CASE(sets_hold_reasons_and_counts_tell_them_apart) {
  ReasonSet reasons{ReasonCode::kCmyk, ReasonCode::kConstant};
  BOOST_TEST(reasons.has(ReasonCode::kConstant));
  BOOST_TEST(!reasons.has(ReasonCode::kYcck));
  ReasonCounts counts;
  counts.add_stored(reasons, {ReasonCode::kCmyk});
  BOOST_TEST(counts.num_fixed(ReasonCode::kCmyk) == 1u);
  BOOST_TEST(counts.num_kept(ReasonCode::kCmyk) == 0u);
  BOOST_TEST(counts.num_kept(ReasonCode::kConstant) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
