#include "train/run/inference/test_time_flip.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <span>

#include "streamer/core/error.h"
#include "train/loss/softmax_row.h"

namespace penstock::train {
namespace {

/// evaluate_epoch() has slot 0.
constexpr std::uint32_t kMirrorSlot = 1;

}  // namespace

void mirror_picture(const BatchSpec& spec, const std::byte* from, std::byte* to) {
  const bool is_nchw = spec.layout == PixelLayout::kNchw;
  const std::size_t pixel_bytes = element_bytes(spec.element) * (is_nchw ? 1 : spec.channels);
  const std::size_t num_rows = std::size_t{spec.height_px} * (is_nchw ? spec.channels : 1);
  for (std::size_t row = 0; row < num_rows; ++row) {
    const std::size_t start = row * spec.width_px;
    for (std::size_t x = 0; x < spec.width_px; ++x) {
      std::memcpy(to + (start + x) * pixel_bytes,
                  from + (start + spec.width_px - 1 - x) * pixel_bytes, pixel_bytes);
    }
  }
}

void mean_prediction(std::span<const float> a, std::span<const float> b, std::span<float> mean) {
  const auto row_a = softmax_row<double>(a);
  const auto row_b = softmax_row<double>(b);
  for (std::size_t k = 0; k < mean.size(); ++k) {
    const double x = row_a.log_probability(static_cast<double>(a[k]));
    const double y = row_b.log_probability(static_cast<double>(b[k]));
    // log((e^x + e^y) / 2), which never takes the logarithm of 0.
    mean[k] = static_cast<float>(std::max(x, y) + std::log1p(std::exp(-std::abs(x - y))) -
                                 std::numbers::ln2);
  }
}

TestTimeFlip::TestTimeFlip(BatchSource& source, ProgramSet& programs, ScoreObserver& next)
    : source_(source),
      programs_(programs),
      next_(next),
      mirrored_(std::make_shared<UnlabelledBatch>(source.spec())),
      mirrored_logits_(programs.num_logits()),
      mean_scores_(programs.num_logits()) {}

std::uint64_t TestTimeFlip::bytes_for(const BatchSpec& spec, std::size_t num_logits) {
  return UnlabelledBatch::bytes_for(spec) + 2 * num_logits * sizeof(float);
}

BatchLease TestTimeFlip::next() {
  BatchLease lease = source_.next();
  if (!lease) return lease;
  num_valid_ = lease->num_valid;
  for (std::uint32_t i = 0; i < num_valid_; ++i) {
    mirror_picture(spec(), lease->pixels + i * spec().sample_bytes(), mirrored_->place(i));
  }
  return lease;
}

void TestTimeFlip::on_scores(const ScoredBatch& batch) {
  check_internal(batch.class_idx.size() == num_valid_, "scores of the batch handed on last");
  Program& program = programs_.evaluation_program();
  Backend& backend = programs_.backend();
  backend.upload(lease_of(mirrored_, num_valid_), kMirrorSlot);
  backend.set_scalars({}, kMirrorSlot);
  program.run(Phase::kForward, kMirrorSlot);
  backend.release(kMirrorSlot);
  program.read_logits(
      mirrored_logits_);  // its report counts no sample: evaluate_epoch() may add it
  const auto row = [&](auto& values, std::size_t n) {
    return std::span(values).subspan(n * batch.num_classes, batch.num_classes);
  };
  for (std::size_t n = 0; n < num_valid_; ++n) {
    mean_prediction(row(batch.logits, n), row(mirrored_logits_, n), row(mean_scores_, n));
  }
  ScoredBatch mean = batch;
  mean.logits = std::span<const float>(mean_scores_).first(batch.logits.size());
  next_.on_scores(mean);
}

}  // namespace penstock::train
