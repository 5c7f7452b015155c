#include "train/run/run_config.h"

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

void check(bool holds, const char* field, const std::string& expected, const std::string& found) {
  if (holds) return;
  throw Error(ErrorCode::kInvalidArgument,
              std::string("run: ") + field + ": expected " + expected + ", found " + found);
}

void check_range(const char* field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  check(value >= low && value <= high, field, std::to_string(low) + " to " + std::to_string(high),
        std::to_string(value));
}

void check_device(const std::string& device) {
  if (device == "cuda") {
    throw Error(ErrorCode::kUnsupported,
                "run: device: expected auto or cpu, found cuda: this build trains on the CPU",
                "--device cpu");
  }
  check(device == "auto" || device == "cpu", "device", "auto or cpu", "\"" + device + "\"");
}

}  // namespace

// The comparisons are written so that NaN fails them.
void RunConfig::validate() const {
  constexpr std::uint32_t kMaxSidePx = 1u << 14;
  check(!model.empty(), "model", "a name", "none");
  check((image_height_px == 0) == (image_width_px == 0), "image_size", "two sides",
        std::to_string(image_height_px) + "x" + std::to_string(image_width_px));
  check_range("image_size", image_height_px, 0, kMaxSidePx);
  check_range("image_size", image_width_px, 0, kMaxSidePx);
  check_range("epochs", epochs, 1, 100'000);
  check_range("batch_size", batch_size, 1, 65'536);
  sgd.validate();
  schedule.validate();
  check(label_smoothing >= 0 && label_smoothing < 1, "label_smoothing", "0 to below 1",
        std::to_string(label_smoothing));
  check_range("seed", seed, 0, INT64_MAX);  // what TOML can hold
  check_range("threads", threads, 0, 1024);
  if (loader_threads != 0) check_range("loader_threads", loader_threads, 2, 256);
  check(backend == "onednn" || backend == "reference", "backend", "onednn or reference",
        "\"" + backend + "\"");
  check_device(device);
  augment.validate();
  check(mean.size() == std.size() && (mean.empty() || mean.size() == 3), "mean and std",
        "three numbers each", std::to_string(mean.size()) + " and " + std::to_string(std.size()));
}

}  // namespace penstock::train
