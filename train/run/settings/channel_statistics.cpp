#include "train/run/settings/channel_statistics.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

bool are_equal(const std::vector<double>& values) {
  return std::ranges::adjacent_find(values, std::not_equal_to<>()) == values.end();
}

/// Nothing when the deviation is not known.
std::optional<ChannelStatistics> gray_statistics(const Manifest& manifest) {
  if (manifest.gray) return ChannelStatistics{{manifest.gray->mean}, {manifest.gray->std}};
  // Gray pictures count as three equal channels.
  const bool is_gray = are_equal(manifest.mean) && are_equal(manifest.std);
  if (!is_gray) return std::nullopt;
  return ChannelStatistics{{manifest.mean.front()}, {manifest.std.front()}};
}

ChannelStatistics dataset_statistics(const Manifest& manifest, ColorMode mode) {
  const std::uint32_t channels = num_channels(mode);
  if (manifest.mean.size() != 3) {
    return {std::vector<double>(channels, 0.0), std::vector<double>(channels, 1.0)};
  }
  if (mode == ColorMode::kRgb) return {manifest.mean, manifest.std};
  const auto gray = gray_statistics(manifest);
  if (gray) return *gray;
  refuse_setting({"run", "mean and std", "the dataset's gray statistics", "none",
                  "convert the dataset again, which measures them; or give both: mean = [0.45], "
                  "std = [0.25]"});
}

}  // namespace

double statistics_unit(const augment::AugmentConfig& augment) noexcept {
  const bool is_default = augment.rescale == augment::AugmentConfig{}.rescale;
  return is_default ? 1 : 255 * augment.rescale;
}

std::optional<ChannelStatistics> initial_statistics(const RunConfig& config) {
  if (config.init_from.empty()) return std::nullopt;
  const bool is_in_run = config.init_from.filename() == kWeightsName;
  try {
    const ModelRecord record =
        load_model_record(is_in_run ? config.init_from.parent_path() : config.init_from);
    if (record.mean.size() != num_channels(config.color_mode)) return std::nullopt;
    return ChannelStatistics{record.mean, record.std};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void resolve_statistics(RunConfig& config, const Manifest& manifest) {
  const double unit = statistics_unit(config.augment);
  for (double& value : config.mean) value /= unit;
  for (double& value : config.std) value /= unit;
  config.augment.rescale = augment::AugmentConfig{}.rescale;
  if (!config.mean.empty() && !config.std.empty()) return;
  const auto initial = config.has_dataset_statistics ? std::nullopt : initial_statistics(config);
  const ChannelStatistics usual =
      initial ? *initial : dataset_statistics(manifest, config.color_mode);
  if (config.mean.empty()) config.mean = usual.mean;
  if (config.std.empty()) config.std = usual.std;
}

}  // namespace penstock::train
