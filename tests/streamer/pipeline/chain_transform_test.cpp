#include "streamer/pipeline/chain_transform.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <stop_token>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/pipeline/loader.h"
#include "streamer/read/read_picture.h"
#include "tests/streamer/batch_hash.h"
#include "tests/streamer/small_dataset.h"
#include "tests/streamer/tinted_transforms.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(chain_transform)

const BatchSpec kSpec{.batch = 8, .height_px = 16, .width_px = 20};
constexpr std::uint32_t kMiddleHeightPx = 19;
constexpr std::uint32_t kMiddleWidthPx = 23;

std::shared_ptr<const ChainTransform> tinted_chain() {
  return std::make_shared<ChainTransform>(
      ChainConfig{.first = std::make_shared<tests::FlippedBits>(),
                  .second = std::make_shared<tests::DrawnGain>(),
                  .middle_height_px = kMiddleHeightPx,
                  .middle_width_px = kMiddleWidthPx});
}

// The two steps of the chain, without it: the whole picture resized, its bits turned over, the top
// left of that multiplied.
std::vector<float> by_hand(const StoredSample& sample, const Draws& draws) {
  const Picture picture = read_picture(sample, {});
  const BatchSpec middle{.batch = 1,
                         .height_px = kMiddleHeightPx,
                         .width_px = kMiddleWidthPx,
                         .element = ElementType::kUint8};
  const SampleInfo info{.width_px = picture.width_px,
                        .height_px = picture.height_px,
                        .orientation = picture.orientation};
  const ResizeTransform resize({.decode_scaling = false});
  std::vector<std::byte> bytes(middle.sample_bytes());
  resize.apply({.image = picture.view(), .region = {0, 0, picture.width_px, picture.height_px}},
               resize.plan(info, middle, draws), {}, {.spec = &middle, .pixels = bytes.data()});
  std::vector<float> out;
  for (std::size_t y = 0; y < kSpec.height_px; ++y) {
    for (std::size_t i = 0; i < kSpec.width_px * 3; ++i) {
      const auto value = std::to_integer<std::uint8_t>(bytes[y * kMiddleWidthPx * 3 + i]);
      out.push_back(tests::DrawnGain::drawn(draws) *
                    static_cast<float>(value ^ tests::FlippedBits::drawn(draws)));
    }
  }
  return out;
}

std::vector<std::string> hash_chain(const DatasetSplit& split, const LoaderConfig& config) {
  MemoryBudget budget(64u << 20);
  Loader loader(split, config, tinted_chain(), budget);
  std::vector<std::string> hashes;
  while (const BatchLease lease = loader.next()) hashes.push_back(tests::hash_batch(lease.view()));
  return hashes;
}

BOOST_AUTO_TEST_CASE(every_place_holds_what_both_do_by_hand) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(30));
  const DatasetSplit split = dataset.split("train");
  MemoryBudget budget(64u << 20);
  const LoaderConfig config{.batch = kSpec, .seed = 5, .num_epochs = 2};
  Loader loader(split, config, tinted_chain(), budget);
  std::size_t num_places = 0;
  while (const BatchLease lease = loader.next()) {
    BOOST_TEST(lease->events.empty());
    for (std::uint32_t i = 0; i < lease->num_valid; ++i, ++num_places) {
      const Draws draws({.seed = 5, .epoch = lease->epoch, .position = lease->positions[i]});
      const auto expected = by_hand(split.sample(lease->sample_ids[i]), draws);
      BOOST_REQUIRE(std::memcmp(lease->pixels + i * kSpec.sample_bytes(), expected.data(),
                                kSpec.sample_bytes()) == 0);
    }
  }
  BOOST_TEST(num_places == 60u);
}

