// What decoding at a fraction of the size costs: the same pictures, resized from there and from full size,
// compared as bytes. By hand with a dataset of real photographs, whose figures augment/README.md gives:
//   PENSTOCK_QUALITY_DATASET=photos.ds build/dev/test_augment --run_test=decode_quality -l message
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

#include "augment/augment_transform.h"
#include "fixtures/shape_picture.h"
#include "streamer/pipeline/loader.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock::augment {
namespace {

constexpr std::uint32_t kSidePx = 112;

/// All pictures of a split, whole, resized to kSidePx, in units of bytes.
std::vector<std::vector<float>> resized(const DatasetSplit& split, Interpolation interpolation,
                                        DecodeScaling scaling) {
  MemoryBudget budget(512u << 20);
  Loader loader(split,
                {.batch = {.batch = 1, .height_px = kSidePx, .width_px = kSidePx},
                 .order = SampleOrder::kSequential},
                std::make_shared<AugmentTransform>(AugmentConfig{
                    .rescale = 1, .interpolation = interpolation, .decode_scaling = scaling}),
                budget);
  std::vector<std::vector<float>> pictures;
  while (const BatchLease lease = loader.next()) {
    const auto* const first = reinterpret_cast<const float*>(lease->pixels);
    pictures.emplace_back(first, first + std::size_t{kSidePx} * kSidePx * 3);
  }
  return pictures;
}

/// 10 log10(255^2 / mean squared error), of values rounded to bytes; infinite where all are equal.
double psnr_db(const std::vector<float>& a, const std::vector<float>& b) {
  const auto byte = [](float value) { return std::round(std::clamp(value, 0.0f, 255.0f)); };
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(byte(a[i]) - byte(b[i]), 2);
  if (sum == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / sum);
}

/// Over the pictures that are shrunk at least twice along both axes: the others are decoded in full.
double median_psnr_db(const DatasetSplit& split, const std::vector<std::vector<float>>& a,
                      const std::vector<std::vector<float>>& b) {
  BOOST_REQUIRE(a.size() == split.num_samples());
  BOOST_REQUIRE(b.size() == a.size());
  std::vector<double> values;
  for (std::uint64_t i = 0; i < a.size(); ++i) {
    const IndexRecord record = split.record(i);
    if (std::min(record.width_px, record.height_px) < 2 * kSidePx) continue;
    values.push_back(psnr_db(a[i], b[i]));
  }
  BOOST_REQUIRE(!values.empty());
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Quality {
  double antialiased_db = 0;  // antialiased from scaled decoding, against antialiased from full
  double bilinear_db = 0;     // bilinear from scaled decoding, against antialiased from full
  double aliased_db = 0;      // bilinear from full decoding, against antialiased from full
};

Quality quality_of(const DatasetSplit& split) {
  const auto best = resized(split, Interpolation::kBilinearAntialias, DecodeScaling::kOff);
  const auto compare = [&](Interpolation interpolation, DecodeScaling scaling) {
    return median_psnr_db(split, resized(split, interpolation, scaling), best);
  };
  const Quality quality{
      .antialiased_db = compare(Interpolation::kBilinearAntialias, DecodeScaling::kAuto),
      .bilinear_db = compare(Interpolation::kBilinear, DecodeScaling::kAuto),
      .aliased_db = compare(Interpolation::kBilinear, DecodeScaling::kOff)};
  BOOST_TEST_MESSAGE("median PSNR against antialiased from full size, to "
                     << kSidePx << " px: scaled decode and antialias " << quality.antialiased_db
                     << " dB, scaled decode and bilinear " << quality.bilinear_db
                     << " dB, full decode and bilinear " << quality.aliased_db << " dB");
  return quality;
}

BOOST_AUTO_TEST_SUITE(decode_quality)

// The pictures are drawn as a camera might have taken them: 1/f noise, clutter, shapes with edges.
BOOST_AUTO_TEST_CASE(scaled_decoding_with_antialias_stays_close_to_full_decoding) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint32_t i = 0; i < 24; ++i) {
    samples.push_back(tests::stored_jpeg(fixtures::make_shape_jpeg(
        {.seed = 5, .shape = static_cast<fixtures::Shape>(i % 10), .index = i},
        {.min_side_px = 224, .max_side_px = 640, .gray_share = 0})));
    samples.back().record.class_idx = i % 2;
  }
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples);
  const Quality quality = quality_of(dataset.split("train"));
  BOOST_TEST(quality.antialiased_db >= 35);
  // Else a filter of no width would pass.
  BOOST_TEST(quality.antialiased_db > quality.bilinear_db);
  BOOST_TEST(quality.antialiased_db > quality.aliased_db + 3);
}

// By its name alone: ctest reports it as skipped where there are no photographs.
BOOST_AUTO_TEST_CASE(so_it_does_on_the_photographs_that_the_environment_names,
                     *boost::unit_test::disabled()) {
  const char* const folder = std::getenv("PENSTOCK_QUALITY_DATASET");
  if (folder == nullptr) {
    BOOST_TEST_MESSAGE("SKIPPED: PENSTOCK_QUALITY_DATASET names no dataset of photographs");
    return;
  }
  BOOST_TEST(quality_of(Dataset::open(folder).split("validation")).antialiased_db >= 35);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
