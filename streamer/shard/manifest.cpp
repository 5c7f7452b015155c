#include "streamer/shard/manifest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/little_endian.h"
#include "streamer/core/memory_budget.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/manifest_json.h"

namespace penstock {
namespace {

// About 200,000 shards, or two million classes.
constexpr std::uint64_t kMaxManifestBytes = 64u << 20;

class IdentityHasher {
 public:
  void number(std::uint64_t value) {
    std::byte bytes[8];
    store_le(value, bytes);
    hasher_.update(bytes);
  }
  void text(const std::string& value) {
    number(value.size());
    hasher_.update(value);
  }
  std::string digest() const { return hex(hasher_.digest_128()); }

 private:
  StreamHasher hasher_;
};

// Holds a manifest against itself. `code` is CorruptData for one that was read, InvalidArgument
// for one about to be written.
class Checker {
 public:
  Checker(ErrorCode code, std::string where) : code_(code), where_(std::move(where)) {}

  void check(const Manifest& manifest) const {
    demand(!manifest.class_names.empty(), "class_names", "at least one", "none");
    std::set<std::string> names;
    for (const std::string& name : manifest.class_names) {
      demand(!name.empty() && names.insert(name).second, "class_names",
             "different, non-empty names", quoted(name));
    }
    std::set<std::string> splits;
    for (const ManifestSplit& split : manifest.splits) {
      demand(!split.name.empty() && splits.insert(split.name).second, "splits",
             "different, non-empty names", quoted(split.name));
      check_split(split, manifest.class_names.size());
    }
    check_statistics(manifest);
    check_bins(manifest);
    check_histogram(manifest, manifest.size_histogram, "size_histogram");
    check_histogram(manifest, manifest.aspect_histogram, "aspect_histogram");
  }

 private:
  void check_split(const ManifestSplit& split, std::size_t num_classes) const {
    const std::string at = "split " + split.name;
    demand(split.num_by_class.size() == num_classes, at + ": num_by_class",
           std::to_string(num_classes) + " counts", std::to_string(split.num_by_class.size()));
    std::uint64_t num_left = split.num_samples;
    for (const std::uint64_t count : split.num_by_class) {
      demand(count <= num_left, at + ": num_by_class",
             "a sum of at most " + std::to_string(split.num_samples), "more");
      num_left -= count;  // those without a label are in no class
    }
    num_left = split.num_samples;
    for (const ManifestShard& shard : split.shards) {
      check_shard(shard, at);
      demand(shard.num_samples <= num_left, at + ": num_samples",
             "the sum over its shards, which is more", std::to_string(split.num_samples));
      num_left -= shard.num_samples;
    }
    demand(num_left == 0, at + ": num_samples",
           "the sum over its shards, " + std::to_string(split.num_samples - num_left),
           std::to_string(split.num_samples));
  }

  void check_shard(const ManifestShard& shard, const std::string& at) const {
    // A plain name: nothing that leads out of the folder.
    demand(!shard.file.empty() && shard.file.front() != '.' &&
               shard.file.find('/') == std::string::npos &&
               shard.file.find('\0') == std::string::npos,
           at + ": file", "a plain file name", quoted(shard.file));
    demand(is_digest(shard.uuid, 32), at + ": uuid", "32 hexadecimal digits", quoted(shard.uuid));
    demand(is_digest(shard.header_xxh3, 16), at + ": header_xxh3", "16 hexadecimal digits",
           quoted(shard.header_xxh3));
  }

  void check_statistics(const Manifest& manifest) const {
    demand(manifest.mean.size() <= 4 && manifest.mean.size() == manifest.std.size(), "mean, std",
           "as many values of one as of the other, 0 to 4",
           std::to_string(manifest.mean.size()) + " and " + std::to_string(manifest.std.size()));
    for (std::size_t c = 0; c < manifest.mean.size(); ++c) {
      demand(std::isfinite(manifest.mean[c]), "mean", "finite numbers",
             std::to_string(manifest.mean[c]));
      demand(std::isfinite(manifest.std[c]) && manifest.std[c] >= 0, "std",
             "finite numbers of at least 0", std::to_string(manifest.std[c]));
    }
    if (!manifest.gray) return;
    demand(std::isfinite(manifest.gray->mean), "gray_mean", "a finite number",
           std::to_string(manifest.gray->mean));
    demand(std::isfinite(manifest.gray->std) && manifest.gray->std >= 0, "gray_std",
           "a finite number of at least 0", std::to_string(manifest.gray->std));
  }

