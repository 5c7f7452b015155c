#include "train/store/model_record.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/number_text.h"
#include "streamer/core/quoted_text.h"
#include "streamer/core/shell_quoted.h"
#include "train/backend/compute_type.h"
#include "train/store/bounded_json.h"

namespace penstock::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kFormat = 3;
// What readers before the choice of interpolation understand: they would sample bilinearly.
constexpr std::uint64_t kFormatWithoutInterpolation = 2;
// What readers before the centre crop understand: they would show the network whole pictures.
constexpr std::uint64_t kFormatWithoutCrop = 1;
constexpr const char* kFormatName = "penstock model";
constexpr const char* kBilinear = "bilinear";
constexpr const char* kFocal = "focal";
/// Fields of all objects of a record: it has some dozens, and those of a conversion.
constexpr std::uint64_t kMaxFields = 10'000;
/// Looks at a record and its weights: a training saves seconds apart, and not three times between two of them.
constexpr int kMaxReads = 3;
/// Most pixels along a side, channels, and samples per step.
constexpr std::uint32_t kMaxCount = 1u << 16;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, "model: " + path.native() + ": " + what);
}

/// The text that the record's own checksum covers: everything but that checksum.
std::string sealed_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::uint64_t version_of(const ModelRecord& record) {
  if (record.interpolation != kBilinear) return kFormat;
  return record.center_crop > 0 ? kFormatWithoutInterpolation : kFormatWithoutCrop;
}

Json loss_json(const ModelRecord& record) {
  Json json = {{"name", record.loss}};
  if (record.loss == kFocal) {
    json["focal_gamma"] = record.focal_gamma;
    json["focal_alpha"] = record.focal_alpha;
  }
  return json;
}

Json to_json(const ModelRecord& record, const FileSeal& seal) {
  return {{"format", kFormatName},
          {"version", version_of(record)},
          {"model",
           {{"name", record.model_name},
            {"layers", record.model_layers},
            {"graph", record.graph_identity},
            {"height_px", record.height_px},
            {"width_px", record.width_px},
            {"channels", record.channels}}},
          {"batch_size", record.batch_size},
          {"precision", record.precision},
          {"loss", loss_json(record)},
          {"decode_scaling", record.decode_scaling},
          {"center_crop", record.center_crop},
          {"interpolation", record.interpolation},
          {"mean", record.mean},
          {"std", record.std},
          {"class_names", record.class_names},
          {"dataset_id", record.dataset_id},
          {"conversion", Json(record.conversion)},
          {"identity", record.identity},
          {"identity_xxh3", hex(xxh3_64(record.identity))},
          {"num_epochs", record.num_epochs},
          {"metrics", Json(record.metrics)},
          {"weights",
           {{"file", kWeightsName}, {"size_bytes", seal.size_bytes}, {"xxh3", hex(seal.digest)}}}};
}

/// Reads a field of the type of `value`; whatever else stands there is damage.
template <class T>
void read_field(const Json& json, const char* key, T& value, const std::filesystem::path& path) {
  const auto found = json.find(key);
  if (found == json.end()) refuse(path, "expected the field \"" + std::string(key) + "\"");
  if constexpr (std::is_unsigned_v<T>) {  // the library would cut off what does not fit
    constexpr std::uint64_t kMost = std::numeric_limits<T>::max();
    if (!found->is_number_unsigned() || found->template get<std::uint64_t>() > kMost) {
      refuse(path, "field \"" + std::string(key) + "\": expected an integer from 0 to " +
                       std::to_string(kMost) + ", found " +
                       (found->is_structured() ? found->type_name() : shortened(found->dump())));
    }
  }
  try {
    found->get_to(value);
  } catch (const Json::exception&) {
    refuse(path, "field \"" + std::string(key) + "\": expected another type, found " +
                     found->type_name());
  }
}

void read_loss(const Json& json, ModelRecord& record, const std::filesystem::path& path) {
  Json loss;
  read_field(json, "loss", loss, path);
  read_field(loss, "name", record.loss, path);
  if (record.loss != kFocal) return;
  read_field(loss, "focal_gamma", record.focal_gamma, path);
  read_field(loss, "focal_alpha", record.focal_alpha, path);
}

