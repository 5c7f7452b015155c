#include <cstdint>
#include <string>

#include "streamer/core/range_check.h"
#include "streamer/pipeline/loader.h"
#include "streamer/read/sample_run.h"

namespace penstock {
void LoaderConfig::validate() const {
  batch.validate();
  check_range({"loader", "num_readers", num_readers, 0, 256});
  check_range({"loader", "num_augmenters", num_augmenters, 0, 256});
  check_range({"loader", "num_slots", num_slots, 2, 64});
  // 2^48: no process has more addresses, and rounding it up to pages cannot wrap round.
  check_range({"loader", "work_bytes", work_bytes, 0, std::uint64_t{1} << 48});
  check_range({"loader", "max_run_samples", max_run_samples, 1, kMaxRunSamples});
  check_range({"loader", "rank.world", rank.world, 1, 1u << 20});
  check_range({"loader", "rank.index", rank.index, 0, rank.world - 1});
  if (num_epochs) {
    check_range({"loader", "num_epochs", *num_epochs, 0, UINT32_MAX - first_epoch});
  }
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
  line("seed", std::to_string(config.seed));
  line("order", std::to_string(static_cast<int>(config.order)));
  line("drop_remainder", std::to_string(static_cast<int>(config.drop_remainder)));
  line("batch", std::to_string(spec.batch));
  line("height_px", std::to_string(spec.height_px));
  line("width_px", std::to_string(spec.width_px));
  line("channels", std::to_string(spec.channels));
  line("element", std::to_string(static_cast<int>(spec.element)));
  line("layout", std::to_string(static_cast<int>(spec.layout)));
  line("label_form", std::to_string(static_cast<int>(spec.label_form)));
  line("num_targets", std::to_string(spec.num_targets));
  return text + transform.identity();
}

}  // namespace penstock
