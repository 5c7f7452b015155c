#include "train/run/inference/test_time_flip.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "tests/train/backend/odd_models.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
namespace {

/// Two batches of noise, the last one short; sample i has the class i % 3.
class NoiseSource final : public BatchSource {
 public:
  NoiseSource(const BatchSpec& spec, bool is_mirrored) : spec_(spec), is_mirrored_(is_mirrored) {}

  static constexpr std::uint32_t kNumSamples = 6;

  const BatchSpec& spec() const noexcept override { return spec_; }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    if (first_ >= kNumSamples) return {};
    auto batch = std::make_shared<Batch>();
    batch->num_valid = std::min(spec_.batch, kNumSamples - first_);
    batch->pixels.resize(spec_.batch * spec_.sample_bytes() / sizeof(float));
    batch->class_idx.assign(spec_.batch, kUnlabelled);
    batch->weights.assign(spec_.batch, 0.0f);
    batch->ids.assign(spec_.batch, 0);
    for (std::uint32_t n = 0; n < batch->num_valid; ++n) {
      fill(*batch, n);
      batch->class_idx[n] = (first_ + n) % 3;
      batch->weights[n] = 1;
      batch->ids[n] = first_ + n;
    }
    first_ += batch->num_valid;
    BatchView view;
    view.spec = &spec_;
    view.pixels = reinterpret_cast<const std::byte*>(batch->pixels.data());
    view.class_idx = batch->class_idx;
    view.weights = batch->weights;
    view.sample_ids = batch->ids;
    view.num_valid = batch->num_valid;
    view.ends_epoch = first_ == kNumSamples;
    return {view, batch, 0};
  }

 private:
  struct Batch final : LeaseOwner {
    std::vector<float> pixels;
    std::vector<std::uint32_t> class_idx;
    std::vector<float> weights;
    std::vector<std::uint64_t> ids;
    std::uint32_t num_valid = 0;
    void give_back(std::uint32_t) noexcept override {}
  };

  /// The same picture whatever the layout, mirrored by the definition where that is asked for.
  void fill(Batch& batch, std::uint32_t n) const {
    std::mt19937 random(100 + first_ + n);
    std::normal_distribution<float> drawn;
    for (std::size_t c = 0; c < spec_.channels; ++c) {
      for (std::size_t y = 0; y < spec_.height_px; ++y) {
        for (std::size_t x = 0; x < spec_.width_px; ++x) {
          const std::size_t column = is_mirrored_ ? spec_.width_px - 1 - x : x;
          const bool is_nchw = spec_.layout == PixelLayout::kNchw;
          const std::size_t at =
              is_nchw ? ((n * spec_.channels + c) * spec_.height_px + y) * spec_.width_px + column
                      : ((n * spec_.height_px + y) * spec_.width_px + column) * spec_.channels + c;
          batch.pixels[at] = drawn(random);
        }
      }
    }
  }

  BatchSpec spec_;
  bool is_mirrored_;
  std::uint32_t first_ = 0;
};

struct Scores final : ScoreObserver {
  std::vector<std::vector<float>> rows;
  void on_scores(const ScoredBatch& batch) override {
    for (std::size_t n = 0; n < batch.class_idx.size(); ++n) {
      const auto row = batch.logits.subspan(n * batch.num_classes, batch.num_classes);
      rows.emplace_back(row.begin(), row.end());
    }
  }
};

std::vector<double> softmax_of(const std::vector<float>& scores) {
  std::vector<double> shares;
  for (const float score : scores) shares.push_back(std::exp(static_cast<double>(score)));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

BOOST_AUTO_TEST_SUITE(test_time_flip)

BOOST_AUTO_TEST_CASE(a_picture_is_turned_around_its_vertical_axis_in_either_layout) {
  const std::vector<float> nhwc = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60};  // 2 rows of 3
  const std::vector<float> nchw = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
  const auto mirrored = [](PixelLayout layout, const std::vector<float>& from) {
    std::vector<float> to(from.size());
    mirror_picture({.batch = 1, .height_px = 2, .width_px = 3, .channels = 2, .layout = layout},
                   reinterpret_cast<const std::byte*>(from.data()),
                   reinterpret_cast<std::byte*>(to.data()));
    return to;
  };
  BOOST_TEST((mirrored(PixelLayout::kNhwc, nhwc) ==
              std::vector<float>{3, 30, 2, 20, 1, 10, 6, 60, 5, 50, 4, 40}));
  BOOST_TEST((mirrored(PixelLayout::kNchw, nchw) ==
              std::vector<float>{3, 2, 1, 6, 5, 4, 30, 20, 10, 60, 50, 40}));
}

// Shares of 1/2 and 1/2, and of 9/10 and 1/10: their means are 7/10 and 3/10.
BOOST_AUTO_TEST_CASE(the_mean_is_that_of_the_probabilities) {
  const std::vector<float> a = {5, 5}, b = {std::log(9.0f), 0};
  std::vector<float> mean(2);
  mean_prediction(a, b, mean);
  BOOST_TEST(std::exp(mean[0]) == 0.7f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(std::exp(mean[1]) == 0.3f, boost::test_tools::tolerance(1e-6f));
}

// exp(-2,000) is 0 in double; half of it has a logarithm all the same.
BOOST_AUTO_TEST_CASE(a_class_that_both_rule_out_keeps_a_finite_score) {
  const std::vector<float> a = {2000, 0};
  std::vector<float> mean(2);
  mean_prediction(a, a, mean);
  BOOST_TEST(mean[0] == 0.0f);
  BOOST_TEST(mean[1] == -2000.0f);
}

BOOST_AUTO_TEST_CASE(each_sample_is_scored_with_its_mirror_image_and_counted_once) {
  const ModelGraph graph = strided_model();
  for (const bool is_reference : {true, false}) {
    const auto backend = is_reference ? make_reference_backend({}) : make_onednn_backend({});
    ProgramSet programs(*backend, graph, {.train_batch = 0, .evaluation_batch = 4});
    programs.bind();
    initialize_params(programs.any_program(), graph, 9);
    const BatchSpec spec = backend->input_spec(graph, 4);
    const auto scores_of = [&](BatchSource& source, PassReport& report) {
      Scores scores;
      report = evaluate_epoch(programs, {.source = source, .num_samples = 6}, &scores);
      return scores.rows;
    };
    PassReport report_plain, report_mirrored;
    NoiseSource plain_source(spec, false), mirrored_source(spec, true), source(spec, false);
    const auto plain = scores_of(plain_source, report_plain);
    const auto mirrored = scores_of(mirrored_source, report_mirrored);

    Scores flipped;
    TestTimeFlip flip(source, programs, flipped);
    const PassReport report = evaluate_epoch(programs, {.source = flip, .num_samples = 6}, &flip);
    BOOST_TEST(report.num_samples == 6u);
    BOOST_TEST(report.totals.num_counted == 6u);
    BOOST_TEST(report.totals.weighted_loss_sum == report_plain.totals.weighted_loss_sum);
    BOOST_REQUIRE(flipped.rows.size() == 6u);
    for (std::size_t n = 0; n < 6; ++n) {
      const auto a = softmax_of(plain[n]), b = softmax_of(mirrored[n]);
      const auto found = softmax_of(flipped.rows[n]);
      BOOST_TEST(std::abs(a[0] - b[0]) > 1e-3);  // else it would show nothing
      for (std::size_t k = 0; k < 3; ++k) {
        BOOST_TEST(found[k] == (a[k] + b[k]) / 2, boost::test_tools::tolerance(1e-5));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
