#include "train/run/inference/predictor.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "train/loss/softmax_row.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/data/unlabelled_batch.h"
#include "train/run/inference/memory_hint.h"
#include "train/run/inference/stored_network.h"

namespace penstock::train {
namespace {

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> values(logits.begin(), logits.end());
  const SoftmaxRow<double> row = softmax_row<double>(logits);
  for (double& value : values) value = row.probability(value);
  return values;
}

}  // namespace

struct Predictor::Parts {
  Parts(const std::filesystem::path& run, const InferenceConfig& config)
      : memory(memory_limit_bytes(config)),
        network(run, config, memory),
        transform(make_transform(augment_of(network.record()), PipelineUse::kEvaluate,
                                 network.spec())) {
    transform->accept(network.spec());
    memory.draw(UnlabelledBatch::bytes_for(network.spec()), "batch of pictures");
  }

  MemoryTable memory;
  StoredNetwork network;
  std::shared_ptr<const SampleTransform> transform;
  std::shared_ptr<UnlabelledBatch> batch;  // shared with the lease while it is scored
  std::uint32_t num_added = 0;
};

Predictor::Predictor(const std::filesystem::path& run, const InferenceConfig& config)
    : parts_(with_memory_hint([&] { return std::make_unique<Parts>(run, config); })) {}
Predictor::~Predictor() = default;

const ModelRecord& Predictor::record() const noexcept {
  return parts_->network.record();
}

MemoryBudget& Predictor::budget() noexcept {
  return parts_->memory.budget();
}

SampleFault Predictor::add(const EncodedPicture& picture) {
  Parts& own = *parts_;
  const BatchSpec& spec = own.network.spec();
  if (own.num_added == spec.batch) {
    throw Error(ErrorCode::kInvalidArgument,
                "predictor: expected at most " + std::to_string(spec.batch) +
                    " pictures before they are scored, found one more",
                "call score() first");
  }
  if (own.batch == nullptr) own.batch = std::make_shared<UnlabelledBatch>(spec);
  const PicturePlace place{.spec = spec, .pixels = own.batch->place(own.num_added)};
  const SampleFault fault = fill_place(picture, *own.transform, place, own.memory.budget());
  if (fault.status == SampleStatus::kOk) ++own.num_added;
  return fault;
}

std::vector<PictureScores> Predictor::score() {
  ProgramSet& programs = parts_->network.programs();
  const std::shared_ptr<UnlabelledBatch> batch = std::exchange(parts_->batch, nullptr);
  std::vector<PictureScores> scores(std::exchange(parts_->num_added, 0));
  if (scores.empty()) return scores;
  const auto num_valid = static_cast<std::uint32_t>(scores.size());
  Program& program = programs.evaluation_program();
  Backend& backend = programs.backend();
  backend.upload(lease_of(batch, num_valid), 0);
  backend.set_scalars({}, 0);
  program.run(Phase::kForward, 0);
  backend.release(0);
  std::vector<float> logits(programs.num_logits());
  program.read_logits(logits);
  backend.finish();
  while (backend.poll()) {
  }  // nobody asks for the loss of unlabelled pictures
  const std::size_t num_classes = programs.num_classes();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto own = std::span(logits).subspan(i * num_classes, num_classes);
    scores[i].logits.assign(own.begin(), own.end());
    scores[i].probabilities = softmax(own);
  }
  return scores;
}

}  // namespace penstock::train
