#include "streamer/read/admission.h"

#include <boost/test/unit_test.hpp>

#include "streamer/pipeline/resize_transform.h"
#include "streamer/read/run_layout.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(admission)

const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 16};

BOOST_AUTO_TEST_CASE(runs_are_cut_by_bytes_and_by_count_and_never_empty) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(20));
  const auto transform = std::make_shared<ResizeTransform>();
  for (const std::size_t max_bytes :
       {std::size_t{1}, std::size_t{200'000}, std::size_t{10'000'000}}) {
    for (const std::uint32_t max_samples : {1u, 3u, 64u}) {
      const Admission admission(
          dataset.split("train"),
          {.spec = kSpec, .max_run_bytes = max_bytes, .max_run_samples = max_samples}, transform);
      std::vector<SampleTask> tasks(20);
      for (std::uint64_t i = 0; i < 20; ++i)
        admission.plan({.sample_id = i, .position = i}, tasks[i]);
      std::size_t at = 0;
      while (at < tasks.size()) {
        const auto rest = std::span(tasks).subspan(at);
        const std::uint32_t size = admission.next_run_size(rest);
        BOOST_REQUIRE(size >= 1u);
        BOOST_REQUIRE(size <= max_samples);
        const std::size_t bytes = run_layout(rest.first(size)).total_bytes();
        BOOST_REQUIRE((size == 1 || bytes <= max_bytes));
        at += size;
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_costliest_and_the_mean_of_a_split_are_those_of_its_samples) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(40));
  const auto transform = std::make_shared<ResizeTransform>();
  const Admission admission(dataset.split("train"), {.spec = kSpec}, transform);
  std::size_t worst = 0;
  std::size_t sum = 0;
  std::size_t sum_encoded = 0;
  SampleTask task;
  for (std::uint64_t i = 0; i < 40; ++i) {
    admission.plan({.sample_id = i, .position = i}, task);
    worst = std::max(worst, run_layout({&task, 1}).total_bytes());
    sum += run_layout({&task, 1}).total_bytes();
    sum_encoded += run_layout({&task, 1}).encoded_bytes;
  }
  const SampleCosts costs = sample_costs(dataset.split("train"), kSpec, *transform);
  BOOST_TEST(costs.costliest.bytes == worst);
  BOOST_TEST(costs.mean_bytes == sum / 40);
  BOOST_TEST(costs.mean_encoded_bytes == sum_encoded / 40);
}

class NeedyTransform final : public SampleTransform {
 public:
  static constexpr std::size_t kScratchBytes = std::size_t{6} << 30;

  void accept(const BatchSpec&) const override {}
  SamplePlan plan(const SampleInfo& info, const BatchSpec&, const Draws&) const noexcept override {
    return {.source_region = {0, 0, info.width_px, info.height_px}, .scratch_bytes = kScratchBytes};
  }
  void apply(const DecodedView&, const SamplePlan&, std::span<std::byte>,
             const SampleSlot&) const noexcept override {}
  std::uint32_t finest_decode_scale(const SampleInfo&, const BatchSpec&) const noexcept override {
    return 1;
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override {
    return kScratchBytes;
  }
  std::string identity() const override { return {}; }
};

// Beside it lie 4 x 4 x 3 bytes stored and as many decoded, in whole lines.
BOOST_AUTO_TEST_CASE(scratch_beyond_four_gibibytes_is_priced_in_full) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", {tests::raw_sample(4, 4, 0)});
  const SampleCosts costs = sample_costs(dataset.split("train"), kSpec, NeedyTransform());
  BOOST_TEST(costs.costliest.bytes >= NeedyTransform::kScratchBytes);
  BOOST_TEST(costs.costliest.bytes <= NeedyTransform::kScratchBytes + 1024);
}

// A picture of several scans holds 2 bytes a coefficient: of 64 x 64 pixels at 4:4:4 24,576 bytes.
BOOST_AUTO_TEST_CASE(the_costliest_sample_is_named_with_what_it_would_take_as_baseline) {
  const tests::TemporaryFolder folder;
  const fixtures::JpegOptions progressive{.subsampling = fixtures::ChromaSubsampling::k444,
                                          .is_progressive = true};
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", {tests::jpeg_sample(64, 64, 0),
                                                       tests::jpeg_sample(64, 64, 1, progressive),
                                                       tests::jpeg_sample(48, 48, 2, progressive)});
  const CostliestSample found =
      sample_costs(dataset.split("train"), kSpec, ResizeTransform()).costliest;
  BOOST_TEST(found.sample_id == 1u);
  BOOST_TEST(found.stored.is_progressive);
  BOOST_TEST(found.stored.width_px == 64u);
  BOOST_TEST(found.bytes_if_baseline < found.bytes);
  BOOST_TEST(found.bytes - found.bytes_if_baseline >= 64u * 64u * 3u * 2u);
}

// Raw pictures have one decode scale: their pixels, in steps of 64 bytes as all of the arena is.
BOOST_AUTO_TEST_CASE(what_a_cache_would_keep_of_a_split_is_what_its_samples_take) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  std::uint64_t sum_bytes = 0;
  for (std::uint32_t i = 0; i < 30; ++i) {
    samples.push_back(tests::raw_sample(5 + i, 9, i));
    sum_bytes += ((5 + i) * 9 * 3 + 63) / 64 * 64;
  }
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", samples).split("train");
  for (const CacheForm form : {CacheForm::kNone, CacheForm::kEncoded, CacheForm::kDecoded}) {
    BOOST_TEST_CONTEXT(cache_form_name(form)) {
      const SampleCosts costs = sample_costs(split, kSpec, ResizeTransform(), form);
      const bool keeps = form != CacheForm::kNone;
      BOOST_TEST(costs.cache_demand.num_entries == (keeps ? 30u : 0u));
      BOOST_TEST(costs.cache_demand.bytes == (keeps ? sum_bytes : 0u));
      BOOST_TEST(costs.costliest.bytes ==
                 sample_costs(split, kSpec, ResizeTransform()).costliest.bytes);
    }
  }
}

// 64 and more pixels to 16: all four scales of a JPEG may be drawn, down to an eighth.
BOOST_AUTO_TEST_CASE(a_cache_of_decoded_pictures_would_keep_each_scale_that_may_be_drawn) {
  const tests::TemporaryFolder folder;
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", {tests::jpeg_sample(64, 64, 1)})
          .split("train");
  const auto num_kept = [&](const ResizeConfig& resize) {
    return sample_costs(split, kSpec, ResizeTransform(resize), CacheForm::kDecoded)
        .cache_demand.num_entries;
  };
  BOOST_TEST(num_kept({.decode_scaling = false}) == 4u);  // from 1 on
  BOOST_TEST(num_kept({}) == 2u);                         // from a quarter on
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