Json parse_record(const std::filesystem::path& path) {
  std::optional<Json> parsed =
      parse_bounded_json<Json>(read_text_file(path), {.max_fields = kMaxFields});
  if (!parsed || !parsed->is_object()) {
    refuse(path, "expected a JSON object of at most " + std::to_string(kMaxJsonLevels) +
                     " levels and " + std::to_string(kMaxFields) + " fields, found something else");
  }
  Json json = std::move(*parsed);
  std::string format;
  std::uint64_t version = 0;
  read_field(json, "format", format, path);
  read_field(json, "version", version, path);
  if (format != kFormatName) {
    refuse(path,
           "format: expected \"" + std::string(kFormatName) + "\", found " + in_quotes(format));
  }
  if (version > kFormat) {
    throw Error(ErrorCode::kUnsupported,
                "model: " + path.native() + ": expected version " + std::to_string(kFormat) +
                    " or below, found " + std::to_string(version),
                "use a newer penstock");
  }
  std::string stated;
  read_field(json, "xxh3", stated, path);
  json.erase("xxh3");
  const std::string actual = hex(xxh3_64(sealed_text(json)));
  if (stated != actual) {
    refuse(path, "checksum: expected " + shortened(stated) + ", found " + actual);
  }
  return json;
}

ModelRecord record_from(const Json& json, const std::filesystem::path& path) {
  ModelRecord record;
  Json model;
  read_field(json, "model", model, path);
  read_field(model, "name", record.model_name, path);
  read_field(model, "layers", record.model_layers, path);
  read_field(model, "graph", record.graph_identity, path);
  read_field(model, "height_px", record.height_px, path);
  read_field(model, "width_px", record.width_px, path);
  read_field(model, "channels", record.channels, path);
  read_field(json, "batch_size", record.batch_size, path);
  if (json.contains("precision")) read_field(json, "precision", record.precision, path);
  if (json.contains("loss")) read_loss(json, record, path);
  read_field(json, "decode_scaling", record.decode_scaling, path);
  if (json.contains("center_crop")) read_field(json, "center_crop", record.center_crop, path);
  if (json.contains("interpolation")) read_field(json, "interpolation", record.interpolation, path);
  read_field(json, "mean", record.mean, path);
  read_field(json, "std", record.std, path);
  read_field(json, "class_names", record.class_names, path);
  read_field(json, "dataset_id", record.dataset_id, path);
  read_field(json, "conversion", record.conversion, path);
  read_field(json, "identity", record.identity, path);
  read_field(json, "num_epochs", record.num_epochs, path);
  read_field(json, "metrics", record.metrics, path);
  return record;
}

std::filesystem::path new_name(std::filesystem::path path) {
  return path += ".new";
}

/// A file that is written beside the one it will replace; removed unless it has taken its place.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path target) : target_(std::move(target)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    std::error_code ignored;  // mostly absent
    std::filesystem::remove(path(), ignored);
  }

  std::filesystem::path path() const { return new_name(target_); }
  void take_place() const { publish_by_rename(path(), target_); }

 private:
  std::filesystem::path target_;
};

void check_weights(const Json& json, const std::filesystem::path& record_path,
                   const std::filesystem::path& weights_path) {
  Json weights;
  std::uint64_t size_bytes = 0;
  std::string digest;
  read_field(json, "weights", weights, record_path);
  read_field(weights, "size_bytes", size_bytes, record_path);
  read_field(weights, "xxh3", digest, record_path);
  const FileSeal seal = seal_of_file(weights_path);
  if (seal.size_bytes != size_bytes) {
    refuse(weights_path, "expected " + std::to_string(size_bytes) + " bytes, found " +
                             std::to_string(seal.size_bytes));
  }
  if (hex(seal.digest) != digest) {
    refuse(weights_path, "checksum: expected " + shortened(digest) + ", found " + hex(seal.digest));
  }
}

/// Gives the record of a save that was cut off between its renames its place, so that the next save's does not
/// replace it while the weights are still its own.
void finish_cut_save(const std::filesystem::path& path, const std::filesystem::path& weights_path) {
  const std::filesystem::path unfinished = new_name(path);
  if (!std::filesystem::exists(unfinished)) return;
  try {
    check_weights(parse_record(unfinished), unfinished, weights_path);
  } catch (const Error& error) {
    const bool is_of_others =
        error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kNotFound;
    if (is_of_others) return;  // cut off before its weights took their place
    throw;
  }
  publish_by_rename(unfinished, path);
}

