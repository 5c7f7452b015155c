// Mean and std of a run: given, those of the run that it begins with, or the dataset's.
#pragma once

#include <optional>
#include <vector>

#include "streamer/shard/manifest.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

/// The unit of a given mean and std, in pixels divided by 255: exactly 1 with the augment.rescale that
/// is the default.
double statistics_unit(const augment::AugmentConfig& augment) noexcept;

struct ChannelStatistics {
  std::vector<double> mean;
  std::vector<double> std;
};

/// What the run in RunConfig::init_from was normalised with, of pixels divided by 255. Nothing where its weights
/// have no record of ours, or of another number of channels; whoever loads the weights says what is wrong with them.
std::optional<ChannelStatistics> initial_statistics(const RunConfig& config);

/// Fills in mean and std where `config` leaves them open: those of the run in init_from or else the dataset's, one
/// number for each channel of the colour mode; 0 and 1 when the dataset has none. Those given are brought from the
/// units of augment.rescale to pixels divided by 255, and augment.rescale with them.
///
/// Errors  InvalidArgument for gray statistics that the dataset lacks: the deviation of gray does
///         not follow from those of red, green and blue
void resolve_statistics(RunConfig& config, const Manifest& manifest);

}  // namespace penstock::train
