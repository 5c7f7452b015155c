// What training samples weigh in the loss, from a file that names them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/shard/dataset.h"

namespace penstock::train {

struct LossWeights {
  /// By sample id; null: 1 each.
  std::shared_ptr<const std::vector<float>> by_sample = {};  // shared with the loader
  /// Samples that the file names.
  std::uint64_t num_named = 0;

  std::uint64_t bytes() const noexcept { return by_sample ? by_sample->size() * sizeof(float) : 0; }
  /// Of the weights themselves, so that a file may be written in another way; empty without.
  std::string digest() const;
};

/// Reads lines `NAME,WEIGHT` in any order, as CSV: names are those that the dataset stores, in quotes where they
/// begin with one; a first line `name,weight` is passed over, as are empty ones. A sample that is not named weighs
/// 1. A name that several samples have is that of all of them. An empty `path` is no file.
///
/// Units   weight: 0, or 1e-9 to 1e9; samples of weight 0 count nowhere
/// Errors  InvalidArgument naming the line: another form, a weight that is none, a name that is given twice or
///         that no sample of the split has; a file without lines, or after which all samples weigh 0; a dataset
///         without names. OutOfMemory for a file that needs more than `limit_bytes`. NotFound, Io; CorruptData
///         for a file above 1 GiB, and of the dataset
/// Memory  while it reads: the file and 25 bytes a line, within the limit, and the names of a shard; then 4 bytes
///         a sample
LossWeights read_loss_weights(const std::filesystem::path& path, const DatasetSplit& split,
                              std::uint64_t limit_bytes);

}  // namespace penstock::train
