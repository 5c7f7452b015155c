// Batches of crops through the loader.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "augment/batch_mix.h"
#include "augment/crop_transform.h"
#include "streamer/core/crop_record.h"
#include "streamer/core/error.h"
#include "streamer/pipeline/chain_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/read/admission.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock::augment {
namespace {

const BatchSpec kSpec{.batch = 6,
                      .height_px = 24,
                      .width_px = 32,
                      .label_form = LabelForm::kTargets,
                      .num_targets = 2,
                      .crop_bytes = 9664};

AugmentConfig mixing_config() {
  AugmentConfig config = AugmentConfig::preset("imagenet");
  config.brightness_range = {.lo = 0.5, .hi = 1.5};
  config.contrast_range = {.lo = 0.5, .hi = 1.5};
  config.mixup = 0.4;
  config.cutmix = 1;
  return config;
}

/// A place as far as it was written.
std::string written_of(const BatchView& batch, std::uint32_t place) {
  const std::byte* const begin = batch.pixels + place * batch.spec->sample_bytes();
  CropRecord record;
  std::memcpy(&record, begin, sizeof(record));
  const std::size_t num_bytes =
      sizeof(record) + std::size_t{record.x.length} * record.y.length * record.channels;
  return {reinterpret_cast<const char*>(begin), num_bytes};
}

std::vector<std::string> stream_places(const DatasetSplit& split, std::uint32_t num_threads) {
  MemoryBudget budget(64u << 20);
  Loader loader(split,
                {.batch = kSpec,
                 .batch_transform = make_batch_mix(mixing_config()),
                 .seed = 3,
                 .num_epochs = 2,
                 .num_readers = num_threads,
                 .num_workers = num_threads,
                 .max_bad_fraction = 0.2},
                std::make_shared<CropTransform>(mixing_config()), budget);
  std::vector<std::string> places;
  while (const BatchLease lease = loader.next()) {
    for (std::uint32_t i = 0; i < lease->num_valid; ++i)
      places.push_back(written_of(lease.view(), i));
  }
  return places;
}

BOOST_AUTO_TEST_SUITE(crop_loader)

BOOST_AUTO_TEST_CASE(crops_are_the_same_for_any_number_of_threads_and_failed_places_have_none) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples = tests::mixed_samples(40);
  samples[7].encoded.assign(samples[7].encoded.size(), std::byte{0});
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", samples).split("train");
  const std::vector<std::string> places = stream_places(split, 1);
  BOOST_REQUIRE(places.size() == 80u);
  const std::string none(sizeof(CropRecord), '\0');
  BOOST_TEST(std::ranges::count(places, none) == 2);
  int num_mixed = 0;
  for (const std::string& place : places) {
    CropRecord record;
    std::memcpy(&record, place.data(), sizeof(record));
    num_mixed += record.partner != 0 ? 1 : 0;
  }
  BOOST_TEST(num_mixed > 60);
  BOOST_TEST(num_mixed < 79);  // whoever would be mixed with a failed one is not
  for (const std::uint32_t num_threads : {2u, 5u}) {
    BOOST_TEST((stream_places(split, num_threads) == places), num_threads << " threads");
  }
}

