#include "train/store/checkpoint_state.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "train/store/bounded_json.h"
#include "train/store/checkpoint_name.h"

namespace penstock::train {
namespace {

// Written in the order of CHECKPOINT.md. Read into sorted maps: ordered_json finds a key by looking at
// all, which a hostile file could make last for hours.
using OrderedJson = nlohmann::ordered_json;
using Json = nlohmann::json;

constexpr std::uint64_t kVersion = 1;
constexpr const char* kFormatName = "penstock checkpoint";
/// Levels of state.json that a part lies in: the object itself and "parts".
constexpr int kDepthOfPart = 2;

// The end of every state.json: the text before it is what the checksum is of.
constexpr std::string_view kBeforeChecksum = ",\n  \"xxh3\": \"";
constexpr std::string_view kAfterChecksum = "\"\n}\n";
constexpr std::size_t kChecksumDigits = 32;
constexpr std::size_t kEndBytes = kBeforeChecksum.size() + kChecksumDigits + kAfterChecksum.size();

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "checkpoint: " + where + ": " + what);
}

[[noreturn]] void refuse_argument(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "checkpoint: " + what);
}

template <class AnyJson>
std::string dumped(const AnyJson& json, int indent = -1) {
  return json.dump(indent, ' ', false, AnyJson::error_handler_t::replace);
}

OrderedJson parts_json(const std::map<std::string, std::string>& parts) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, text] : parts) {
    std::optional<Json> part = parse_bounded_json<Json>(text, {});
    if (!part || !part->is_object()) {
      refuse_argument("parts: " + name + ": expected a JSON object of at most " +
                      std::to_string(kMaxJsonLevels) + " levels, found something else");
    }
    json[name] = OrderedJson(*part);
  }
  return json;
}

OrderedJson best_json(const std::optional<BestResult>& best) {
  if (!best) return nullptr;
  return {{"metric", best->metric},
          {"value", best->value},
          {"epoch_idx", best->epoch_idx},
          {"checkpoint", best->checkpoint}};
}

OrderedJson files_json(const std::map<TensorGroup, FileSeal>& seals) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [group, seal] : seals) {
    json[std::string(tensor_file_name(group))] = {{"size_bytes", seal.size_bytes},
                                                  {"xxh3", hex(seal.digest)}};
  }
  return json;
}

OrderedJson to_json(const SealedState& sealed) {
  const CheckpointState& state = sealed.state;
  return {{"format", kFormatName},
          {"version", kVersion},
          {"files", files_json(sealed.seals)},
          {"epoch_idx", state.epoch_idx},
          {"epoch_position_samples", state.epoch_position_samples},
          {"step", state.step},
          {"num_finite_steps", state.num_finite_steps},
          {"seed", state.seed},
          {"parts", parts_json(state.parts)},
          {"best", best_json(state.best)},
          {"configuration", state.configuration},
          {"settings", OrderedJson(state.settings)},
          {"dataset_id", state.dataset_id},
          {"model_identity", state.model_identity},
          {"backend", state.backend},
          {"plans", state.plans},
          {"micro_batch", state.micro_batch},
          {"num_compute_threads", state.num_compute_threads},
          {"num_loader_threads", state.num_loader_threads},
          {"instruction_set", state.instruction_set}};
}

/// Returns the text that the checksum vouches for, closed to an object of its own.
std::string unsealed_text(std::string_view text, const std::string& where) {
  if (text.size() < kEndBytes) {
    refuse(where, "expected at least " + std::to_string(kEndBytes) + " bytes, found " +
                      std::to_string(text.size()));
  }
  const std::string_view body = text.substr(0, text.size() - kEndBytes);
  std::string_view end = text.substr(body.size());
  if (!end.starts_with(kBeforeChecksum) || !end.ends_with(kAfterChecksum)) {
    refuse(where, "expected to end in a checksum, found something else");
  }
  const std::string_view stated = end.substr(kBeforeChecksum.size(), kChecksumDigits);
  const std::string actual = hex(xxh3_128(std::as_bytes(std::span(body))));
  if (stated != actual) {
    refuse(where, "checksum: expected " + std::string(stated) + ", found " + actual);
  }
  return std::string(body) + "\n}";
}

