// What a benchmark holds is bounded, and refused with its sum.
#include "tools/bench/bench_memory.h"

#include <boost/test/unit_test.hpp>

#include "augment/augment_transform.h"
#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"
#include "tools/bench/loader_bench.h"
#include "tools/bench/stage_workspace.h"

namespace penstock::tools::bench {
namespace {

// A window over samples of which one, progressive, is much larger than the others.
struct Place {
  explicit Place(std::vector<tests::SmallSample> samples)
      : dataset(tests::write_small_dataset(folder.path() / "some.ds", samples)),
        stream{.split = dataset.split("train"),
               .spec = {.batch = 1, .height_px = 24, .width_px = 24, .channels = 3},
               .transform = std::make_shared<augment::AugmentTransform>(augment::AugmentConfig{}),
               .memory_bytes = 64u << 20,
               .num_warm_batches = 0,
               .num_batches = samples.size()},
        window(stream, record_places(stream, {})) {
    window.read_samples();
  }
  tests::TemporaryFolder folder;
  Dataset dataset;
  Stream stream;
  SampleWindow window;
};

std::vector<tests::SmallSample> one_large_among_small() {
  auto samples = tests::mixed_samples(20);
  samples.push_back(tests::low_detail_jpeg_sample(1200, 900, {.is_progressive = true}));
  return samples;
}

BOOST_AUTO_TEST_SUITE(bench_memory_sum)

BOOST_AUTO_TEST_CASE(decoded_samples_are_bounded_in_number_and_bytes) {
  const Place place(one_large_among_small());
  StageWorkspace space(place.window, place.stream.spec);
  for (const DecodedBound& bound : {DecodedBound{}, DecodedBound{.num_samples = 5},
                                    DecodedBound{.bytes = 100'000}, DecodedBound{.bytes = 1}}) {
    const auto decoded = decoded_samples(place.window, space, bound);
    BOOST_REQUIRE(!decoded.empty());
    BOOST_TEST(decoded.size() <= bound.num_samples);
    std::uint64_t held_bytes = 0;
    for (const DecodedSample& sample : decoded) {
      held_bytes += sample.pixels.size_bytes();
      const auto* first = reinterpret_cast<const std::byte*>(sample.task.decoded.image.pixels_hwc);
      BOOST_TEST(first >= sample.pixels.data());
      BOOST_TEST(first < sample.pixels.data() + sample.pixels.size_bytes());
    }
    if (decoded.size() > 1) BOOST_TEST(held_bytes <= bound.bytes);
    BOOST_TEST(held_bytes <= most_decoded_bytes(place.window, bound));
  }
  BOOST_TEST(decoded_samples(place.window, space, {}).size() == 21u);
  BOOST_TEST(decoded_samples(place.window, space, {.num_samples = 5}).size() == 5u);
  BOOST_TEST(decoded_samples(place.window, space, {.bytes = 1}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_sum_grows_by_a_workspace_a_thread_and_no_more) {
  const Place place(one_large_among_small());
  const BenchMemory one = bench_memory(place.window, place.stream, {}, 1);
  const BenchMemory three = bench_memory(place.window, place.stream, {}, 3);
  const DecodePrice largest = place.window.max_price();
  BOOST_TEST(three.workspaces_bytes == 3 * one.workspaces_bytes);
  BOOST_TEST(one.workspaces_bytes >=
             place.window.max_encoded_bytes() + largest.decoded_bytes + largest.scratch_bytes);
  BOOST_TEST(one.decoded_bytes <= std::max<std::uint64_t>(32u << 20, largest.decoded_bytes));
  BOOST_TEST(one.loader_bytes == place.stream.memory_bytes);
  BOOST_TEST(one.samples_bytes > place.window.encoded_bytes());
  const StageWorkspace space(place.window, place.stream.spec);
  BOOST_TEST(one.workspaces_bytes ==
             space.encoded.size_bytes() + space.pixels.size_bytes() + space.scratch.size_bytes());
  for (const HostBuffer* buffer : {&space.encoded, &space.pixels, &space.scratch}) {
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(buffer->data()) % 64 == 0u);
  }
}

BOOST_AUTO_TEST_CASE(what_exceeds_the_machine_is_refused_with_the_sum_and_what_fits) {
  const BenchMemory memory{.loader_bytes = 1u << 30,
                           .samples_bytes = 100u << 20,
                           .workspaces_bytes = 10u << 20,
                           .libjpeg_bytes = 6u << 20,
                           .batches_bytes = 20u << 20,
                           .decoded_bytes = 32u << 20};
  BOOST_TEST(memory.total_bytes() == (1024u + 168u) << 20);
  BOOST_CHECK_NO_THROW(check_memory(memory, 1192u << 20));
  BOOST_CHECK_EXCEPTION(check_memory(memory, (1192u << 20) - 1), Error, [](const Error& error) {
    const std::string text = error.what();
    return error.code() == ErrorCode::kOutOfMemory && tests::contains(text, "100.0 MiB") &&
           tests::contains(text, "1.0 GiB for the loader") && tests::contains(error.hint(), "953M");
  });
  // 0.8 of 1,192 MiB above; here the loader would have 32 MiB.
  BOOST_CHECK_EXCEPTION(check_memory(memory, 200u << 20), Error, [](const Error& error) {
    return tests::contains(error.hint(), "fewer --samples");
  });
}

BOOST_AUTO_TEST_CASE(a_round_that_cannot_be_held_is_refused_before_it_is_streamed) {
  const Place place(tests::mixed_samples(8));
  const LoaderBenchConfig config{.dataset = place.folder.path() / "some.ds",
                                 .wish = {.batch_size = 4, .image_side_px = 24},
                                 .memory_bytes = 64u << 20,
                                 .num_rounds = 1,
                                 .num_samples = UINT64_MAX};
  BOOST_CHECK_EXCEPTION((void)bench_loader(config, [](std::string_view) {}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kOutOfMemory; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