/// Reads the record of these weights: the one beside them, or the new one of a save that was cut
/// off between its two renames.
Json read_record_once(const std::filesystem::path& path,
                      const std::filesystem::path& weights_path) {
  const std::filesystem::path unfinished = new_name(path);
  if (!std::filesystem::exists(path)) {  // cut off in the first save
    Json first = parse_record(unfinished);
    check_weights(first, unfinished, weights_path);
    return first;
  }
  Json json = parse_record(path);
  try {
    check_weights(json, path, weights_path);
    return json;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData || !std::filesystem::exists(unfinished)) throw;
    json = parse_record(unfinished);
    check_weights(json, unfinished, weights_path);
    return json;
  }
}

/// The same beside a training that saves meanwhile: both of its renames may fall between two looks.
Json read_vouching_record(const std::filesystem::path& path,
                          const std::filesystem::path& weights_path) {
  for (int num_left = kMaxReads - 1;; --num_left) {
    try {
      return read_record_once(path, weights_path);
    } catch (const Error& error) {
      const bool may_be_saved =
          error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kNotFound;
      if (!may_be_saved || num_left == 0) throw;
    }
  }
}

/// The record of a folder's weights.
Json read_stored_record(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kModelRecordName;
  if (!std::filesystem::exists(path) && !std::filesystem::exists(new_name(path))) {
    throw Error(ErrorCode::kNotFound,
                "model: " + folder.native() + ": expected a folder with " + kModelRecordName +
                    ", found none",
                std::filesystem::exists(folder / "dataset.json")
                    ? "this is a dataset; name a run, as made by penstock train " +
                          shell_quoted(folder.native()) + " -o RUN"
                    : "penstock train DATASET -o " + shell_quoted(folder.native()));
  }
  return read_vouching_record(path, folder / kWeightsName);
}

void check_loss(const ModelRecord& record, const std::filesystem::path& where) {
  if (record.loss != "cross_entropy" && record.loss != kFocal) {
    refuse(where,
           "loss.name: expected \"cross_entropy\" or \"focal\", found \"" + record.loss + "\"");
  }
  if (!(record.focal_gamma >= 0 && record.focal_gamma <= 100)) {
    refuse(where, "loss.focal_gamma: expected 0 to 100, found " + number_text(record.focal_gamma));
  }
  const std::size_t count = record.focal_alpha.size();
  if (count > 1 && count != record.class_names.size()) {
    refuse(where, "loss.focal_alpha: expected none, 1 or " +
                      std::to_string(record.class_names.size()) + " numbers, found " +
                      std::to_string(count));
  }
  for (const double alpha : record.focal_alpha) {
    if (alpha >= 0 && alpha <= 1) continue;
    refuse(where, "loss.focal_alpha: expected 0 to 1, found " + number_text(alpha));
  }
}

/// One number per channel, each in what `is_allowed` takes.
void check_statistics(const char* field, const std::vector<double>& values, std::size_t channels,
                      const std::string& allowed, bool (*is_allowed)(double),
                      const std::filesystem::path& where) {
  if (values.size() != channels) {
    refuse(where, std::string(field) + ": expected " + std::to_string(channels) +
                      " numbers, one per channel, found " + std::to_string(values.size()));
  }
  for (const double value : values) {
    if (is_allowed(value)) continue;
    refuse(where, std::string(field) + ": expected " + allowed + ", found " + Json(value).dump());
  }
}

}  // namespace

