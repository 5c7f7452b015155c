#include "train/run/predictor.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "train/loss/softmax_row.h"
#include "train/run/data_pipeline.h"

namespace penstock::train {

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
  memory_.draw(UnlabelledBatch::bytes_for(network_.spec()), "batch of pictures");
}

SampleFault Predictor::add(const EncodedPicture& picture) {
  check_internal(num_added_ < network_.spec().batch, "a picture beyond the batch");
  if (batch_ == nullptr) batch_ = std::make_shared<UnlabelledBatch>(network_.spec());
  const PicturePlace place{.spec = network_.spec(), .pixels = batch_->place(num_added_)};
  const SampleFault fault = fill_place(picture, *transform_, place, memory_.budget());
  if (fault.status == SampleStatus::kOk) ++num_added_;
  return fault;
}

std::vector<PictureScores> Predictor::score() {
  const std::shared_ptr<UnlabelledBatch> batch = std::exchange(batch_, nullptr);
  std::vector<PictureScores> scores(std::exchange(num_added_, 0));
  if (scores.empty()) return scores;
  const auto num_valid = static_cast<std::uint32_t>(scores.size());
  Program& program = network_.programs().evaluation_program();
  Backend& backend = network_.programs().backend();
  backend.upload(lease_of(batch, num_valid), 0);
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
