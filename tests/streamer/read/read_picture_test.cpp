#include "streamer/read/read_picture.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "streamer/core/error.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset_writer.h"
#include "streamer/shard/shard_file.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

struct Fixture {
  tests::TemporaryFolder folder;
  std::vector<tests::SmallSample> samples = tests::mixed_samples(12);
  Dataset dataset = tests::write_small_dataset(folder.path() / "d", samples, 5);
  DatasetSplit split = dataset.split("train");

  std::filesystem::path shard_path(std::uint64_t id) const {
    return split.sample(id).shard().path();
  }
};

// OpenCV's libjpeg, without turning by EXIF (these pictures have none).
cv::Mat opencv_pixels(const std::vector<std::byte>& encoded, std::uint32_t channels) {
  const cv::Mat bytes(1, static_cast<int>(encoded.size()), CV_8U,
                      const_cast<std::byte*>(encoded.data()));
  cv::Mat pixels = cv::imdecode(bytes, channels == 1 ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR);
  if (channels == 3) cv::cvtColor(pixels, pixels, cv::COLOR_BGR2RGB);
  return pixels;
}

bool is_same(const Picture& picture, const cv::Mat& expected) {
  if (picture.width_px != static_cast<std::uint32_t>(expected.cols) ||
      picture.height_px != static_cast<std::uint32_t>(expected.rows)) {
    return false;
  }
  const std::size_t num_bytes = expected.total() * expected.elemSize();
  return picture.pixels_hwc.size() == num_bytes && expected.isContinuous() &&
         std::memcmp(picture.pixels_hwc.data(), expected.data, num_bytes) == 0;
}

auto fails_with(ErrorCode code, std::string text) {
  return [=](const Error& error) {
    BOOST_TEST_MESSAGE(error.what());
    return error.code() == code && std::string(error.what()).find(text) != std::string::npos;
  };
}

BOOST_FIXTURE_TEST_SUITE(picture_reading, Fixture)

BOOST_AUTO_TEST_CASE(pixels_are_those_that_opencv_decodes_at_full_size) {
  for (std::uint64_t id = 0; id < samples.size(); ++id) {
    BOOST_TEST_INFO("sample " << id);
    for (const std::uint32_t channels : {3u, 1u}) {
      const Picture picture = read_picture(split.sample(id), {.channels = channels});
      BOOST_REQUIRE(is_same(picture, opencv_pixels(samples[id].encoded, channels)));
      BOOST_TEST(picture.orientation == samples[id].record.orientation);
      BOOST_TEST(picture.view().row_stride_bytes == std::size_t{picture.width_px} * channels);
    }
  }
}

BOOST_AUTO_TEST_CASE(raw_pixels_come_back_as_they_went_in) {
  const auto pixels = tests::noisy_picture(33, 7, 3, 5);
  DatasetWriter writer(folder.path() / "raw", {.class_names = {"a"}});
  const ImageView view{pixels.data(), 33, 7, 3, 3, 99};
  writer.add("train", new_raw(view, {.class_idx = 0}));
  writer.finish();
  const DatasetSplit raw = Dataset::open(folder.path() / "raw").split("train");
  BOOST_TEST((read_picture(raw.sample(0)).pixels_hwc == pixels));
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_is_a_checksum_error_that_names_shard_sample_and_offset) {
  tests::flip_bit(shard_path(6), split.record(6).offset_bytes + 100, 3);
  split = Dataset::open(folder.path() / "d").split("train");
  const StoredSample sample = split.sample(6);
  const std::string place =
      "sample 6 at offset " + std::to_string(sample.record().offset_bytes) + ": ";
  BOOST_CHECK_EXCEPTION(
      read_picture(sample), Error,
      fails_with(ErrorCode::kCorruptData, place + "stored bytes do not match their checksum"));
  BOOST_CHECK_NO_THROW(read_picture(split.sample(5)));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_picture_fail_in_the_decoders_words) {
  tests::SmallSample broken = samples[0];
  std::fill(broken.encoded.begin(), broken.encoded.end(), std::byte{0x11});
  tests::SmallSample unknown = samples[1];
  unknown.record.codec = 77;
  const Dataset bad = tests::write_small_dataset(folder.path() / "bad", {broken, unknown});
  const DatasetSplit bad_split = bad.split("train");
  BOOST_CHECK_EXCEPTION(read_picture(bad_split.sample(0)), Error,
                        fails_with(ErrorCode::kCorruptData, "Not a JPEG file"));
  BOOST_CHECK_EXCEPTION(read_picture(bad_split.sample(1)), Error,
                        fails_with(ErrorCode::kUnsupported, "no decoder"));
  BOOST_TEST((bad_split.sample(1).read_bytes() == unknown.encoded));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_the_stated_bytes_is_refused) {
  BOOST_CHECK_EXCEPTION(
      read_picture(split.sample(0), {.max_bytes = 4096}), Error,
      fails_with(ErrorCode::kOutOfMemory, "expected at most 4.0 KiB (max_bytes)"));
  BOOST_CHECK_EXCEPTION(
      read_picture(split.sample(0), {.channels = 2}), Error,
      fails_with(ErrorCode::kInvalidArgument, "read picture: channels: expected 1 or 3, found 2"));
}

BOOST_AUTO_TEST_CASE(threads_may_read_at_the_same_time) {
  std::vector<Picture> expected;
  for (std::uint64_t id = 0; id < samples.size(); ++id) {
    expected.push_back(read_picture(split.sample(id)));
  }
  std::atomic<int> num_different{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 40; ++i) {
          const std::uint64_t id = (i * (t + 1) + t) % samples.size();
          if (read_picture(split.sample(id)).pixels_hwc != expected[id].pixels_hwc) ++num_different;
        }
      });
    }
  }
  BOOST_TEST(num_different == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