  template <class Bin>
  void check_histogram(const Manifest& manifest, const std::vector<Bin>& bins,
                       const std::string& name) const {
    if (bins.empty()) return;
    std::uint64_t num_left = 0;
    for (const ManifestSplit& split : manifest.splits) num_left += split.num_samples;
    const std::string total = std::to_string(num_left);
    for (const Bin& bin : bins) {
      demand(bin.num_samples <= num_left, name + ": num_samples",
             "a sum of " + total + ", as of the splits", "more");
      num_left -= bin.num_samples;
    }
    demand(num_left == 0, name + ": num_samples", "a sum of " + total + ", as of the splits",
           std::to_string(num_left) + " less");
  }

  void check_bins(const Manifest& manifest) const {
    std::uint32_t before_px = 0;
    for (const SizeBin& bin : manifest.size_histogram) {
      demand(std::has_single_bit(bin.long_side_px) && bin.long_side_px > before_px,
             "size_histogram: long_side_px", "rising powers of two",
             std::to_string(bin.long_side_px));
      before_px = bin.long_side_px;
    }
    const AspectBin* before = nullptr;
    for (const AspectBin& bin : manifest.aspect_histogram) {
      demand(before == nullptr || bin.width_percent > before->width_percent,
             "aspect_histogram: width_percent", "rising numbers",
             std::to_string(bin.width_percent));
      before = &bin;
    }
  }

  static bool is_digest(const std::string& text, std::size_t num_digits) {
    return text.size() == num_digits &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
  }

  static std::string quoted(const std::string& text) { return "\"" + text + "\""; }

  void demand(bool condition, const std::string& field, const std::string& expected,
              const std::string& found) const {
    if (condition) return;
    throw Error(
        code_, "manifest: " + where_ + ": " + field + ": expected " + expected + ", found " + found,
        code_ == ErrorCode::kCorruptData ? manifest_damage_hint(where_) : "");
  }

  ErrorCode code_;
  std::string where_;
};

std::string read_manifest_text(const std::filesystem::path& path) try {
  return read_text_file(path, kMaxManifestBytes);
} catch (const Error& error) {
  if (error.code() != ErrorCode::kCorruptData) throw;
  throw Error(error.code(), error.what(), manifest_damage_hint(path));  // too large
}

}  // namespace

const ManifestSplit* Manifest::find_split(const std::string& name) const noexcept {
  const auto found = std::ranges::find(splits, name, &ManifestSplit::name);
  return found == splits.end() ? nullptr : &*found;
}

std::string manifest_id(const Manifest& manifest) {
  IdentityHasher hasher;
  hasher.number(manifest.class_names.size());
  for (const std::string& name : manifest.class_names) hasher.text(name);
  hasher.number(manifest.splits.size());
  for (const ManifestSplit& split : manifest.splits) {
    hasher.text(split.name);
    hasher.number(split.shards.size());
    for (const ManifestShard& shard : split.shards) hasher.text(shard.uuid);
  }
  for (const std::vector<double>* values : {&manifest.mean, &manifest.std}) {
    hasher.number(values->size());
    for (const double value : *values) hasher.number(std::bit_cast<std::uint64_t>(value));
  }
  return hasher.digest();
}

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  const std::filesystem::path path = folder / kManifestName;
  Checker(ErrorCode::kInvalidArgument, path.native()).check(manifest);
  Manifest complete = manifest;
  complete.id = manifest_id(manifest);
  const std::string text = manifest_to_json(complete);
  if (text.size() > kMaxManifestBytes) {
    throw Error(ErrorCode::kInvalidArgument,
                "manifest: " + path.native() + ": expected at most " +
                    format_bytes(kMaxManifestBytes) + " of text, found " +
                    format_bytes(text.size()) + ", which could not be read back",
                "make larger shards, so that there are fewer of them");
  }
  publish_file(path, text);
}

Manifest parse_manifest(const std::string& text, const std::string& where) {
  Manifest manifest = manifest_from_json(text, where);
  Checker(ErrorCode::kCorruptData, where).check(manifest);
  const std::string id = manifest_id(manifest);
  if (manifest.id != id) {
    throw Error(ErrorCode::kCorruptData,
                "manifest: " + where + ": id: expected " + id + ", found \"" + manifest.id + "\"",
                manifest_damage_hint(where));
  }
  return manifest;
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestName;
  return parse_manifest(read_manifest_text(path), path.native());
}

}  // namespace penstock
