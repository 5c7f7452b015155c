#include "train/run/predictor.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "train/loss/softmax_row.h"
#include "train/run/data_pipeline.h"

namespace penstock::train {

/// One batch lent once: the memory goes with the last lease.
class Predictor::PictureBatch final : public LeaseOwner {
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

namespace {

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> values(logits.begin(), logits.end());
  const SoftmaxRow<double> row = softmax_row<double>(logits);
  for (double& value : values) value = row.probability(value);
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

SampleFault Predictor::add(const EncodedPicture& picture) {
  check_internal(num_added_ < network_.spec().batch, "a picture beyond the batch");
  if (batch_ == nullptr) batch_ = std::make_shared<PictureBatch>(network_.spec());
  const PicturePlace place{.spec = network_.spec(), .pixels = batch_->place(num_added_)};
  const SampleFault fault = fill_place(picture, *transform_, place, memory_.budget());
  if (fault.status == SampleStatus::kOk) ++num_added_;
  return fault;
}

std::vector<PictureScores> Predictor::score() {
  const std::shared_ptr<PictureBatch> batch = std::exchange(batch_, nullptr);
  std::vector<PictureScores> scores(std::exchange(num_added_, 0));
  if (scores.empty()) return scores;
  const auto num_valid = static_cast<std::uint32_t>(scores.size());
  Program& program = network_.programs().evaluation_program();
  Backend& backend = network_.programs().backend();
  backend.upload(BatchLease(batch->view(num_valid), batch, 0), 0);
  backend.set_scalars({}, 0);
  program.run(Phase::kForward, 0);
  backend.release(0);
  std::vector<float> logits(network_.programs().num_logits());
  program.read_logits(logits);
  backend.finish();
  while (backend.poll()) {
  }  // nobody asks for the loss of unlabelled pictures
  const std::size_t num_classes = logits.size() / network_.spec().batch;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto own = std::span(logits).subspan(i * num_classes, num_classes);
    scores[i].logits.assign(own.begin(), own.end());
    scores[i].probabilities = softmax(own);
  }
  return scores;
}

}  // namespace penstock::train
