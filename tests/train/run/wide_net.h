// A network whose values outweigh everything else of a small run: pictures of 64 x 64 pixels in 16 channels, four
// times.
#pragma once

#include "train/run/settings/run_config.h"

namespace penstock::train::tests {

inline RunConfig with_wide_net(RunConfig config) {
  config.model_layers =
      "[[layer]]\ntype = \"conv2d\"\nfilters = 16\n[[layer]]\ntype = \"batch_norm\"\n"
      "[[layer]]\ntype = \"relu\"\n[[layer]]\ntype = \"conv2d\"\nfilters = 16\n"
      "[[layer]]\ntype = \"batch_norm\"\n[[layer]]\ntype = \"relu\"\n"
      "[[layer]]\ntype = \"global_avg_pool\"\n"
      "[[layer]]\ntype = \"dense\"\nunits = \"num_classes\"\n";
  config.image_height_px = config.image_width_px = 64;
  config.epochs = 1;
  return config;
}

}  // namespace penstock::train::tests
