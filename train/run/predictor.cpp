#include "train/run/predictor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "streamer/read/decoder_set.h"
#include "train/run/data_pipeline.h"

namespace penstock::train {
namespace {

/// One batch lent once: the memory goes with the last lease.
class PictureBatch final : public LeaseOwner {
 public:
  explicit PictureBatch(const BatchSpec& spec)
      : spec_(spec),
        pixels_(page_aligned_memory(), spec.pixels_bytes()),
        class_idx_(spec.batch, kUnlabelled),
        weights_(spec.batch, 0.0f),
        ids_(spec.batch, 0) {}

  void give_back(std::uint32_t) noexcept override {}
  std::byte* place(std::size_t idx) const noexcept {
    return pixels_.data() + idx * spec_.sample_bytes();
  }
  BatchView view(std::uint32_t num_valid) const noexcept {
    BatchView view;
    view.spec = &spec_;
    view.pixels = pixels_.data();
    view.class_idx = class_idx_;
    view.weights = weights_;
    view.sample_ids = ids_;
    view.positions = ids_;
    view.num_valid = num_valid;
    view.ends_epoch = true;
    return view;
  }

 private:
  BatchSpec spec_;
  HostBuffer pixels_;
  std::vector<std::uint32_t> class_idx_;
  std::vector<float> weights_;
  std::vector<std::uint64_t> ids_;
};

std::vector<double> softmax(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> values;
  double sum = 0;
  for (const float logit : logits) sum += values.emplace_back(std::exp(logit - top));
  for (double& value : values) value /= sum;
  return values;
}

}  // namespace

Predictor::Predictor(const std::filesystem::path& run, const InferenceConfig& config)
    : memory_(memory_limit_bytes(config)),
      network_(run, config, memory_),
      transform_(make_transform(augment_of(network_.record()), PipelineUse::kEvaluate)) {
  transform_->accept(network_.spec());
  memory_.draw(network_.spec().pixels_bytes(), "batch of pictures");
}

std::vector<PictureScores> Predictor::predict(std::span<const EncodedPicture> pictures) {
  std::vector<PictureScores> scores(pictures.size());
  const std::size_t batch = network_.spec().batch;
  for (std::size_t first = 0; first < pictures.size(); first += batch) {
    const std::size_t count = std::min(batch, pictures.size() - first);
    predict_batch(pictures.subspan(first, count), std::span(scores).subspan(first, count));
  }
  return scores;
}

void Predictor::predict_batch(std::span<const EncodedPicture> pictures,
                              std::span<PictureScores> scores) {
  const BatchSpec& spec = network_.spec();
  auto batch = std::make_shared<PictureBatch>(spec);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    scores[i].fault = fill_place(pictures[i], batch->place(i));
    if (scores[i].fault.status != SampleStatus::kOk) {
      std::memset(batch->place(i), 0, spec.sample_bytes());
    }
  }
  Program& program = network_.programs().evaluation_program();
  program.upload(BatchLease(batch->view(static_cast<std::uint32_t>(pictures.size())), batch, 0), 0);
  program.set_scalars({}, 0);
  program.run(Phase::kForward, 0);
  std::vector<float> logits(network_.programs().num_logits());
  program.read_logits(logits);
  network_.programs().backend().finish();
  while (network_.programs().backend().poll()) {
  }  // nobody asks for the loss of unlabelled pictures
  const std::size_t num_classes = logits.size() / spec.batch;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (scores[i].fault.status != SampleStatus::kOk) continue;
    const auto own = std::span(logits).subspan(i * num_classes, num_classes);
    scores[i].logits.assign(own.begin(), own.end());
    scores[i].probabilities = softmax(own);
  }
}

SampleFault Predictor::fill_place(const EncodedPicture& picture, std::byte* pixels) {
  const BatchSpec& spec = network_.spec();
  const StoredInfo stored = stored_info(picture.record);
  DecoderSet decoders;
  SampleDecoder* decoder = decoders.find(stored.codec);
  if (decoder == nullptr) return {SampleStatus::kUnsupported, "no decoder for this codec"};
  const SampleInfo info{
      .width_px = stored.width_px,
      .height_px = stored.height_px,
      .orientation = picture.record.orientation,
      .max_decode_scale = static_cast<std::uint8_t>(DecoderSet::can_scale(stored.codec) ? 8 : 1)};
  const SamplePlan plan = transform_->plan(info, spec, Draws(Draws::Place{}));
  const DecodeRequest request{
      .region = plan.source_region, .decode_scale = plan.decode_scale, .channels = spec.channels};
  const DecodePrice price = decoder->price(stored, request);
  const BudgetShare share =
      memory_.budget().draw(price.decoded_bytes + price.scratch_bytes, "decoding a picture");
  decoded_.resize(price.decoded_bytes);
  scratch_.resize(std::max<std::size_t>(price.scratch_bytes, plan.scratch_bytes));
  const auto decoded = decoder->decode(picture.encoded, stored, request, decoded_, scratch_, {});
  if (!decoded.ok()) return decoded.fault();
  transform_->apply(decoded.value(), plan, scratch_, {.spec = &spec, .pixels = pixels});
  return {};
}

}  // namespace penstock::train