BOOST_AUTO_TEST_CASE(threads_change_no_byte) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(61));
  LoaderConfig config{.batch = kSpec, .seed = 5, .num_epochs = 2};
  config.num_readers = config.num_workers = 1;
  const auto expected = hash_chain(dataset.split("train"), config);
  BOOST_TEST(expected.size() == 16u);
  for (const std::uint32_t num_threads : {2u, 8u}) {
    config.num_readers = config.num_workers = num_threads;
    BOOST_TEST((hash_chain(dataset.split("train"), config) == expected));
  }
}

BOOST_AUTO_TEST_CASE(a_stream_resumed_goes_on_with_the_same_bytes) {
  const tests::TemporaryFolder folder;
  const Dataset dataset = tests::write_small_dataset(folder.path() / "d", tests::mixed_samples(61));
  const DatasetSplit split = dataset.split("train");
  LoaderConfig config{.batch = kSpec, .seed = 5, .num_epochs = 2};
  const auto whole = hash_chain(split, config);
  {
    MemoryBudget budget(64u << 20);
    Loader loader(split, config, tinted_chain(), budget);
    for (int i = 0; i < 4; ++i) loader.next();
    config.resume_from = loader.state_after(loader.next().view());
  }
  BOOST_TEST(
      (hash_chain(split, config) == std::vector<std::string>(whole.begin() + 5, whole.end())));
  MemoryBudget budget(64u << 20);
  BOOST_CHECK_THROW(Loader(split, config, std::make_shared<tests::FlippedBits>(), budget), Error);
}

// What it was asked last: for tests in one thread.
struct Asked {
  SampleInfo info;
  BatchSpec spec;
  Draws::Place place;
  std::uint64_t num_applied = 0;
  DecodedView decoded;
};

class NotesDown final : public SampleTransform {
 public:
  NotesDown(SamplePlan answer, Asked& asked) : answer_(answer), asked_(asked) {}

  void accept(const BatchSpec& spec) const override { asked_.spec = spec; }
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override {
    asked_.info = info;
    asked_.spec = spec;
    asked_.place = draws.place();
    return answer_;
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    ++asked_.num_applied;
    asked_.decoded = decoded;
    BOOST_TEST((plan.opaque == answer_.opaque));
    BOOST_TEST(scratch.size() >= answer_.scratch_bytes);
    BOOST_TEST((*slot.spec == asked_.spec));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(scratch.data()) % 64 == 0u);
    if (stops != nullptr) stops->request_stop();
  }
  std::uint32_t finest_decode_scale(const SampleInfo&,
                                    const BatchSpec& spec) const noexcept override {
    asked_.spec = spec;
    return 4;
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override {
    return answer_.scratch_bytes;
  }
  std::string identity() const override { return "a=1\nb=2\n"; }

  std::stop_source* stops = nullptr;

 private:
  SamplePlan answer_;
  Asked& asked_;
};

struct NotedChain {
  static SamplePlan answer(RectPx region, std::size_t scratch_bytes, std::uint64_t mark) {
    SamplePlan plan{.source_region = region, .decode_scale = 2, .scratch_bytes = scratch_bytes};
    plan.store(mark);
    return plan;
  }

  Asked asked_first;
  Asked asked_second;
  std::shared_ptr<NotesDown> first =
      std::make_shared<NotesDown>(answer({1, 2, 30, 40}, 100, 7), asked_first);
  std::shared_ptr<NotesDown> second =
      std::make_shared<NotesDown>(answer({0, 0, 5, 5}, 333, 8), asked_second);
  ChainTransform chain{{.first = first, .second = second}};
  const SampleInfo info{.sample_id = 11,
                        .width_px = 400,
                        .height_px = 300,
                        .class_idx = 3,
                        .orientation = 6,
                        .max_decode_scale = 8};
  const Draws draws{{.seed = 1, .epoch = 2, .position = 3}};
};

