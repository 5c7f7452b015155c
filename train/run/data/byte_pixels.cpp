#include "train/run/data/byte_pixels.h"

namespace penstock::train {
namespace {

augment::AugmentConfig without_statistics(augment::AugmentConfig config) {
  config.mean.fill(0);
  config.std.fill(1);
  return config;
}

}  // namespace

BytePixels::BytePixels(const augment::AugmentConfig& config)
    : pixels_(without_statistics(config)), normalised_(config) {}

}  // namespace penstock::train
