#include "streamer/shard/manifest_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/shard/damaged_data.h"

namespace penstock {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "penstock-dataset";
constexpr std::string_view kChecksumKey = "\"checksum\": \"";
constexpr std::size_t kChecksumDigits = 16;
constexpr int kMaxDepth = 32;  // version 1 has 4

[[noreturn]] void throw_corrupt(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "manifest: " + where + ": " + what,
              manifest_damage_hint(where));
}

// XXH3-64 of the text with the checksum's own digits as zeros; npos when there is no checksum.
struct TextChecksum {
  std::size_t digits_at = std::string::npos;
  std::string digits;
};

TextChecksum checksum_of(const std::string& text) {
  const std::size_t key_at = text.rfind(kChecksumKey);
  if (key_at == std::string::npos) return {};
  const std::size_t at = key_at + kChecksumKey.size();
  if (text.size() - at < kChecksumDigits) return {};
  const std::string_view whole = text;
  StreamHasher hasher;  // in three parts: no copy of what may be 64 MiB
  hasher.update(whole.substr(0, at));
  hasher.update(std::string(kChecksumDigits, '0'));
  hasher.update(whole.substr(at + kChecksumDigits));
  return {at, hex(hasher.digest_64())};
}

// A value of the document with its place in it, such as `splits[0].num_samples`.
class Field {
 public:
  Field(const Json& value, std::string name, const std::string& where)
      : value_(value), name_(std::move(name)), where_(where) {}

  Field operator[](const char* key) const {
    demand(value_.is_object(), "an object");
    const auto found = value_.find(key);
    const std::string name = name_.empty() ? key : name_ + "." + key;
    if (found == value_.end()) throw_corrupt(where_, name + ": expected a value, found none");
    return {*found, name, where_};
  }

  bool has(const char* key) const { return value_.contains(key); }

  std::size_t size() const {
    demand(value_.is_array(), "an array");
    return value_.size();
  }

  template <class Visit>
  void for_each(Visit visit) const {
    demand(value_.is_array(), "an array");
    for (std::size_t i = 0; i < value_.size(); ++i) {
      visit(Field(value_[i], name_ + "[" + std::to_string(i) + "]", where_));
    }
  }

  template <class Visit>
  void for_each_text(Visit visit) const {
    demand(value_.is_object(), "an object");
    for (const auto& item : value_.items()) {
      visit(item.key(), Field(item.value(), name_ + "." + item.key(), where_).text());
    }
  }

  const std::string& text() const {
    demand(value_.is_string(), "a text");
    return value_.get_ref<const std::string&>();
  }

  template <class T>
  T number() const {
    constexpr std::uint64_t max = std::numeric_limits<T>::max();
    demand(value_.is_number_unsigned() && value_.get<std::uint64_t>() <= max,
           "a whole number from 0 to " + std::to_string(max));
    return value_.get<T>();
  }

  double real() const {
    demand(value_.is_number(), "a number");
    return value_.get<double>();
  }

 private:
  void demand(bool condition, const std::string& expected) const {
    if (condition) return;
    std::string found = value_.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (found.size() > 40) found = found.substr(0, 37) + "...";
    throw_corrupt(where_, (name_.empty() ? "document" : name_) + ": expected " + expected +
                              ", found " + found);
  }

  const Json& value_;
  std::string name_;
  const std::string& where_;
};

Json split_to_json(const ManifestSplit& split) {
  Json shards = Json::array();
  for (const ManifestShard& shard : split.shards) {
    shards.push_back(Json{{"file", shard.file},
                          {"num_samples", shard.num_samples},
                          {"size_bytes", shard.size_bytes},
                          {"uuid", shard.uuid},
                          {"header_xxh3", shard.header_xxh3}});
  }
  return Json{{"name", split.name},
              {"num_samples", split.num_samples},
              {"num_by_class", split.num_by_class},
              {"shards", std::move(shards)}};
}

Json totals_to_json(const PixelTotals& totals) {
  return Json{{"num_px", totals.num_px},
              {"sum", totals.sum},
              {"sum_of_squares", totals.sum_of_squares},
              {"sum_of_gray", totals.sum_of_gray},
              {"sum_of_gray_squares", totals.sum_of_gray_squares}};
}

Json duplicates_json(const DuplicateCounts& counts) {
  return {{"num_within_class", counts.num_within_class},
          {"num_across_classes", counts.num_across_classes},
          {"num_across_splits", counts.num_across_splits}};
}

