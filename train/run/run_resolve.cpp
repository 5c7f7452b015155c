#include "train/run/run_resolve.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "train/run/memory/system_memory.h"
#include "train/run/network/run_model.h"
#include "train/run/settings/channel_statistics.h"
#include "train/run/settings/device_choice.h"

namespace penstock::train {
namespace {

/// A limit above what there is protects from nothing.
std::string memory_note(std::uint64_t limit_bytes, const SystemMemory& system) {
  const std::uint64_t usable_bytes = system.usable_bytes();
  if (usable_bytes == 0 || limit_bytes <= usable_bytes) return {};
  return "memory: the limit of " + format_bytes(limit_bytes) + " is above the " +
         format_bytes(usable_bytes) + " that can be had here: the kernel may end the run";
}

}  // namespace

std::uint32_t default_image_side_px(const Manifest& manifest) noexcept {
  const std::uint32_t side = std::min(manifest.median_width_px, manifest.median_height_px);
  return std::clamp(side / 32 * 32, 32u, 224u);
}

std::string_view default_model(std::uint32_t height_px, std::uint32_t width_px) noexcept {
  return std::max(height_px, width_px) <= 96 ? "small_cnn" : "resnet18";
}

ResolvedRun resolve_run(RunConfig config, const Manifest& manifest) {
  config.validate();
  inline_model_file(config);
  if (!config.dataset.empty()) config.dataset = std::filesystem::absolute(config.dataset);
  if (!config.out.empty()) config.out = std::filesystem::absolute(config.out);
  if (!config.init_from.empty()) {
    config.init_from = std::filesystem::absolute(config.init_from).lexically_normal();
  }
  if (!config.loss_weights.empty()) {
    config.loss_weights = std::filesystem::absolute(config.loss_weights).lexically_normal();
  }
  // "runs/a/" and "runs/a/." would be their own parent.
  while (config.out.has_relative_path() &&
         (config.out.filename().empty() || config.out.filename() == ".")) {
    config.out = config.out.parent_path();
  }
  if (config.image_height_px == 0) {
    config.image_height_px = config.image_width_px = default_image_side_px(manifest);
  }
  if (config.model.empty()) {
    config.model = default_model(config.image_height_px, config.image_width_px);
  }
  resolve_statistics(config, manifest);
  const SystemMemory system = read_system_memory();
  if (config.memory_bytes == 0) {
    config.memory_bytes = system.default_limit_bytes();
    config.has_default_memory = true;
  }
  if (config.memory_bytes == 0) {
    throw Error(ErrorCode::kUnsupported,
                "memory limit: /proc/meminfo: expected the available memory, found none",
                "--memory 2G");
  }
  DeviceChoice device = choose_device(config.device, config.backend);
  config.device = device.device;
  const CoreSplit cores = split_cores(num_usable_cores(), {.threads = config.threads,
                                                           .loader_threads = config.loader_threads,
                                                           .is_on_gpu = config.is_on_gpu()});
  config.threads = cores.num_compute;
  config.loader_threads = cores.num_loader();
  std::string note = memory_note(config.memory_bytes, system);
  return {.config = std::move(config),
          .cores = cores,
          .memory_note = std::move(note),
          .device_note = std::move(device.note)};
}

}  // namespace penstock::train
