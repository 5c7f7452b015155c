#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <cstring>

#include "streamer/core/checksum.h"
#include "streamer/core/file.h"
#include "streamer/shard/manifest.h"
#include "tests/streamer/shard/sealed_shard.h"
#include "tests/streamer/shard/shard_maker.h"
#include "tests/temporary_folder.h"

namespace penstock::fuzz {
namespace {

using tests::SealedShard;

constexpr std::size_t kHeaderBytes = SealedShard::kHeaderBytes;

const char* section_of(Part part) {
  switch (part) {
    case Part::kIndex:
      return "index";
    case Part::kNameOffsets:
      return "name_offsets";
    case Part::kNames:
      return "names";
    case Part::kClassNames:
      return "class_names";
    default:
      return "";
  }
}

// Where a part lies in a shard whose header is still the real one.
std::span<std::byte> place_of(Part part, Bytes& shard) {
  if (part == Part::kHeader) return std::span(shard).first(SealedShard::kChecksumAt);
  return SealedShard(shard).section(section_of(part));
}

// The next `num_bytes` of `rest`, fewer at its end.
std::span<const std::byte> take(std::span<const std::byte>& rest, std::size_t num_bytes) {
  const auto taken = rest.first(std::min(rest.size(), num_bytes));
  rest = rest.subspan(taken.size());
  return taken;
}

void copy_over(std::span<const std::byte> from, std::span<std::byte> to) {
  std::ranges::copy(from.first(std::min(from.size(), to.size())), to.begin());
}

void patch(std::span<const std::byte> rest, Bytes& shard) {
  if (const auto size = tests::get_number(take(rest, 2)); size != 0) shard.resize(size);
  while (!rest.empty()) {
    const std::size_t at = std::min<std::size_t>(tests::get_number(take(rest, 2)), shard.size());
    const auto bytes = take(rest, tests::get_number(take(rest, 1)));
    copy_over(bytes, std::span(shard).subspan(at));
  }
}

// FORMAT.md, section 9: the checksum is of the text with its own digits as zeros.
void seal_manifest(std::string& text) {
  const std::string key = "\"checksum\": \"";
  const std::size_t found = text.rfind(key);
  if (found == std::string::npos || text.size() - found < key.size() + 16) return;
  text.replace(found + key.size(), 16, std::string(16, '0'));
  text.replace(found + key.size(), 16, hex(xxh3_64(text)));
}

}  // namespace

RealDataset make_real_dataset() {
  const tests::TemporaryFolder folder;
  Manifest manifest;
  manifest.class_names = {"circle", "ring"};
  manifest.splits = {
      {.name = "train",
       .num_samples = 70,
       .num_by_class = {35, 35},
       .shards = {tests::ShardMaker{.num_samples = 70}.write(folder.path() / "train-00000.h5")}}};
  manifest.mean = {0.5, 0.25, 0.125};
  manifest.std = {0.25, 0.25, 0.25};
  manifest.pixel_totals = PixelTotals{.num_px = 140,
                                      .sum = {17850, 8925, 4462},
                                      .sum_of_squares = {2844843, 1137937, 711210},
                                      .sum_of_gray = 11084,
                                      .sum_of_gray_squares = 1200000};
  manifest.size_histogram = {{.long_side_px = 1, .num_samples = 70}};
  manifest.conversion = {{"seed", "0"}};
  write_manifest(folder.path(), manifest);
  return {.shard = tests::read_bytes(folder.path() / "train-00000.h5"),
          .manifest = read_text_file(folder.path() / kManifestName)};
}

FuzzCase fuzz_case(std::span<const std::uint8_t> input, const RealDataset& real) {
  FuzzCase result{.is_manifest = false, .shard = real.shard, .manifest = {}};
  if (input.empty()) return result;
  const bool is_sealed = (input[0] & kUnsealed) == 0;
  const auto part = static_cast<Part>((input[0] & ~kUnsealed) % int{std::uint8_t(Part::kNumParts)});
  const auto rest = std::as_bytes(input.subspan(1));
  if (part == Part::kManifest) {
    result.is_manifest = true;
    result.manifest.assign(reinterpret_cast<const char*>(rest.data()), rest.size());
    if (is_sealed) seal_manifest(result.manifest);
    return result;
  }
  if (part == Part::kAnywhere) {
    patch(rest, result.shard);
  } else {
    copy_over(rest, place_of(part, result.shard));
  }
  if (is_sealed && result.shard.size() >= kHeaderBytes) SealedShard(result.shard).seal();
  return result;
}

std::vector<std::vector<std::uint8_t>> seed_inputs(const RealDataset& real) {
  std::vector<std::vector<std::uint8_t>> inputs;
  const auto add = [&](Part part, std::span<const std::byte> bytes) {
    std::vector<std::uint8_t>& input = inputs.emplace_back(1, static_cast<std::uint8_t>(part));
    for (const std::byte byte : bytes) input.push_back(static_cast<std::uint8_t>(byte));
  };
  Bytes shard = real.shard;
  // Six sections; the zeros behind their table say nothing.
  add(Part::kHeader, std::span(shard).first(SealedShard::section_at(6)));
  for (const Part part : {Part::kIndex, Part::kNameOffsets, Part::kNames, Part::kClassNames}) {
    add(part, place_of(part, shard));
  }
  // The file as long as it is, and its first eight bytes written over with themselves.
  Bytes patches(5);
  tests::put_number(std::span(patches).first(2), shard.size());
  tests::put_number(std::span(patches).subspan(4, 1), 8);
  patches.insert(patches.end(), shard.begin(), shard.begin() + 8);
  add(Part::kAnywhere, patches);
  add(Part::kManifest, std::as_bytes(std::span(real.manifest)));
  return inputs;
}

}  // namespace penstock::fuzz
