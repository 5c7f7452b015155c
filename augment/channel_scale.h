// Normalisation as the kernel applies it.
#pragma once

namespace penstock::augment {

/// What becomes of one channel: value * gain + bias, with `fill` outside the picture.
struct ChannelScale {
  float gain = 1;
  float bias = 0;
  float fill = 0;  // normalised already
};

}  // namespace penstock::augment
