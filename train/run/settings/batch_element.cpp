#include "train/run/settings/batch_element.h"

#include "streamer/core/range_check.h"

namespace penstock::train {

ElementType gpu_batch_element(const RunConfig& config) {
  const bool erases = config.augment.random_erasing > 0;
  if (config.batch_element == "float16") return ElementType::kFloat16;
  if (config.batch_element == "float32") return ElementType::kFloat32;
  if (config.batch_element == "uint8" && erases) {
    refuse_setting({"run", "batch_element", "float16 or float32 with augment.random_erasing",
                    "\"uint8\"", "batch_element = \"auto\""});
  }
  return erases ? ElementType::kFloat16 : ElementType::kUint8;
}

}  // namespace penstock::train