Json document_of(const Manifest& manifest) {
  Json document{{"format", kFormat},
                {"version", kManifestVersion},
                {"id", manifest.id},
                {"class_names", manifest.class_names}};
  document["splits"] = Json::array();
  for (const ManifestSplit& split : manifest.splits) {
    document["splits"].push_back(split_to_json(split));
  }
  document["mean"] = manifest.mean;
  document["std"] = manifest.std;
  if (manifest.gray) {
    document["gray_mean"] = manifest.gray->mean;
    document["gray_std"] = manifest.gray->std;
  }
  if (manifest.pixel_totals) document["pixel_totals"] = totals_to_json(*manifest.pixel_totals);
  document["median_width_px"] = manifest.median_width_px;
  document["median_height_px"] = manifest.median_height_px;
  document["size_histogram"] = Json::array();
  for (const SizeBin& bin : manifest.size_histogram) {
    document["size_histogram"].push_back(
        Json{{"long_side_px", bin.long_side_px}, {"num_samples", bin.num_samples}});
  }
  document["aspect_histogram"] = Json::array();
  for (const AspectBin& bin : manifest.aspect_histogram) {
    document["aspect_histogram"].push_back(
        Json{{"width_percent", bin.width_percent}, {"num_samples", bin.num_samples}});
  }
  if (manifest.sample_bytes) {
    document["sample_bytes"] = Json{{"source", manifest.sample_bytes->source_bytes},
                                    {"stored", manifest.sample_bytes->stored_bytes}};
  }
  if (manifest.duplicates) document["duplicates"] = duplicates_json(*manifest.duplicates);
  if (manifest.near_duplicates) {
    document["near_duplicates"] = duplicates_json(*manifest.near_duplicates);
  }
  const LargestSample& largest = manifest.largest;
  document["largest"] = Json{{"encoded_bytes", largest.encoded_bytes},
                             {"num_px", largest.num_px},
                             {"width_px", largest.width_px},
                             {"height_px", largest.height_px},
                             {"decode_scratch_bytes", largest.decode_scratch_bytes}};
  if (manifest.num_quarantined) document["num_quarantined"] = *manifest.num_quarantined;
  if (manifest.num_reencoded) document["num_reencoded"] = *manifest.num_reencoded;
  document["conversion"] = Json::object();
  for (const auto& [name, value] : manifest.conversion) document["conversion"][name] = value;
  document["checksum"] = std::string(kChecksumDigits, '0');
  return document;
}

ManifestShard parse_shard(const Field& field) {
  return {.file = field["file"].text(),
          .num_samples = field["num_samples"].number<std::uint64_t>(),
          .size_bytes = field["size_bytes"].number<std::uint64_t>(),
          .uuid = field["uuid"].text(),
          .header_xxh3 = field["header_xxh3"].text()};
}

ManifestSplit parse_split(const Field& field) {
  ManifestSplit split;
  split.name = field["name"].text();
  split.num_samples = field["num_samples"].number<std::uint64_t>();
  split.num_by_class.reserve(field["num_by_class"].size());
  field["num_by_class"].for_each(
      [&](const Field& count) { split.num_by_class.push_back(count.number<std::uint64_t>()); });
  split.shards.reserve(field["shards"].size());
  field["shards"].for_each([&](const Field& shard) { split.shards.push_back(parse_shard(shard)); });
  return split;
}

LargestSample parse_largest(const Field& field) {
  return {.encoded_bytes = field["encoded_bytes"].number<std::uint64_t>(),
          .num_px = field["num_px"].number<std::uint64_t>(),
          .width_px = field["width_px"].number<std::uint32_t>(),
          .height_px = field["height_px"].number<std::uint32_t>(),
          .decode_scratch_bytes = field["decode_scratch_bytes"].number<std::uint64_t>()};
}

std::array<std::uint64_t, 3> parse_channels(const Field& field, const std::string& where) {
  std::array<std::uint64_t, 3> values{};
  if (field.size() != values.size()) {
    throw_corrupt(where, "pixel_totals: expected 3 numbers, found " + std::to_string(field.size()));
  }
  std::size_t channel = 0;
  field.for_each([&](const Field& value) { values[channel++] = value.number<std::uint64_t>(); });
  return values;
}

DuplicateCounts duplicates_of(const Field& field) {
  return {.num_within_class = field["num_within_class"].number<std::uint64_t>(),
          .num_across_classes = field["num_across_classes"].number<std::uint64_t>(),
          .num_across_splits = field["num_across_splits"].number<std::uint64_t>()};
}

PixelTotals parse_totals(const Field& field, const std::string& where) {
  return {.num_px = field["num_px"].number<std::uint64_t>(),
          .sum = parse_channels(field["sum"], where),
          .sum_of_squares = parse_channels(field["sum_of_squares"], where),
          .sum_of_gray = field["sum_of_gray"].number<std::uint64_t>(),
          .sum_of_gray_squares = field["sum_of_gray_squares"].number<std::uint64_t>()};
}

