// The fuzz target of model.json: what every command that takes a run reads first. Driven by libFuzzer (preset fuzz)
// or by seeded_mutations.cpp.
//
// The first byte of an input is for its kind, the rest is the text, whose checksum is put right unless kUnsealed is
// set. It may be refused with CorruptData or Unsupported, nothing else; what is not refused must keep the promises
// of model_record.h; nothing allocates more than some bytes for each of the input's.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/temporary_folder.h"
#include "train/store/model_record.h"

namespace penstock::fuzz {
namespace {

train::ModelRecord small_record() {
  return {.model_name = "net",
          .model_layers = "[[layer]]\ntype = \"dense\"\n",
          .graph_identity = "graph",
          .height_px = 32,
          .width_px = 48,
          .loss = "focal",
          .focal_alpha = {0.25},
          .center_crop = 0.875,
          .interpolation = "bicubic",
          .mean = {0.1, 0.2, 0.3},
          .std = {0.5, 0.5, 0.25},
          .class_names = {"a", "b\xC3\xA9"},
          .dataset_id = "0123",
          .conversion = {{"quality", "95"}},
          .identity = "seed=1\n",
          .num_epochs = 7,
          .metrics = {{"val_top1", 0.75}}};
}

/// A stored model, whose record takes the inputs one after the other.
class StoredPair {
 public:
  StoredPair() {
    train::save_model(folder_.path(), small_record(),
                      {.tensors = {{"w", {2}, {1, 2}}}, .metadata = {}});
  }
  std::filesystem::path folder() const { return folder_.path(); }
  std::filesystem::path record() const { return folder_.path() / train::kModelRecordName; }

 private:
  tests::TemporaryFolder folder_;
};

/// CHECKPOINT.md: XXH3-64 of the object without this field, dumped with two spaces. What is no object, or so deep
/// that it cannot be dumped here, stays as it is.
std::string sealed(const std::string& text) {
  constexpr std::ptrdiff_t kMaxBrackets = 200;
  const auto opens = [](char c) { return c == '[' || c == '{'; };
  if (std::ranges::count_if(text, opens) > kMaxBrackets) return text;
  using Json = nlohmann::ordered_json;
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return text;
  json.erase("xxh3");
  json["xxh3"] = hex(xxh3_64(json.dump(2, ' ', false, Json::error_handler_t::replace)));
  return json.dump();
}

void read_record(const std::filesystem::path& folder) {
  const train::ModelRecord record = train::load_model_record(folder);
  record.validate("again");
  demand(record.mean.size() == record.channels && record.std.size() == record.channels,
         "statistics of every channel");
  demand(std::ranges::all_of(record.std, [](double one) { return std::isfinite(one) && one > 0; }),
         "deviations to divide by");
  demand(!record.class_names.empty() && !record.model_name.empty(), "names");
}

Input input_of(std::string_view text) {
  Input input = {0};
  input.insert(input.end(), text.begin(), text.end());
  return input;
}

}  // namespace

const char* target_name() {
  return "model_record_fuzz";
}

// As the writer makes them, of the first version and of the newest; and lists in one another, as deep as may be and
// deeper.
std::vector<Input> target_seeds() {
  const StoredPair newest;
  const std::string text = read_text_file(newest.record());
  train::ModelRecord plain = small_record();
  plain.loss = "cross_entropy";
  plain.center_crop = 0;
  plain.interpolation = "bilinear";
  train::save_model(newest.folder(), plain, {.tensors = {{"w", {2}, {1, 2}}}, .metadata = {}});
  const auto nested = [](std::size_t num_levels) {
    return R"({"format":"penstock model","version":1,"xxh3":"","x":)" +
           std::string(num_levels, '[') + std::string(num_levels, ']') + "}";
  };
  return {input_of(text), input_of(read_text_file(newest.record())), input_of(nested(31)),
          input_of(nested(20'000))};
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::StoredPair stored;
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & fuzz::kUnsealed) == 0) text = fuzz::sealed(text);
  std::ofstream(stored.record(), std::ios::binary) << text;
  // Dumped, an element of a list at the 32nd level has 64 spaces before it, and a text that grows doubles.
  const tests::AllocationCeiling ceiling(256 * text.size() + (1u << 20));
  try {
    fuzz::read_record(stored.folder());
  } catch (const Error& error) {
    fuzz::demand(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported,
                 error.what());
  }  // anything else, std::bad_alloc too, ends the process
  return 0;
}
