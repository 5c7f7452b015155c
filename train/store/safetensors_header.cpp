#include "train/store/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "streamer/core/error.h"
#include "streamer/core/quoted_text.h"
#include "train/store/safetensors.h"

namespace penstock::train {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "safetensors: " + where + ": " + what);
}

std::string tensor_text(const TensorEntry& entry) {
  return "tensor " + in_quotes(entry.name) + ": ";
}

/// Walks the header's JSON event by event, so that a hostile one never becomes a tree in memory.
///
/// The only shape it accepts: { name: {dtype: string, shape: [n...], data_offsets: [n, n]}, ... }
/// and "__metadata__": { string: string }.
class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& where)
      : header_(header), where_(where) {}

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (level_ != Level::kList) return unexpected("a number");
    if (key_ == "shape") {
      if (entry_.shape.size() == kMaxDimensions) {
        refuse(where_, tensor_text(entry_) + "expected at most " + std::to_string(kMaxDimensions) +
                           " dimensions, found more");
      }
      entry_.shape.push_back(value);
    } else {
      if (num_offsets_ == 2) return unexpected("a third offset");
      (num_offsets_++ == 0 ? entry_.begin_bytes : entry_.end_bytes) = value;
    }
    return true;
  }

  bool string(string_t& value) override {
    if (level_ == Level::kMetadata) {
      count_metadata(value);
      header_.metadata[key_] = value;
    } else if (level_ == Level::kTensor && key_ == "dtype") {
      entry_.dtype = value;
    } else {
      return unexpected("a string");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    switch (level_) {
      case Level::kOutside:
        level_ = Level::kTop;
        return true;
      case Level::kTop:
        level_ = key_ == "__metadata__" ? Level::kMetadata : Level::kTensor;
        entry_ = {};
        entry_.name = key_;
        fields_.clear();
        num_offsets_ = 0;
        return true;
      default:
        return unexpected("an object");
    }
  }

  bool end_object() override {
    if (level_ == Level::kTensor) finish_tensor();
    level_ = level_ == Level::kTop ? Level::kOutside : Level::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (level_ != Level::kTensor || key_ == "dtype") return unexpected("a list");
    level_ = Level::kList;
    return true;
  }

  bool end_array() override {
    level_ = Level::kTensor;
    return true;
  }

  bool key(string_t& name) override {
    key_ = name;
    if (level_ == Level::kTop) check_name(name);
    if (level_ == Level::kMetadata) {
      count_metadata(name);
      if (header_.metadata.count(name) != 0) {
        refuse(where_,
               "expected each name once, found " + in_quotes(name) + " twice in __metadata__");
      }
    }
    if (level_ == Level::kTensor) {
      const bool is_known = name == "dtype" || name == "shape" || name == "data_offsets";
      if (!is_known || !fields_.insert(name).second) {
        refuse(where_, tensor_text(entry_) +
                           "expected dtype, shape and data_offsets once each, found " +
                           in_quotes(name));
      }
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    refuse(where_,
           "expected a JSON header, found a syntax error at its byte " + std::to_string(position));
  }

 private:
  enum class Level { kOutside, kTop, kMetadata, kTensor, kList };

  [[noreturn]] bool unexpected(const char* what) const {
    refuse(where_,
           "expected a header of tensors, found " + std::string(what) + " at " + in_quotes(key_));
  }

  void check_name(const std::string& name) {
    if (name.size() > kMaxTensorNameBytes) {
      refuse(where_, "expected names of at most " + std::to_string(kMaxTensorNameBytes) +
                         " bytes, found " + in_quotes(name) + " of " + std::to_string(name.size()));
    }
    if (names_.insert(name).second) return;
    refuse(where_, "expected each name once, found " + in_quotes(name) + " twice");
  }

  /// A name or a value; each of them takes a node of a map besides.
  void count_metadata(const std::string& text) {
    metadata_bytes_ += text.size() + kQuoteBytes;
    if (metadata_bytes_ <= kMaxMetadataBytes) return;
    refuse(where_, "expected at most " + std::to_string(kMaxMetadataBytes) +
                       " bytes of __metadata__, found more");
  }

  void finish_tensor() {
    if (fields_.size() != 3 || num_offsets_ != 2) {
      refuse(where_,
             tensor_text(entry_) + "expected dtype, shape and two data_offsets, found fewer");
    }
    if (header_.entries.size() == kMaxTensors) {
      refuse(where_, "expected at most " + std::to_string(kMaxTensors) + " tensors, found more");
    }
    header_.entries.push_back(std::move(entry_));
  }

  SafetensorsHeader& header_;
  const std::string& where_;
  Level level_ = Level::kOutside;
  std::string key_;
  std::set<std::string> names_;
  TensorEntry entry_;
  std::set<std::string> fields_;
  int num_offsets_ = 0;
  std::uint64_t metadata_bytes_ = 0;
};

void check_coverage(const SafetensorsHeader& header, std::uint64_t data_bytes,
                    const std::string& where) {
  std::uint64_t next = 0;
  for (const TensorEntry& entry : header.entries) {
    const std::string tensor = tensor_text(entry);
    if (entry.dtype != "F32") {
      throw Error(ErrorCode::kUnsupported, "safetensors: " + where + ": " + tensor +
                                               "expected dtype F32, found " +
                                               shortened(entry.dtype));
    }
    if (entry.begin_bytes != next) {
      refuse(where, tensor + "expected to start at byte " + std::to_string(next) +
                        ", where the one before ends, found " + std::to_string(entry.begin_bytes));
    }
    const std::optional<std::uint64_t> bytes = float_bytes(entry.shape);
    if (!bytes) refuse(where, tensor + "expected a size below 2^64 bytes, found more");
    if (entry.end_bytes < entry.begin_bytes || entry.end_bytes - entry.begin_bytes != *bytes) {
      refuse(where, tensor + "expected " + std::to_string(*bytes) + " bytes for its shape, found " +
                        std::to_string(entry.begin_bytes) + " to " +
                        std::to_string(entry.end_bytes));
    }
    next = entry.end_bytes;
  }
  if (next != data_bytes) {
    refuse(where, "expected " + std::to_string(next) + " bytes of tensors, found " +
                      std::to_string(data_bytes));
  }
}

}  // namespace

std::optional<std::uint64_t> float_bytes(const std::vector<std::uint64_t>& shape) {
  std::uint64_t bytes = sizeof(float);
  for (const std::uint64_t side : shape) {
    if (__builtin_mul_overflow(bytes, side, &bytes)) return std::nullopt;
  }
  return bytes;
}

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& where) {
  if (json.empty() || json.front() != '{') {
    refuse(where, "expected a JSON header that starts with {, found something else");
  }
  SafetensorsHeader header;
  HeaderReader reader(header, where);
  Json::sax_parse(json.begin(), json.end(), &reader);
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const TensorEntry& a, const TensorEntry& b) {
                     return a.begin_bytes != b.begin_bytes ? a.begin_bytes < b.begin_bytes
                                                           : a.end_bytes < b.end_bytes;
                   });
  check_coverage(header, data_bytes, where);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  for (const TensorEntry& entry : header.entries) {
    json[entry.name] = {{"dtype", entry.dtype},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin_bytes, entry.end_bytes}}};
  }
  std::string text = json.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace penstock::train
