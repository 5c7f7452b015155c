#include "tests/streamer/small_dataset.h"

#include "streamer/core/draws.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/shard_writer.h"

namespace penstock::tests {

std::vector<std::uint8_t> noisy_picture(std::uint32_t width_px, std::uint32_t height_px,
                                        std::uint32_t channels, std::uint64_t seed) {
  std::vector<std::uint8_t> pixels(std::size_t{width_px} * height_px * channels);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto noise =
        Draws({.seed = seed, .position = i / 16}).block(0)[i / 4 % 4] >> (8 * (i % 4)) & 63;
    pixels[i] = static_cast<std::uint8_t>(i * 127 / pixels.size() + noise + 30 * (i % channels));
  }
  return pixels;
}

namespace {

SmallSample encoded_sample(const ImageView& image, const fixtures::JpegOptions& options) {
  return stored_jpeg(fixtures::encode_jpeg(image, options));
}

}  // namespace

SmallSample stored_jpeg(std::vector<std::byte> encoded) {
  SmallSample sample;
  sample.encoded = std::move(encoded);
  JpegDecoder decoder;
  const JpegHeader header = decoder.read_header(sample.encoded).value();
  sample.record.width_px = header.width_px;
  sample.record.height_px = header.height_px;
  sample.record.components = header.components;
  sample.record.flags = header.has_several_scans ? kFlagProgressive : 0;
  sample.record.subsampling_x = header.subsampling_x;
  sample.record.subsampling_y = header.subsampling_y;
  return sample;
}

SmallSample jpeg_sample(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed,
                        const fixtures::JpegOptions& options, std::uint32_t channels) {
  const auto pixels = noisy_picture(width_px, height_px, channels, seed);
  SmallSample sample = encoded_sample({.pixels_hwc = pixels.data(),
                                       .width_px = width_px,
                                       .height_px = height_px,
                                       .channels = channels,
                                       .pixel_stride_bytes = channels,
                                       .row_stride_bytes = std::size_t{width_px} * channels},
                                      options);
  sample.record.class_idx = static_cast<std::uint32_t>(seed % 2);
  return sample;
}

SmallSample low_detail_jpeg_sample(std::uint32_t width_px, std::uint32_t height_px,
                                   const fixtures::JpegOptions& options) {
  std::vector<std::uint8_t> row(std::size_t{width_px} * 3);
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<std::uint8_t>(i * 255 / row.size());
  }
  SmallSample sample = encoded_sample({.pixels_hwc = row.data(),
                                       .width_px = width_px,
                                       .height_px = height_px,
                                       .channels = 3,
                                       .pixel_stride_bytes = 3,
                                       .row_stride_bytes = 0},
                                      options);
  sample.record.class_idx = 0;
  return sample;
}

SmallSample raw_sample(std::uint32_t width_px, std::uint32_t height_px, std::uint64_t seed) {
  const auto pixels = noisy_picture(width_px, height_px, 3, seed);
  const auto bytes = std::as_bytes(std::span(pixels));
  SmallSample sample{.encoded = {bytes.begin(), bytes.end()}, .record = {}};
  sample.record.width_px = width_px;
  sample.record.height_px = height_px;
  sample.record.codec = static_cast<std::uint8_t>(Codec::kRaw);
  sample.record.class_idx = static_cast<std::uint32_t>(seed % 2);
  return sample;
}

std::vector<SmallSample> mixed_samples(std::uint32_t count, std::uint64_t seed) {
  std::vector<SmallSample> samples;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto words = Draws({.seed = seed, .position = i}).block(7);
    const fixtures::JpegOptions options{
        .quality = 70,
        .subsampling = static_cast<fixtures::ChromaSubsampling>(words[0] % 3),
        .is_progressive = words[1] % 3 == 0};
    samples.push_back(
        jpeg_sample(8 + words[2] % 120, 8 + words[3] % 120, i, options, words[0] % 5 == 0 ? 1 : 3));
    samples.back().record.orientation = static_cast<std::uint8_t>(1 + words[1] % 8);
  }
  return samples;
}

Dataset write_small_dataset(const std::filesystem::path& folder,
                            const std::vector<SmallSample>& samples,
                            std::size_t samples_per_shard) {
  std::filesystem::create_directory(folder);
  Manifest manifest;
  manifest.class_names = {"even", "odd"};
  ManifestSplit split;
  split.name = "train";
  split.num_samples = samples.size();
  split.num_by_class = {0, 0};
  for (std::size_t begin = 0; begin < samples.size(); begin += samples_per_shard) {
    const std::size_t end = std::min(samples.size(), begin + samples_per_shard);
    std::uint64_t payload_bytes = 0;
    for (std::size_t i = begin; i < end; ++i) payload_bytes += samples[i].encoded.size();
    const std::string number = std::to_string(100000 + split.shards.size()).substr(1);
    ShardWriter writer(folder / ("train-" + number + ".h5"), {.split = "train",
                                                              .class_names = manifest.class_names,
                                                              .num_samples = end - begin,
                                                              .payload_bytes = payload_bytes});
    for (std::size_t i = begin; i < end; ++i) {
      writer.add({.encoded = samples[i].encoded,
                  .record = samples[i].record,
                  .name = "picture " + std::to_string(i)});
      ++split.num_by_class[samples[i].record.class_idx];
    }
    split.shards.push_back(writer.finish());
  }
  manifest.splits = {split};
  manifest.id = manifest_id(manifest);
  write_manifest(folder, manifest);
  return Dataset::open(folder);
}

}  // namespace penstock::tests
