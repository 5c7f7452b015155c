#include "tools/convert/convert_config.h"

#include <fmt/core.h>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "tools/convert/duplicate/look_hash.h"
#include "tools/convert/write/convert_memory.h"

namespace penstock::convert {
namespace {

void check_size(const char* field, std::uint64_t bytes, std::uint64_t low_bytes, const char* hint) {
  if (bytes >= low_bytes) return;
  refuse_setting({.owner = "convert",
                  .field = field,
                  .expected = "at least " + format_size_bytes(low_bytes),
                  .found = format_size_bytes(bytes),
                  .hint = hint});
}

[[noreturn]] void refuse(const std::string& what, const char* hint) {
  throw Error(ErrorCode::kInvalidArgument, "convert: " + what, hint);
}

void check_sources(const ConvertConfig& config) {
  if (!config.arrays.empty() && (!config.source.empty() || !config.more_sources.empty())) {
    refuse("arrays: expected no source beside them, found one",
           "convert each into a dataset of its own, then both: penstock convert a.ds b.ds DATASET");
  }
  if (!config.labels.empty() && !config.more_sources.empty()) {
    refuse(
        fmt::format("sources beside labels: expected 1, found {}", 1 + config.more_sources.size()),
        "convert each table as a source of its own: penstock convert a/labels.csv b/labels.csv "
        "DATASET");
  }
}

// With kHeader no picture is decoded.
void check_trust(const ConvertConfig& config) {
  if (config.depth != CheckDepth::kHeader) return;
  if (config.several_scans == SeveralScans::kRewritten) {
    refuse(
        "trust: expected it without optimize_crops, which decodes every JPEG that it rewrites, "
        "found both",
        "leave out --trust, or --optimize-crops");
  }
  if (config.near_duplicate_bits) {
    refuse(
        "trust: expected it without near_duplicates, for which every picture is decoded, found "
        "both",
        "leave out --trust, or --near-duplicates");
  }
  if (config.encode.decodes_jpeg()) {
    refuse("trust: expected nothing for which JPEG has to be decoded, found " +
               config.encode.in_words(),
           "leave out --trust, or what changes pictures");
  }
}

// Bare pixels have no scans, and a length of 32 bits.
void check_raw_codec(const ConvertConfig& config) {
  if (config.encode.codec != CodecChoice::kRaw) return;
  if (config.several_scans == SeveralScans::kRewritten) {
    refuse("optimize_crops: expected a codec that stores JPEG, found raw",
           "leave out --optimize-crops, or --codec raw");
  }
  constexpr std::uint64_t kMaxRawPx = 1'000'000'000;
  if (config.max_px > kMaxRawPx) {
    refuse(fmt::format("max_pixels: expected at most {} with the codec raw, found {}", kMaxRawPx,
                       config.max_px),
           "--max-pixels 1000000000");
  }
}

}  // namespace

void ConvertConfig::validate() const {
  check_size("shard_size", shard_size_bytes, 1u << 20, "--shard-size 256M");
  check_size("memory", memory_bytes, kLeastMemoryBytes, "--memory 1G; a long list takes more");
  check_range({.owner = "convert",
               .field = "jobs",
               .value = num_jobs,
               .low = 0,
               .high = 1024,
               .hint = "--jobs 8; left out: one per core"});
  check_range({.owner = "convert",
               .field = "max_pixels",
               .value = max_px,
               .low = 1,
               .high = UINT64_MAX,
               .hint = "--max-pixels 100000000"});
  check_range({.owner = "convert",
               .field = "near_duplicates",
               .value = near_duplicate_bits.value_or(0),
               .low = 0,
               .high = kMaxNearBits,
               .hint = "--near-duplicates=5"});
  check_sources(*this);
  check_trust(*this);
  encode.validate();
  check_raw_codec(*this);
  layout.validate();
}

}  // namespace penstock::convert