// As a run finds BatchSpec::crop_bytes: from the index, before anything is read. Pictures of up to 104 x 72, for
// 48 x 40: none has more than four times the batch's pixels.
BOOST_AUTO_TEST_CASE(places_as_large_as_the_largest_crop_of_a_dataset_hold_all_of_them) {
  const tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples;
  for (std::uint32_t i = 0; i < 30; ++i) {
    samples.push_back(tests::jpeg_sample(20 + 3 * (i % 29), 24 + 4 * (i % 13), i));
  }
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", samples).split("train");
  AugmentConfig config;
  config.zoom_range = {.lo = 1, .hi = 1.4};
  config.rotation_range = 30;
  config.width_shift_range = 0.3;
  config.fill_mode = FillMode::kWrap;
  const auto transform = std::make_shared<CropTransform>(config);
  BatchSpec spec{.batch = 5, .height_px = 40, .width_px = 48};
  split.scan_index([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const SampleInfo info = sample_info(records[i], first_id + i);
      spec.crop_bytes = std::max(spec.crop_bytes, transform->crop_bytes(info, spec));
    }
  });
  const auto largest_of = [&](std::uint32_t crop_bytes) {
    spec.crop_bytes = crop_bytes;
    MemoryBudget budget(64u << 20);
    Loader loader(split, {.batch = spec, .num_epochs = 4}, transform, budget);
    std::size_t largest = 0;
    std::size_t num_sampled = 0;
    while (const BatchLease lease = loader.next()) {
      for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
        CropRecord record;
        std::memcpy(&record, lease->pixels + i * spec.sample_bytes(), sizeof(record));
        BOOST_REQUIRE(record.mark == CropRecord::kPicture);
        largest = std::max(largest, written_of(lease.view(), i).size());
        num_sampled += record.map[0] == 1 && record.map[4] == 1 ? 1 : 0;
      }
    }
    return std::pair{largest, num_sampled};
  };
  const std::uint32_t crop_bytes = spec.crop_bytes;
  const auto [largest, num_sampled] = largest_of(crop_bytes);
  BOOST_TEST(num_sampled == 0u);
  BOOST_TEST(largest <= crop_bytes);
  BOOST_TEST(largest + 64 > crop_bytes);
  BOOST_TEST(largest_of(6144).second > 0u);  // too small for some
}

/// Blends what it takes for floats.
class FloatBlend final : public BatchTransform {
 public:
  void accept(const BatchSpec&) const override {}
  void apply(const BatchContent&) const noexcept override {}
  std::string identity() const override { return "blend\n"; }
};

BOOST_AUTO_TEST_CASE(who_knows_finished_pixels_only_is_refused) {
  const tests::TemporaryFolder folder;
  const DatasetSplit split =
      tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(12)).split("train");
  const auto check_refused = [&](const LoaderConfig& config,
                                 std::shared_ptr<const SampleTransform> transform,
                                 const std::string& message, const std::string& hint) {
    MemoryBudget budget(64u << 20);
    BOOST_CHECK_EXCEPTION(Loader(split, config, transform, budget), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == message);
      BOOST_TEST(error.hint() == hint);
      return error.code() == ErrorCode::kUnsupported;
    });
  };
  const auto resize = std::make_shared<ResizeTransform>();
  const auto crops = std::make_shared<CropTransform>(AugmentConfig{});
  const std::string hint = "std::make_shared<penstock::augment::CropTransform>(config)";
  check_refused({.batch = kSpec}, resize,
                "loader: crop_bytes: expected 0 with a sample transform that knows finished pixels "
                "only, found 9664",
                hint);
  check_refused({.batch = kSpec},
                std::make_shared<ChainTransform>(ChainConfig{.first = crops, .second = resize}),
                "loader: crop_bytes: expected 0 with a sample transform that knows finished pixels "
                "only, found 9664",
                hint);
  check_refused({.batch = kSpec, .batch_transform = std::make_shared<FloatBlend>()}, crops,
                "loader: crop_bytes: expected 0 with a batch transform that knows finished pixels "
                "only, found 9664",
                "leave the batch transform out");
  MemoryBudget budget(64u << 20);
  Loader chained(split, {.batch = kSpec},
                 std::make_shared<ChainTransform>(ChainConfig{.first = resize, .second = crops}),
                 budget);
  const BatchLease lease = chained.next();
  CropRecord record;
  std::memcpy(&record, lease->pixels, sizeof(record));
  BOOST_TEST(record.mark == CropRecord::kPicture);
  BOOST_TEST(record.x.length == kSpec.width_px);  // the picture between the two
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
