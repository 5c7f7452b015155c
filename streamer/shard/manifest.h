// dataset.json: what a dataset holds, and its commit record, written last.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace penstock {

inline constexpr const char* kManifestName = "dataset.json";

struct ManifestShard {
  std::string file;  // name within the dataset's folder
  std::uint64_t num_samples = 0;
  std::uint64_t size_bytes = 0;
  std::string uuid;  // 32 hexadecimal digits: XXH3-128 of contents and settings
  /// 16 hexadecimal digits: XXH3-64 of the header block, bytes 0 to 4095. The header states the
  /// checksum of every section, so this one stands for the whole file.
  std::string header_xxh3;
};

struct ManifestSplit {
  std::string name;                         // "train", "validation", "test"
  std::uint64_t num_samples = 0;            // 0 in a split without shards: it opens, no loader does
  std::vector<std::uint64_t> num_by_class;  // by class index
  std::vector<ManifestShard> shards;        // in the order of sample indices
};

/// The largest sample of a dataset in each respect, for those who look at it. The memory plan goes by
/// the index, sample by sample.
struct LargestSample {
  std::uint64_t encoded_bytes = 0;
  std::uint64_t num_px = 0;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint64_t decode_scratch_bytes = 0;  // at decode scale 1
};

/// How many pictures have a longer side, as a viewer shows them, of long_side_px up to twice that.
struct SizeBin {
  std::uint32_t long_side_px = 0;  // a power of two: the smallest side of the bin
  std::uint64_t num_samples = 0;
};

/// How many pictures are so wide for their height, as a viewer shows them: from width_percent of it up to
/// the next of FORMAT.md's bounds.
struct AspectBin {
  std::uint32_t width_percent = 0;
  std::uint64_t num_samples = 0;

  friend bool operator==(const AspectBin&, const AspectBin&) = default;
};

/// What the samples take, and what the files took that they were made from.
struct SampleBytes {
  std::uint64_t source_bytes = 0;
  std::uint64_t stored_bytes = 0;

  friend bool operator==(const SampleBytes&, const SampleBytes&) = default;
};

/// Samples of the same content as another that counts as the first: how many, by where that one is. One
/// sample may count more than once.
struct DuplicateCounts {
  std::uint64_t num_within_class = 0;  // and split
  std::uint64_t num_across_classes = 0;
  std::uint64_t num_across_splits = 0;

  friend bool operator==(const DuplicateCounts&, const DuplicateCounts&) = default;
};

/// Mean and standard deviation of the training split's pixels as gray, divided by 255.
struct GrayStatistics {
  double mean = 0;
  double std = 0;

  friend bool operator==(const GrayStatistics&, const GrayStatistics&) = default;
};

/// Sums over the training split's pixels, 0 to 255: what mean, std and gray were computed from. They let
/// samples be added and removed without reading the others.
struct PixelTotals {
  std::uint64_t num_px = 0;
  std::array<std::uint64_t, 3> sum{};
  std::array<std::uint64_t, 3> sum_of_squares{};
  std::uint64_t sum_of_gray = 0;
  std::uint64_t sum_of_gray_squares = 0;

  friend bool operator==(const PixelTotals&, const PixelTotals&) = default;
};

struct Manifest {
  std::string id;  // 32 hexadecimal digits over everything that affects batches
  std::vector<std::string> class_names;
  std::vector<ManifestSplit> splits;
  /// Per-channel statistics of the training split, of pixels divided by 255; empty when not known.
  std::vector<double> mean;
  std::vector<double> std;
  /// Of the same pixels, for a network that sees gray: the deviation does not follow from the three
  /// above. Absent when not known; no part of the id.
  std::optional<GrayStatistics> gray = std::nullopt;
  /// Absent when not known; no part of the id.
  std::optional<PixelTotals> pixel_totals = std::nullopt;
  /// As the conversion and each addition found them, old samples compared too. Absent when not known.
  std::optional<DuplicateCounts> duplicates = std::nullopt;
  /// The same of pictures that look alike. Absent when they were not looked for.
  std::optional<DuplicateCounts> near_duplicates = std::nullopt;
  std::uint32_t median_width_px = 0;
  std::uint32_t median_height_px = 0;
  std::vector<SizeBin> size_histogram;      // of all pictures, by rising side; empty when not known
  std::vector<AspectBin> aspect_histogram;  // the same, by rising width_percent
  /// Absent when not known: samples that were no files, or some were removed since.
  std::optional<SampleBytes> sample_bytes = std::nullopt;
  LargestSample largest;
  /// Absent when not known: dataset.json was lost and made anew from the shards.
  std::optional<std::uint64_t> num_quarantined = 0;
  std::optional<std::uint64_t> num_reencoded = 0;
  /// Settings of the conversion that affect bytes, by name: `predict` replays them.
  std::map<std::string, std::string> conversion;

  const ManifestSplit* find_split(const std::string& name) const noexcept;
};

/// Computes Manifest::id from everything else.
std::string manifest_id(const Manifest& manifest);

/// Writes dataset.json into `folder`, whole; the id written is manifest_id(manifest).
///
/// Errors  InvalidArgument when fields contradict each other, a text is not UTF-8 or the whole is above
///         64 MiB, the most that is read; Io
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);

/// Parses the text of a dataset.json and holds it against itself; `where` names it in messages.
///
/// Errors  CorruptData naming field, expected and found (checksum included); Unsupported for a
///         newer format
Manifest parse_manifest(const std::string& text, const std::string& where);

/// Reads dataset.json of `folder`.
///
/// Errors  NotFound when there is none; Io; those of parse_manifest()
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace penstock
