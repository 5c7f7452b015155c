// Fills in what a run's settings leave open, from the dataset and the machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "streamer/shard/manifest.h"
#include "train/run/settings/core_split.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct ResolvedRun {
  /// Nothing is left open: stored as run.toml it gives the same run again.
  RunConfig config;
  CoreSplit cores;
  /// Why the limit may not hold here, for a warning; empty when it may.
  std::string memory_note;
  /// DeviceChoice::note.
  std::string device_note;
};

/// Validates `config` and resolves the model, image size, mean and std, memory limit and
/// threads.
/// Errors  InvalidArgument, NotFound; Unsupported for a device that this build cannot use
ResolvedRun resolve_run(RunConfig config, const Manifest& manifest);

/// Side of the network's input for pictures of this median size: the shorter side rounded down to
/// a multiple of 32, 32 to 224, which is what published networks are made for.
std::uint32_t default_image_side_px(const Manifest& manifest) noexcept;

/// `small_cnn` for inputs of up to 96 pixels, which is what it is made for, else `resnet18`.
std::string_view default_model(std::uint32_t height_px, std::uint32_t width_px) noexcept;

}  // namespace penstock::train