// 16 x 20 x 3 bytes are 960, 15 lines of 64.
BOOST_AUTO_TEST_CASE(the_decoder_is_asked_for_what_the_first_plans) {
  NotedChain noted;
  const SamplePlan plan = noted.chain.plan(noted.info, kSpec, noted.draws);
  BOOST_TEST((plan.source_region == RectPx{1, 2, 30, 40}));
  BOOST_TEST(plan.decode_scale == 2u);
  BOOST_TEST(plan.scratch_bytes == 960u + 333u);
  BOOST_TEST(noted.chain.worst_case_scratch_bytes(kSpec) == 960u + 333u);
  BOOST_TEST(noted.asked_first.info.orientation == 6);
  BOOST_TEST(noted.asked_first.info.width_px == 400u);
  const BatchSpec middle{.batch = 1,
                         .height_px = 16,
                         .width_px = 20,
                         .channels = 3,
                         .element = ElementType::kUint8,
                         .layout = PixelLayout::kNhwc};
  BOOST_TEST((noted.asked_first.spec == middle));
  noted.asked_first.spec = {};
  BOOST_TEST(noted.chain.finest_decode_scale(noted.info, kSpec) == 4u);
  BOOST_TEST((noted.asked_first.spec == middle));
}

BOOST_AUTO_TEST_CASE(scratch_beyond_four_gibibytes_is_counted_in_full) {
  constexpr std::size_t kSixGiB = std::size_t{6} << 30;
  Asked asked;
  const auto needy =
      std::make_shared<NotesDown>(NotedChain::answer({0, 0, 5, 5}, kSixGiB, 7), asked);
  const ChainTransform chain({.first = needy, .second = needy});
  chain.accept(kSpec);
  const NotedChain noted;
  BOOST_TEST(chain.plan(noted.info, kSpec, noted.draws).scratch_bytes == 960u + kSixGiB);
}

