// What the bytes of a fuzzer mean: which part of a real small shard, or of a manifest, they stand
// in the place of. Checksums are put right, or no input would get past the first of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace penstock::fuzz {

using Bytes = std::vector<std::byte>;

/// The first byte of an input, modulo kNumParts; what follows replaces that part from its start.
enum class Part : std::uint8_t {
  kHeader,
  kIndex,
  kNameOffsets,
  kNames,
  kClassNames,
  kAnywhere,  // patches: offset u16, length u8, bytes; the first offset alone is the file's length
  kManifest,
  kNumParts,
};

/// A shard of 70 samples and its manifest, as the writer makes them.
struct RealDataset {
  Bytes shard;
  std::string manifest;
};
RealDataset make_real_dataset();

struct FuzzCase {
  bool is_manifest = false;
  Bytes shard;
  std::string manifest;
};

/// Any bytes make a case; none at all make the real shard.
FuzzCase fuzz_case(std::span<const std::uint8_t> input, const RealDataset& real);

/// An input for each part that makes the real dataset.
std::vector<std::vector<std::uint8_t>> seed_inputs(const RealDataset& real);

}  // namespace penstock::fuzz
