// Batches as hashes, to tell whether two streams are the same.
#pragma once

#include <string>
#include <vector>

#include "streamer/pipeline/loader.h"

namespace penstock::tests {

/// Of everything that a consumer sees of a batch, its number in the stream left out.
std::string hash_batch(const BatchView& batch);

/// All batches of the split train, resized, with a budget of 256 MiB.
std::vector<std::string> hash_all(const Dataset& dataset, const LoaderConfig& config);

}  // namespace penstock::tests