/// Reads fields of one object; whatever is missing or of another type is damage.
class FieldReader {
 public:
  FieldReader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json_.is_object()) fail("expected a JSON object, found " + type_of(json_));
  }

  template <class T>
  void read(const std::string& key, T& value) const {
    const Json& field = find(key);
    if constexpr (std::is_unsigned_v<T>) {  // the library would cut off what does not fit
      constexpr std::uint64_t kMost = std::numeric_limits<T>::max();
      if (!field.is_number_unsigned() || field.get<std::uint64_t>() > kMost) {
        fail_field(key, "an integer from 0 to " + std::to_string(kMost),
                   field.is_number() ? dumped(field) : type_of(field));
      }
      value = field.get<T>();
    } else if constexpr (std::is_same_v<T, double>) {
      if (!field.is_number()) fail_field(key, "a number", type_of(field));
      value = field.get<double>();
    } else {
      if (!field.is_string()) fail_field(key, "a text", type_of(field));
      value = field.get_ref<const std::string&>();
    }
  }

  const Json& find(const std::string& key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail("expected the field \"" + key + "\"");
    return *found;
  }

  FieldReader object(const std::string& key) const { return {find(key), where_ + ": " + key}; }

  const Json& json() const noexcept { return json_; }
  const std::string& where() const noexcept { return where_; }

  [[noreturn]] void fail(const std::string& what) const { refuse(where_, what); }
  [[noreturn]] void fail_field(const std::string& key, const std::string& expected,
                               const std::string& found) const {
    fail("field \"" + key + "\": expected " + expected + ", found " + found);
  }
  static std::string type_of(const Json& json) { return std::string("a ") + json.type_name(); }

 private:
  const Json& json_;
  std::string where_;
};

void check_format(const FieldReader& reader) {
  std::string format;
  std::uint64_t version = 0;
  reader.read("format", format);
  reader.read("version", version);
  if (format != kFormatName) {
    reader.fail_field("format", "\"" + std::string(kFormatName) + "\"", "another");
  }
  if (version > kVersion) {
    throw Error(ErrorCode::kUnsupported,
                "checkpoint: " + reader.where() + ": expected version " + std::to_string(kVersion) +
                    " or below, found " + std::to_string(version),
                "use a newer penstock");
  }
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

Digest128 read_digest(const FieldReader& reader) {
  std::string text;
  reader.read("xxh3", text);
  Digest128 digest{};
  bool is_digest = text.size() == 2 * digest.size();
  for (std::size_t i = 0; is_digest && i < digest.size(); ++i) {
    const auto high = hex_digit(text[2 * i]);
    const auto low = hex_digit(text[2 * i + 1]);
    is_digest = high && low;
    if (is_digest) digest[i] = static_cast<std::uint8_t>(*high * 16 + *low);
  }
  if (!is_digest) reader.fail_field("xxh3", "32 hexadecimal digits", "something else");
  return digest;
}

std::map<TensorGroup, FileSeal> read_seals(const FieldReader& files) {
  std::map<TensorGroup, FileSeal> seals;
  for (const TensorGroup group : kTensorGroups) {
    const std::string name(tensor_file_name(group));
    if (group == TensorGroup::kEma && !files.json().contains(name)) continue;
    const FieldReader reader = files.object(name);
    FileSeal& seal = seals[group];
    reader.read("size_bytes", seal.size_bytes);
    seal.digest = read_digest(reader);
  }
  if (files.json().size() != seals.size()) files.fail("expected known names, found another");
  return seals;
}

std::map<std::string, std::string> read_texts(const FieldReader& reader) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : reader.json().items()) {
    reader.read(name, texts[name]);
  }
  return texts;
}

std::map<std::string, std::string> read_parts(const FieldReader& reader) {
  std::map<std::string, std::string> parts;
  for (const auto& [name, value] : reader.json().items()) {
    if (!value.is_object()) reader.fail_field(name, "an object", FieldReader::type_of(value));
    parts[name] = dumped(value);
  }
  return parts;
}

std::optional<BestResult> read_best(const FieldReader& outer) {
  if (outer.find("best").is_null()) return std::nullopt;
  const FieldReader reader = outer.object("best");
  BestResult best;
  reader.read("metric", best.metric);
  reader.read("value", best.value);
  reader.read("epoch_idx", best.epoch_idx);
  reader.read("checkpoint", best.checkpoint);
  return best;
}

