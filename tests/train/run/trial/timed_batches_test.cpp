#include "train/run/trial/timed_batches.h"

#include <boost/test/unit_test.hpp>

#include <memory>

namespace penstock::train {
namespace {

/// Hands out `num_left` batches of as many samples as are left.
class Countdown final : public BatchSource {
 public:
  explicit Countdown(std::uint32_t num_batches) : num_left_(num_batches) {}
  const BatchSpec& spec() const noexcept override { return spec_; }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    if (num_left_ == 0) return {};
    BatchView view;
    view.spec = &spec_;
    view.num_valid = num_left_--;
    return {view, owner_, 0};
  }

 private:
  struct Nobody final : LeaseOwner {
    void give_back(std::uint32_t) noexcept override {}
  };
  BatchSpec spec_;
  std::shared_ptr<Nobody> owner_ = std::make_shared<Nobody>();
  std::uint32_t num_left_;
};

/// As a pass takes them.
TimedPass pass_over(std::uint32_t num_batches, const BatchTiming& timing) {
  Countdown countdown(num_batches);
  std::stop_source end;
  TimedBatches source(countdown, end, timing, {});
  while (!end.stop_requested() && source.next()) {
  }
  return source.finish();
}

BOOST_AUTO_TEST_SUITE(timed_batches)

BOOST_AUTO_TEST_CASE(a_pass_ends_when_enough_batches_were_timed) {
  const TimedPass pass = pass_over(20, {.num_warm_up = 3, .min_timed = 2, .enough_s = 0});
  BOOST_TEST(pass.num_batches == 2u);
  BOOST_TEST(pass.num_samples == 17u + 16u);  // behind 20, 19 and 18
  BOOST_TEST(pass.elapsed_s >= pass.waiting_s);
}

BOOST_AUTO_TEST_CASE(a_source_that_ends_before_is_timed_as_far_as_it_goes) {
  const TimedPass pass = pass_over(4, {.num_warm_up = 3, .min_timed = 2, .enough_s = 3600});
  BOOST_TEST(pass.num_batches == 1u);
  BOOST_TEST(pass.num_samples == 1u);
}

BOOST_AUTO_TEST_CASE(with_nothing_behind_the_warm_up_it_counts_too) {
  const TimedPass pass = pass_over(2, {.num_warm_up = 2, .min_timed = 2, .enough_s = 0});
  BOOST_TEST(pass.num_batches == 2u);
  BOOST_TEST(pass.num_samples == 3u);
  BOOST_TEST(pass_over(0, {}).num_batches == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