void ModelRecord::validate(const std::filesystem::path& where) const {
  const auto check_count = [&](const char* field, std::uint32_t value) {
    if (value >= 1 && value <= kMaxCount) return;
    refuse(where, std::string(field) + ": expected 1 to " + std::to_string(kMaxCount) + ", found " +
                      std::to_string(value));
  };
  if (model_name.empty()) refuse(where, "model.name: expected a name, found an empty text");
  check_count("model.height_px", height_px);
  check_count("model.width_px", width_px);
  check_count("model.channels", channels);
  check_count("batch_size", batch_size);
  if (!compute_type_of(precision)) {
    refuse(where,
           "precision: expected \"float32\", \"bfloat16\", \"tf32\" or \"float16\", found \"" +
               precision + "\"");
  }
  if (decode_scaling != "auto" && decode_scaling != "off") {
    refuse(where, "decode_scaling: expected \"auto\" or \"off\", found \"" + decode_scaling + "\"");
  }
  if (!(center_crop >= 0 && center_crop <= 1)) {
    refuse(where, "center_crop: expected 0 to 1, found " + number_text(center_crop));
  }
  if (interpolation != kBilinear && interpolation != "nearest" &&
      interpolation != "bilinear_antialias" && interpolation != "bicubic") {
    refuse(where,
           "interpolation: expected \"nearest\", \"bilinear\", \"bilinear_antialias\" or "
           "\"bicubic\", found \"" +
               interpolation + "\"");
  }
  check_statistics(
      "mean", mean, channels, "a finite number", [](double value) { return std::isfinite(value); },
      where);
  check_statistics(
      "std", std, channels, "a finite number above 0",
      [](double value) { return std::isfinite(value) && value > 0; }, where);
  check_loss(*this, where);
  if (class_names.empty()) refuse(where, "class_names: expected at least 1 name, found none");
}

void save_model(const std::filesystem::path& folder, const ModelRecord& record,
                const TensorSource& weights) {
  // Both are on the disk before either takes the place of the one before: a full disk cannot leave
  // new weights under an old record.
  const NewFile new_weights(folder / kWeightsName);
  const std::filesystem::path record_path = folder / kModelRecordName;
  finish_cut_save(record_path, folder / kWeightsName);
  Json json = to_json(record, publish_tensors(new_weights.path(), weights));
  const std::string checksum = hex(xxh3_64(sealed_text(json)));
  json["xxh3"] = checksum;
  // Not removed when what follows fails: the weights may be its own by then.
  publish_file(new_name(record_path), sealed_text(json) + "\n");
  new_weights.take_place();
  publish_by_rename(new_name(record_path), record_path);
}

void save_model(const std::filesystem::path& folder, const ModelRecord& record,
                const TensorFile& weights) {
  save_model(folder, record, source_of(weights));
}

void remove_model(const std::filesystem::path& folder) noexcept {
  std::error_code ignored;  // mostly absent
  for (const char* name : {kWeightsName, kModelRecordName}) {
    std::filesystem::remove(folder / name, ignored);
    std::filesystem::remove(new_name(folder / name), ignored);
  }
}

ModelRecord load_model_record(const std::filesystem::path& folder) {
  const std::filesystem::path record_path = folder / kModelRecordName;
  const Json json = read_stored_record(folder);
  ModelRecord record = record_from(json, record_path);
  record.validate(record_path);
  return record;
}

StoredModel load_model(const std::filesystem::path& folder) {
  ModelRecord record = load_model_record(folder);
  return {std::move(record), read_safetensors(folder / kWeightsName)};
}

std::filesystem::path vouched_weights(const std::filesystem::path& folder) {
  read_stored_record(folder);
  return folder / kWeightsName;
}

void check_tensors(const std::vector<ExpectedTensor>& expected, std::vector<TensorSpec> tensors,
                   const std::filesystem::path& where) {
  for (const ExpectedTensor& want : expected) {
    const auto found = std::ranges::find(tensors, want.name, &TensorSpec::name);
    if (found == tensors.end()) {
      refuse(where, "tensor \"" + want.name + "\": expected " + format_shape(want.shape) +
                        ", found no tensor of this name");
    }
    if (found->shape != want.shape) {
      refuse(where, "tensor \"" + want.name + "\": expected " + format_shape(want.shape) +
                        ", found " + format_shape(found->shape));
    }
    tensors.erase(found);
  }
  if (!tensors.empty()) {
    refuse(where, "tensor \"" + tensors.front().name + "\": expected no such tensor in this model");
  }
}

std::vector<NamedTensor> match_tensors(const std::vector<ExpectedTensor>& expected,
                                       std::vector<NamedTensor> tensors,
                                       const std::filesystem::path& where) {
  std::vector<TensorSpec> specs;
  for (const NamedTensor& tensor : tensors) specs.push_back({tensor.name, tensor.shape});
  check_tensors(expected, std::move(specs), where);
  std::vector<NamedTensor> matched;
  for (const ExpectedTensor& want : expected) {
    matched.push_back(std::move(*std::ranges::find(tensors, want.name, &NamedTensor::name)));
  }
  return matched;
}

}  // namespace penstock::train