CheckpointState read_state(const FieldReader& reader) {
  CheckpointState state;
  reader.read("epoch_idx", state.epoch_idx);
  reader.read("epoch_position_samples", state.epoch_position_samples);
  reader.read("step", state.step);
  reader.read("num_finite_steps", state.num_finite_steps);
  reader.read("seed", state.seed);
  state.parts = read_parts(reader.object("parts"));
  state.best = read_best(reader);
  reader.read("configuration", state.configuration);
  state.settings = read_texts(reader.object("settings"));
  reader.read("dataset_id", state.dataset_id);
  reader.read("model_identity", state.model_identity);
  reader.read("backend", state.backend);
  reader.read("plans", state.plans);
  reader.read("micro_batch", state.micro_batch);
  reader.read("num_compute_threads", state.num_compute_threads);
  reader.read("num_loader_threads", state.num_loader_threads);
  reader.read("instruction_set", state.instruction_set);
  return state;
}

/// What is wrong with a field, in words; empty when nothing is.
std::string fault_of(const CheckpointState& state) {
  const auto fault = [](const char* field, const char* expected, const std::string& found) {
    return std::string(field) + ": expected " + expected + ", found " + found;
  };
  if (state.num_finite_steps > state.step) {
    return fault("num_finite_steps", "at most the number of steps",
                 std::to_string(state.num_finite_steps) + " of " + std::to_string(state.step));
  }
  if (state.micro_batch == 0) return fault("micro_batch", "1 or more", "0");
  if (state.num_compute_threads == 0) return fault("num_compute_threads", "1 or more", "0");
  if (state.dataset_id.empty()) return fault("dataset_id", "an id", "an empty text");
  if (state.model_identity.empty()) return fault("model_identity", "a text", "an empty text");
  if (!state.best) return {};
  const BestResult& best = *state.best;
  if (best.metric.empty()) return fault("best.metric", "a name", "an empty text");
  if (!std::isfinite(best.value)) {
    return fault("best.value", "a finite number", number_text(best.value));
  }
  if (!best.checkpoint.empty() && !parse_checkpoint_name(best.checkpoint)) {
    return fault("best.checkpoint", "the name of a checkpoint", "something else");
  }
  return {};
}

}  // namespace

void CheckpointState::validate() const {
  if (const std::string fault = fault_of(*this); !fault.empty()) refuse_argument(fault);
}

std::string_view tensor_file_name(TensorGroup group) noexcept {
  switch (group) {
    case TensorGroup::kModel:
      return "model.safetensors";
    case TensorGroup::kOptimizer:
      return "optimizer.safetensors";
    case TensorGroup::kEma:
      return "ema.safetensors";
  }
  return "";
}

std::string format_checkpoint_state(const SealedState& sealed) {
  sealed.state.validate();
  std::string text = dumped(to_json(sealed), 2);
  text.resize(text.size() - 2);  // without its "\n}"
  const std::string checksum = hex(xxh3_128(std::as_bytes(std::span(text))));
  text.append(kBeforeChecksum).append(checksum).append(kAfterChecksum);
  if (text.size() > kMaxStateBytes) {
    refuse_argument("state.json: expected at most " + std::to_string(kMaxStateBytes) +
                    " bytes, found " + std::to_string(text.size()));
  }
  return text;
}

SealedState parse_checkpoint_state(std::string_view text, const std::string& where) {
  constexpr int kMaxLevels = kMaxJsonLevels + kDepthOfPart;
  const auto json =
      parse_bounded_json<Json>(unsealed_text(text, where), {.max_levels = kMaxLevels});
  if (!json) {
    refuse(where, "expected JSON of at most " + std::to_string(kMaxLevels) +
                      " levels, found something else");
  }
  const FieldReader reader(*json, where);
  check_format(reader);
  SealedState sealed{.state = read_state(reader), .seals = read_seals(reader.object("files"))};
  if (const std::string fault = fault_of(sealed.state); !fault.empty()) refuse(where, fault);
  return sealed;
}

}  // namespace penstock::train
