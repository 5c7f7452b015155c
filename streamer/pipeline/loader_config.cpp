#include <cstdint>
#include <string>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/range_check.h"
#include "streamer/order/resume_check.h"
#include "streamer/pipeline/loader.h"
#include "streamer/read/sample_run.h"

namespace penstock {
namespace {

constexpr std::uint64_t kMaxNumPositions = std::uint64_t{1} << 48;
// No process has more addresses, and rounding it up to pages cannot wrap round.
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 48;

// Settings that belong to some orders are refused with the others: they would do nothing.
void check_order(const LoaderConfig& config) {
  const std::string order(sample_order_name(config.order));
  const auto refuse = [](std::string_view field, std::string expected, std::string found,
                         std::string_view hint) {
    refuse_setting({.owner = "loader",
                    .field = field,
                    .expected = expected,
                    .found = std::move(found),
                    .hint = hint});
  };
  if (config.order > SampleOrder::kClassBalanced) {
    refuse("order", "a SampleOrder", std::to_string(static_cast<int>(config.order)), {});
  }
  check_range({"loader", "window_bytes", config.window_bytes, kMinWindowBytes, kMaxWindowBytes});
  check_range({"loader", "piece_bytes", config.piece_bytes, kMinWindowBytes, kMaxWindowBytes});
  const bool has_weights = config.sample_weights != nullptr;
  if (config.order == SampleOrder::kWeighted && !has_weights) {
    refuse("sample_weights", "a weight for each sample with the order weighted", "none", {});
  }
  if (config.order != SampleOrder::kWeighted && has_weights) {
    refuse("sample_weights", "none with the order " + order,
           std::to_string(config.sample_weights->size()) + " weights",
           "order = SampleOrder::kWeighted");
  }
  if (!config.num_samples_per_epoch) return;
  if (!draws_with_replacement(config.order)) {
    refuse(
        "num_samples_per_epoch", "none with the order " + order + ", which takes every sample once",
        std::to_string(*config.num_samples_per_epoch), "DatasetSplit::subset() takes a fraction");
  }
  check_range(
      {"loader", "num_samples_per_epoch", *config.num_samples_per_epoch, 1, kMaxNumPositions});
}

void check_cache(const LoaderConfig& config) {
  if (config.cache > CacheForm::kDecoded) {
    refuse_setting(
        {"loader", "cache", "a CacheForm", std::to_string(static_cast<int>(config.cache)), {}});
  }
  check_range({"loader", "cache_bytes", config.cache_bytes, 0, kMaxBytes});
  if (config.cache == CacheForm::kNone && config.cache_bytes > 0) {
    refuse_setting({"loader", "cache_bytes", "0 without a cache",
                    std::to_string(config.cache_bytes), "cache = CacheForm::kEncoded"});
  }
}

void check_remainder(const LoaderConfig& config) {
  if (config.remainder_of == 0) return;
  if (!config.drop_remainder) {
    refuse_setting({"loader", "remainder_of", "0 without drop_remainder",
                    std::to_string(config.remainder_of), "drop_remainder = true"});
  }
  const std::uint64_t batches = std::uint64_t{config.batch.batch} * config.rank.world;
  if (config.remainder_of % batches == 0) return;
  refuse_setting({"loader", "remainder_of",
                  "a multiple of the " + std::to_string(batches) + " samples of a batch",
                  std::to_string(config.remainder_of),
                  "remainder_of = " + std::to_string(batches)});
}

// The lines of the identity that the order adds to its name.
std::vector<std::pair<const char*, std::string>> order_lines(const LoaderConfig& config) {
  std::vector<std::pair<const char*, std::string>> lines;
  if (config.order == SampleOrder::kWindowed) {
    lines.emplace_back("window_bytes", std::to_string(config.window_bytes));
    lines.emplace_back("piece_bytes", std::to_string(config.piece_bytes));
  }
  if (config.sample_weights) {
    lines.emplace_back("sample_weights",
                       hex(xxh3_64(std::as_bytes(std::span(*config.sample_weights)))));
  }
  if (config.num_samples_per_epoch) {
    lines.emplace_back("num_samples_per_epoch", std::to_string(*config.num_samples_per_epoch));
  }
  return lines;
}

}  // namespace

void LoaderConfig::validate() const {
  batch.validate();
  check_order(*this);
  check_range({"loader", "first_epoch", first_epoch, 0, kMaxFirstEpoch});
  check_range({"loader", "num_epochs", num_epochs.value_or(0), 0, kMaxFirstEpoch + 1u});
  check_range({"loader", "num_readers", num_readers, 0, 256});
  check_range({"loader", "num_workers", num_workers, 0, 256});
  check_range({"loader", "num_slots", num_slots, 2, 64});
  check_range({"loader", "work_bytes", work_bytes, 0, kMaxBytes});
  check_range({"loader", "max_run_samples", max_run_samples, 1, kMaxRunSamples});
  check_range({"loader", "rank.world", rank.world, 1, 1u << 20});
  check_range({"loader", "rank.index", rank.index, 0, rank.world - 1});
  check_remainder(*this);
  check_cache(*this);
  if (!(max_bad_fraction >= 0.0 && max_bad_fraction <= 1.0)) {
    refuse_setting({"loader", "max_bad_fraction", "0 to 1", std::to_string(max_bad_fraction)});
  }
}

std::string loader_identity(const DatasetSplit& split, const LoaderConfig& config,
                            const SampleTransform& transform) {
  const BatchSpec& spec = config.batch;
  std::string text;
  const auto line = [&text](const char* key, const std::string& value) {
    text += std::string(key) + "=" + value + "\n";
  };
  line("dataset", split.dataset_id());
  line("split", split.name());
  if (!split.subset_text().empty()) line("subset", split.subset_text());
  line("seed", std::to_string(config.seed));
  line("order", std::string(sample_order_name(config.order)));
  for (const auto& [key, value] : order_lines(config)) line(key, value);
  if (config.loss_weights) {
    line("loss_weights", hex(xxh3_64(std::as_bytes(std::span(*config.loss_weights)))));
  }
  line("drop_remainder", std::to_string(static_cast<int>(config.drop_remainder)));
  if (config.remainder_of > 0) line("remainder_of", std::to_string(config.remainder_of));
  line("batch", std::to_string(spec.batch));
  line("height_px", std::to_string(spec.height_px));
  line("width_px", std::to_string(spec.width_px));
  line("channels", std::to_string(spec.channels));
  line("element", std::to_string(static_cast<int>(spec.element)));
  line("layout", std::to_string(static_cast<int>(spec.layout)));
  line("label_form", std::to_string(static_cast<int>(spec.label_form)));
  line("num_targets", std::to_string(spec.num_targets));
  if (spec.crop_bytes > 0) line("crop_bytes", std::to_string(spec.crop_bytes));
  text += transform.identity();
  if (config.batch_transform != nullptr) text += config.batch_transform->identity();
  return text;
}

}  // namespace penstock
