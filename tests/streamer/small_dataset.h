// A small dataset on disk, made of pictures that a test describes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtures/jpeg_writer.h"
#include "streamer/shard/dataset.h"

namespace penstock::tests {

/// A picture with a gradient and seeded noise; the same seed gives the same pixels.
std::vector<std::uint8_t> noisy_picture(std::uint32_t width_px, std::uint32_t height_px,
                                        std::uint32_t channels, std::uint64_t seed);

struct SmallSample {
  std::vector<std::byte> encoded;
  IndexRecord record;
};

/// A JPEG file as a shard holds it.
SmallSample stored_jpeg(std::vector<std::byte> encoded);

SmallSample jpeg_sample(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed,
                        const fixtures::JpegOptions& options = {}, std::uint32_t channels = 3);
/// A picture of one row over and over, which is never held whole: 100 million pixels cost a second.
SmallSample low_detail_jpeg_sample(std::uint32_t width_px, std::uint32_t height_px,
                                   const fixtures::JpegOptions& options = {});
SmallSample raw_sample(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed);

/// Writes FOLDER as a dataset of one split "train", `samples_per_shard` to a shard.
Dataset write_small_dataset(const std::filesystem::path& folder,
                            const std::vector<SmallSample>& samples,
                            std::size_t samples_per_shard = 1000);

/// `count` JPEGs of mixed sizes and kinds, two classes.
std::vector<SmallSample> mixed_samples(std::uint32_t count, std::uint64_t seed = 1);

}  // namespace penstock::tests