BOOST_AUTO_TEST_CASE(the_second_sees_an_upright_picture_of_the_middles_sides) {
  NotedChain noted;
  BatchSpec spec = kSpec;
  spec.channels = 1;
  spec.layout = PixelLayout::kNchw;
  const SamplePlan plan = noted.chain.plan(noted.info, spec, noted.draws);
  alignas(64) std::byte scratch[4096];
  std::vector<std::byte> out(spec.sample_bytes());
  noted.chain.apply({.image = {}, .region = {9, 9, 9, 9}, .decode_scale = 2}, plan,
                    std::span(scratch).first(plan.scratch_bytes),
                    {.spec = &spec, .pixels = out.data()});
  BOOST_TEST(noted.asked_first.num_applied == 1u);
  BOOST_TEST((noted.asked_first.decoded.region == RectPx{9, 9, 9, 9}));
  BOOST_TEST((noted.asked_second.spec == spec));
  BOOST_TEST(noted.asked_second.num_applied == 1u);
  const SampleInfo& seen = noted.asked_second.info;
  BOOST_TEST(seen.sample_id == 11u);
  BOOST_TEST(seen.class_idx == 3u);
  BOOST_TEST(seen.width_px == 20u);
  BOOST_TEST(seen.height_px == 16u);
  BOOST_TEST(seen.orientation == 1);
  BOOST_TEST(seen.max_decode_scale == 1);
  const DecodedView& decoded = noted.asked_second.decoded;
  BOOST_TEST((decoded.region == RectPx{0, 0, 20, 16}));
  BOOST_TEST(decoded.decode_scale == 1u);
  BOOST_TEST(decoded.image.channels == 1u);
  BOOST_TEST(decoded.image.pixel_stride_bytes == 1u);
  BOOST_TEST(decoded.image.row_stride_bytes == 20u);
  for (const Asked* asked : {&noted.asked_first, &noted.asked_second}) {
    BOOST_TEST(asked->place.seed == 1u);
    BOOST_TEST(asked->place.epoch == 2u);
    BOOST_TEST(asked->place.position == 3u);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_within_the_first_leaves_the_second_out) {
  NotedChain noted;
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  const SamplePlan plan = noted.chain.plan(noted.info, kSpec, noted.draws);
  alignas(64) std::byte scratch[4096];
  std::vector<std::byte> out(kSpec.sample_bytes());
  const SampleSlot slot{.spec = &kSpec, .pixels = out.data(), .stop = &stop};
  noted.chain.apply({}, plan, scratch, slot);
  BOOST_TEST(noted.asked_second.num_applied == 1u);
  noted.first->stops = &source;
  noted.chain.apply({}, plan, scratch, slot);
  BOOST_TEST(noted.asked_first.num_applied == 2u);
  BOOST_TEST(noted.asked_second.num_applied == 1u);
}

BOOST_AUTO_TEST_CASE(its_identity_holds_the_lines_of_both) {
  NotedChain noted;
  BOOST_TEST(noted.chain.identity() ==
             "transform=chain\nchain.middle_height_px=0\nchain.middle_width_px=0\n"
             "chain.first.a=1\nchain.first.b=2\nchain.second.a=1\nchain.second.b=2\n");
}

// A chain whose first is a chain gives what its three steps give one by one.
BOOST_AUTO_TEST_CASE(a_chain_may_stand_in_a_chain) {
  const tests::TemporaryFolder folder;
  const Dataset dataset =
      tests::write_small_dataset(folder.path() / "d", {tests::raw_sample(20, 16, 3)});
  const auto bits = std::make_shared<tests::FlippedBits>();
  // Bits turned over twice are as they were: what is left is the gain.
  const auto twice = std::make_shared<ChainTransform>(ChainConfig{.first = bits, .second = bits});
  const auto chain = std::make_shared<ChainTransform>(
      ChainConfig{.first = twice, .second = std::make_shared<tests::DrawnGain>()});
  MemoryBudget budget(64u << 20);
  Loader loader(dataset.split("train"), {.batch = kSpec, .seed = 5}, chain, budget);
  const BatchLease lease = loader.next();
  const Picture picture = read_picture(dataset.split("train").sample(0), {});
  const float gain = tests::DrawnGain::drawn(Draws({.seed = 5}));
  for (std::size_t i = 0; i < picture.pixels_hwc.size(); ++i) {
    BOOST_REQUIRE(lease->pixels_f32()[i] == gain * static_cast<float>(picture.pixels_hwc[i]));
  }
}

std::string refusal(const ChainConfig& config) {
  try {
    const ChainTransform chain(config);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return error.what();
  }
  return "accepted";
}

BOOST_AUTO_TEST_CASE(settings_that_make_no_chain_are_refused) {
  const auto resize = std::make_shared<ResizeTransform>();
  BOOST_TEST(refusal({.second = resize}) == "chain: first: expected a transform, found none");
  BOOST_TEST(refusal({.first = resize}) == "chain: second: expected a transform, found none");
  BOOST_TEST(refusal({.first = resize, .second = resize, .middle_height_px = 5}) ==
             "chain: middle_width_px: expected 1 to 16384, found 0");
  BOOST_TEST(
      refusal(
          {.first = resize, .second = resize, .middle_height_px = 16385, .middle_width_px = 5}) ==
      "chain: middle_height_px: expected 1 to 16384, found 16385");
  BOOST_TEST(refusal({.first = resize, .second = resize}) == "accepted");
}

BOOST_AUTO_TEST_CASE(a_batch_that_one_of_them_refuses_is_refused_with_its_place) {
  const auto resize = std::make_shared<ResizeTransform>();
  const ChainTransform chain({.first = resize, .second = resize});
  chain.accept(kSpec);
  BatchSpec half = kSpec;
  half.element = ElementType::kFloat16;  // the second's: the middle is uint8
  BOOST_CHECK_EXCEPTION(chain.accept(half), Error, [](const Error& error) {
    return std::string(error.what()) == "chain: second: resize: element: expected float32 or uint8";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