// Which datasets of before do not have.
void parse_later_keys(const Field& root, Manifest& manifest) {
  if (root.has("aspect_histogram")) {
    root["aspect_histogram"].for_each([&](const Field& bin) {
      manifest.aspect_histogram.push_back(
          {.width_percent = bin["width_percent"].number<std::uint32_t>(),
           .num_samples = bin["num_samples"].number<std::uint64_t>()});
    });
  }
  if (root.has("duplicates")) manifest.duplicates = duplicates_of(root["duplicates"]);
  if (root.has("near_duplicates")) {
    manifest.near_duplicates = duplicates_of(root["near_duplicates"]);
  }
  if (root.has("sample_bytes")) {
    const Field field = root["sample_bytes"];
    manifest.sample_bytes = SampleBytes{.source_bytes = field["source"].number<std::uint64_t>(),
                                        .stored_bytes = field["stored"].number<std::uint64_t>()};
  }
}

void check_format(const Field& root, const std::string& where) {
  const std::string& format = root["format"].text();
  if (format != kFormat) {
    throw_corrupt(where,
                  "format: expected \"" + std::string(kFormat) + "\", found \"" + format + "\"");
  }
  const auto version = root["version"].number<std::uint32_t>();
  if (version != kManifestVersion) {
    throw Error(ErrorCode::kUnsupported,
                "manifest: " + where + ": expected format version " +
                    std::to_string(kManifestVersion) + ", found " + std::to_string(version),
                "read it with the penstock version that wrote it, or a newer one");
  }
}

}  // namespace

std::string manifest_to_json(const Manifest& manifest) {
  std::string text;
  try {
    text = document_of(manifest).dump(2) + "\n";
  } catch (const Json::type_error& failure) {  // 316: not UTF-8
    throw Error(ErrorCode::kInvalidArgument,
                std::string("manifest: expected texts in UTF-8, found: ") + failure.what());
  }
  const TextChecksum checksum = checksum_of(text);
  text.replace(checksum.digits_at, kChecksumDigits, checksum.digits);
  return text;
}

Manifest manifest_from_json(const std::string& text, const std::string& where) {
  const TextChecksum computed = checksum_of(text);
  if (computed.digits_at == std::string::npos) {
    throw_corrupt(where, "expected a checksum, found none");
  }
  const std::string stored = text.substr(computed.digits_at, kChecksumDigits);
  if (stored != computed.digits) {
    throw_corrupt(where, "expected checksum " + stored + ", found " + computed.digits);
  }
  // Json's destructor and copy go down the levels on the stack.
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) {
      throw_corrupt(where, "expected at most " + std::to_string(kMaxDepth) +
                               " levels of nesting, found more");
    }
    return true;
  };
  const Json document = Json::parse(text, limit_depth, false);
  if (document.is_discarded()) throw_corrupt(where, "expected a JSON document, found other text");

  const Field root(document, "", where);
  check_format(root, where);
  Manifest manifest;
  manifest.id = root["id"].text();
  manifest.class_names.reserve(root["class_names"].size());
  root["class_names"].for_each(
      [&](const Field& name) { manifest.class_names.push_back(name.text()); });
  root["splits"].for_each(
      [&](const Field& split) { manifest.splits.push_back(parse_split(split)); });
  root["mean"].for_each([&](const Field& value) { manifest.mean.push_back(value.real()); });
  root["std"].for_each([&](const Field& value) { manifest.std.push_back(value.real()); });
  if (root.has("gray_mean") || root.has("gray_std")) {
    manifest.gray = {.mean = root["gray_mean"].real(), .std = root["gray_std"].real()};
  }
  if (root.has("pixel_totals")) manifest.pixel_totals = parse_totals(root["pixel_totals"], where);
  manifest.median_width_px = root["median_width_px"].number<std::uint32_t>();
  manifest.median_height_px = root["median_height_px"].number<std::uint32_t>();
  root["size_histogram"].for_each([&](const Field& bin) {
    manifest.size_histogram.push_back({.long_side_px = bin["long_side_px"].number<std::uint32_t>(),
                                       .num_samples = bin["num_samples"].number<std::uint64_t>()});
  });
  parse_later_keys(root, manifest);
  manifest.largest = parse_largest(root["largest"]);
  const auto known_count = [&](const char* key) {
    return root.has(key) ? std::optional(root[key].number<std::uint64_t>()) : std::nullopt;
  };
  manifest.num_quarantined = known_count("num_quarantined");
  manifest.num_reencoded = known_count("num_reencoded");
  root["conversion"].for_each_text([&](const std::string& name, const std::string& value) {
    manifest.conversion.emplace(name, value);
  });
  return manifest;
}

}  // namespace penstock
