#include "streamer/order/resume_check.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(resume_check)

LoaderState state_of(const std::string& settings) {
  return {.dataset_id = "a",
          .settings_hash = xxh3_64(settings),
          .settings = settings,
          .epoch = 1,
          .next_position = 10};
}

std::string message_of(const LoaderState& state, const ResumeTarget& target) {
  try {
    check_resume(state, target);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    BOOST_TEST(!error.hint().empty());
    return error.what();
  }
  return "taken";
}

constexpr ResumeTarget kTarget{
    .dataset_id = "a", .settings = "seed=1\norder=windowed\nwindow_bytes=4\n", .num_positions = 10};

BOOST_AUTO_TEST_CASE(a_state_of_the_same_stream_is_taken_up_to_the_end_of_the_epoch) {
  LoaderState state = state_of(std::string(kTarget.settings));
  BOOST_TEST(message_of(state, kTarget) == "taken");
  state.next_position = 11;
  BOOST_TEST(message_of(state, kTarget) ==
             "resume loader: position: expected at most 10, found 11");
  state.next_position = ~std::uint64_t{0};
  BOOST_TEST(message_of(state, kTarget) ==
             "resume loader: position: expected at most 10, found 18446744073709551615");
  state.next_position = 0;
  state.epoch = 0xFFFFFFFFu;
  BOOST_TEST(message_of(state, kTarget) ==
             "resume loader: epoch: expected at most 2147483647, found 4294967295");
}

BOOST_AUTO_TEST_CASE(another_dataset_is_refused_before_its_settings_are_compared) {
  LoaderState state = state_of("seed=2\n");
  state.dataset_id = "b";
  BOOST_TEST(message_of(state, kTarget) == "resume loader: dataset id: expected a, found b");
}

BOOST_AUTO_TEST_CASE(each_setting_that_differs_is_named_with_both_values) {
  BOOST_TEST(message_of(state_of("seed=2\norder=windowed\nwindow_bytes=4\n"), kTarget) ==
             "resume loader: seed: expected 1, found 2");
  BOOST_TEST(message_of(state_of("seed=1\norder=shuffle\nflip=0.5\n"), kTarget) ==
             "resume loader: order: expected windowed, found shuffle; window_bytes: expected 4, "
             "found nothing; flip: expected nothing, found 0.5");
}

BOOST_AUTO_TEST_CASE(what_cuts_and_writes_batches_may_differ_and_nothing_else) {
  const ResumeTarget target{.dataset_id = "a",
                            .settings = "seed=1\nbatch=8\nheight_px=4\nelement=2\nlayout=0\n",
                            .num_positions = 10};
  BOOST_TEST(message_of(state_of("seed=1\nbatch=16\nheight_px=4\nelement=3\nlayout=1\n"), target) ==
             "taken");
  BOOST_TEST(message_of(state_of("seed=1\nbatch=16\nheight_px=5\nelement=3\nlayout=1\n"), target) ==
             "resume loader: height_px: expected 4, found 5");
  BOOST_TEST(message_of(state_of("seed=1\nbatches=8\nheight_px=4\n"), target) ==
             "resume loader: batches: expected nothing, found 8");
}

BOOST_AUTO_TEST_CASE(lines_are_compared_whatever_they_look_like) {
  BOOST_TEST(describe_difference("a=1\n", "a=1\n") == "");
  BOOST_TEST(describe_difference("a=1\na=2\n", "a=2\na=1\n") ==
             "a: expected 1, found 2; a: expected 2, found 1");
  BOOST_TEST(describe_difference("a\n", "a=\n") == "");
  BOOST_TEST(describe_difference("a=b=c", "a=b") == "a: expected b=c, found b");
  BOOST_TEST(describe_difference("", "x") == "x: expected nothing, found ");
  std::string many;
  for (int i = 0; i < 10; ++i) many += std::string(1, static_cast<char>('a' + i)) + "=1\n";
  BOOST_TEST(describe_difference(many, "").ends_with("h: expected 1, found nothing; and 2 more"));
}

BOOST_AUTO_TEST_CASE(a_state_without_its_settings_is_refused_by_their_hash) {
  LoaderState state = state_of(std::string(kTarget.settings));
  state.format = 1;
  state.settings.clear();
  BOOST_TEST(message_of(state, kTarget) == "taken");
  state.settings_hash = 1;
  BOOST_TEST(message_of(state, kTarget) == "resume loader: settings hash: expected " +
                                               hex(xxh3_64(kTarget.settings)) +
                                               ", found 0000000000000001");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
