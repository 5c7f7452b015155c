// A transform of one's own in the chain: colours balanced by a drawn share, so that the network
// learns to see in any light. Before the augmentation, on the resized picture, or after it.
//
//     own_transform DATASET before|after [EPOCHS]
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "augment/augment_transform.h"
#include "softmax_classifier.h"
#include "streamer/streamer.h"

namespace {

using namespace penstock;

/// Multiplies each channel until the means of all are the same (the gray world's balance), or goes
/// a drawn share of that way. Stands behind another transform, so the pictures that it sees stand
/// upright and have the sides of those that it makes.
class GrayWorld final : public SampleTransform {
 public:
  /// `max_share`: the most of the way that is gone, 0 to 1.
  explicit GrayWorld(float max_share) : max_share_(max_share) {}

  void accept(const BatchSpec& spec) const override {
    const bool is_known =
        spec.element == ElementType::kUint8 || spec.element == ElementType::kFloat32;
    if (is_known && spec.layout == PixelLayout::kNhwc && spec.channels == 3) return;
    throw Error(ErrorCode::kUnsupported,
                "gray world: batch: expected uint8 or float32, NHWC, 3 channels, found another",
                "set BatchSpec::layout to PixelLayout::kNhwc");
  }

  SamplePlan plan(const SampleInfo& info, const BatchSpec&,
                  const Draws& draws) const noexcept override {
    SamplePlan plan;
    plan.source_region = {0, 0, info.width_px, info.height_px};
    // A purpose of its own: independent of what any other transform draws for the sample.
    const Draws own = draws.with_purpose(user_purpose(0));
    plan.store(max_share_ * static_cast<float>(own.uniform(0)));
    return plan;
  }

  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte>,
             const SampleSlot& slot) const noexcept override {
    const std::array<float, 3> gain = gains(decoded.image, plan.load<float>());
    std::size_t element = 0;
    for (std::uint32_t y = 0; y < slot.spec->height_px; ++y) {
      if (slot.is_abandoned()) return;
      const std::uint8_t* row = decoded.image.row(y);
      for (std::uint32_t i = 0; i < slot.spec->width_px * 3; ++i, ++element) {
        const float value = std::min(gain[i % 3] * static_cast<float>(row[i]), 255.0f);
        if (slot.spec->element == ElementType::kUint8) {
          slot.pixels[element] = static_cast<std::byte>(value + 0.5f);
        } else {
          reinterpret_cast<float*>(slot.pixels)[element] = value / 255.0f - 0.5f;
        }
      }
    }
  }

  std::uint32_t finest_decode_scale(const SampleInfo&, const BatchSpec&) const noexcept override {
    return 1;
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec&) const noexcept override { return 0; }

  // What changes bytes belongs in here: a run is then not resumed with other settings.
  std::string identity() const override {
    return "transform=gray_world\nmax_share=" + std::to_string(max_share_) + "\n";
  }

 private:
  static std::array<float, 3> gains(const ImageView& image, float share) noexcept {
    std::array<float, 3> sums = {1, 1, 1};  // a black picture has no light to balance
    for (std::uint32_t y = 0; y < image.height_px; ++y) {
      for (std::uint32_t i = 0; i < image.width_px * 3; ++i) {
        sums[i % 3] += static_cast<float>(image.row(y)[i]);
      }
    }
    const float mean = (sums[0] + sums[1] + sums[2]) / 3;
    std::array<float, 3> gain{};
    for (std::size_t c = 0; c < 3; ++c) gain[c] = 1 + share * (mean / sums[c] - 1);
    return gain;
  }

  float max_share_;
};

using Transform = std::shared_ptr<const SampleTransform>;

Transform chain(Transform first, Transform second) {
  return std::make_shared<ChainTransform>(
      ChainConfig{.first = std::move(first), .second = std::move(second)});
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view place = argc > 2 ? argv[2] : "";
  if (place != "before" && place != "after") {
    return std::puts("usage: own_transform DATASET before|after [EPOCHS]"), 2;
  }
  const std::uint32_t num_epochs = argc > 3 ? static_cast<std::uint32_t>(std::atoi(argv[3])) : 3;

  const auto balance = std::make_shared<GrayWorld>(1.0f);
  auto settings = augment::AugmentConfig::preset("standard");
  if (place == "before") settings.mean = {0.5, 0.5, 0.5};  // who comes last makes the numbers
  const auto augment = std::make_shared<augment::AugmentTransform>(settings);
  const Transform transform =
      place == "before" ? chain(chain(std::make_shared<ResizeTransform>(), balance), augment)
                        : chain(augment, balance);

  const Dataset dataset = Dataset::open(argv[1]);
  MemoryBudget budget(256u << 20);
  Loader loader(dataset.split("train"),
                {.batch = {.batch = 32, .height_px = 64, .width_px = 64},
                 .seed = 1,
                 .num_epochs = num_epochs},
                transform, budget);
  SoftmaxClassifier model(loader.spec(), dataset.manifest().class_names.size());
  for (std::uint32_t epoch = 0; epoch < num_epochs; ++epoch) {
    double loss = 0.0;
    for (BatchLease batch : loader.epoch(epoch)) loss += model.take_step(batch.view());
    std::printf("epoch %u: mean loss %.4f over %llu batches\n", epoch,
                loss / static_cast<double>(loader.num_batches_per_epoch()),
                static_cast<unsigned long long>(loader.num_batches_per_epoch()));
  }
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
