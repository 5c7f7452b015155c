#include "train/store/model_record.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <span>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/allocation_ceiling.h"
#include "tests/temporary_folder.h"
#include "tests/train/store/watched_read.h"

namespace penstock::train {
namespace {

struct Fixture {
  tests::TemporaryFolder folder;
  ModelRecord record{.model_name = "net",
                     .model_layers = "[[layer]]\ntype = \"dense\"\n",
                     .graph_identity = "graph",
                     .height_px = 32,
                     .width_px = 48,
                     .channels = 3,
                     .batch_size = 8,
                     .decode_scaling = "off",
                     .mean = {0.1, 0.2, 0.3},
                     .std = {1.0 / 3, 0.5, 0.25},
                     .class_names = {"a", "b\xC3\xA9"},
                     .dataset_id = "0123",
                     .conversion = {{"quality", "95"}},
                     .identity = "seed=1\n",
                     .num_epochs = 7,
                     .metrics = {{"validation_top1", 0.75}}};
  TensorFile weights{
      .tensors = {{"dense.weight", {2, 2}, {1, 2, 3, 4}}, {"dense.bias", {2}, {5, 6}}},
      .metadata = {}};

  struct Texts {
    std::string record;
    std::string weights;
  };

  /// A save replaces the weights first: makes the state between its two renames, and returns what stood there
  /// before that save. The one that was cut off has eight epochs and weights {7, 8, 9, 10}.
  Texts leave_cut_off_save() {
    save_model(folder.path(), record, weights);
    Texts old{.record = read_text_file(folder.path() / kModelRecordName),
              .weights = read_text_file(folder.path() / kWeightsName)};
    record.num_epochs = 8;
    weights.tensors[0].values = {7, 8, 9, 10};
    save_model(folder.path(), record, weights);
    std::filesystem::rename(folder.path() / kModelRecordName, folder.path() / "model.json.new");
    publish_file(folder.path() / kModelRecordName, old.record);
    return old;
  }

  std::string refusal() {
    try {
      load_model(folder.path());
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kCorruptData));
      return error.what();
    }
    return "accepted";
  }
};

BOOST_FIXTURE_TEST_SUITE(model_record, Fixture)

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded) {
  record.center_crop = 0.875;
  record.interpolation = "bicubic";
  record.precision = "bfloat16";
  record.loss = "focal";
  record.focal_gamma = 1.5;
  record.focal_alpha = {0.25};
  save_model(folder.path(), record, weights);
  const StoredModel stored = load_model(folder.path());
  BOOST_TEST(stored.record.model_layers == record.model_layers);
  BOOST_TEST(stored.record.graph_identity == "graph");
  BOOST_TEST(stored.record.width_px == 48u);
  BOOST_TEST(stored.record.batch_size == 8u);
  BOOST_TEST(stored.record.decode_scaling == "off");
  BOOST_TEST(stored.record.center_crop == 0.875);
  BOOST_TEST(stored.record.interpolation == "bicubic");
  BOOST_TEST(stored.record.precision == "bfloat16");
  BOOST_TEST(stored.record.loss == "focal");
  BOOST_TEST(stored.record.focal_gamma == 1.5);
  BOOST_TEST((stored.record.focal_alpha == record.focal_alpha));
  BOOST_TEST((stored.record.std == record.std));
  BOOST_TEST((stored.record.class_names == record.class_names));
  BOOST_TEST((stored.record.conversion == record.conversion));
  BOOST_TEST((stored.record.metrics == record.metrics));
  BOOST_TEST(stored.record.num_epochs == 7u);
  BOOST_TEST((stored.weights.tensors[0].values == weights.tensors[0].values));
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

// CHECKPOINT.md: a reader that knows version 1 alone would evaluate whole pictures.
BOOST_AUTO_TEST_CASE(a_record_with_a_centre_crop_says_that_it_takes_a_newer_reader) {
  record.center_crop = 0.875;
  save_model(folder.path(), record, weights);
  BOOST_TEST(read_text_file(folder.path() / kModelRecordName).find("\"version\": 2,") !=
             std::string::npos);
  record.center_crop = 0;
  save_model(folder.path(), record, weights);
  BOOST_TEST(read_text_file(folder.path() / kModelRecordName).find("\"version\": 1,") !=
             std::string::npos);
  BOOST_TEST(load_model(folder.path()).record.center_crop == 0.0);
}

// CHECKPOINT.md: readers of versions 1 and 2 would sample bilinearly.
BOOST_AUTO_TEST_CASE(a_record_with_another_interpolation_says_that_it_takes_a_newer_reader) {
  record.interpolation = "nearest";
  save_model(folder.path(), record, weights);
  BOOST_TEST(read_text_file(folder.path() / kModelRecordName).find("\"version\": 3,") !=
             std::string::npos);
  record.interpolation = "bilinear";
  save_model(folder.path(), record, weights);
  BOOST_TEST(read_text_file(folder.path() / kModelRecordName).find("\"version\": 1,") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_save_cut_off_between_its_renames_is_whole) {
  leave_cut_off_save();
  const StoredModel stored = load_model(folder.path());
  BOOST_TEST(stored.record.num_epochs == 8u);
  BOOST_TEST((stored.weights.tensors[0].values == std::vector<float>{7, 8, 9, 10}));

  std::filesystem::remove(folder.path() / kModelRecordName);  // as in the first save of a run
  BOOST_TEST(load_model(folder.path()).record.num_epochs == 8u);

  save_model(folder.path(), record, weights);
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

// What a killed process has left, and a full disk or weights that diverged after it. The next save's record must not
// replace the only one that vouches for the weights.
BOOST_AUTO_TEST_CASE(a_save_first_gives_the_record_that_a_save_cut_off_has_left_its_place) {
  leave_cut_off_save();
  TensorSource broken = source_of(weights);
  broken.fill = [](std::size_t tensor_idx, std::span<float>) {
    if (tensor_idx == 1) throw Error(ErrorCode::kIo, "no");
  };
  BOOST_CHECK_THROW(save_model(folder.path(), record, broken), Error);
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
  const StoredModel stored = load_model(folder.path());
  BOOST_TEST(stored.record.num_epochs == 8u);
  BOOST_TEST((stored.weights.tensors[0].values == std::vector<float>{7, 8, 9, 10}));
}

BOOST_AUTO_TEST_CASE(a_record_whose_weights_never_took_their_place_is_replaced) {
  const Texts old = leave_cut_off_save();
  publish_file(folder.path() / kWeightsName, old.weights);
  TensorSource broken = source_of(weights);
  broken.fill = [](std::size_t, std::span<float>) { throw Error(ErrorCode::kIo, "no"); };
  BOOST_CHECK_THROW(save_model(folder.path(), record, broken), Error);
  BOOST_TEST(read_text_file(folder.path() / kModelRecordName) == old.record);
  record.num_epochs = 9;
  save_model(folder.path(), record, weights);
  BOOST_TEST(load_model(folder.path()).record.num_epochs == 9u);
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

// Eight tensors of 1 MiB.
BOOST_AUTO_TEST_CASE(a_save_holds_one_tensor_at_a_time) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  TensorSource source;
  for (int i = 0; i < 8; ++i) source.tensors.push_back({std::to_string(i), {kMiB / 4}});
  source.fill = [](std::size_t tensor_idx, std::span<float> values) {
    std::ranges::fill(values, static_cast<float>(tensor_idx));
  };
  tests::reset_peak();
  const std::size_t before = tests::allocated_bytes().now;
  save_model(folder.path(), record, source);
  BOOST_TEST(tests::allocated_bytes().peak - before < 2 * kMiB);
  BOOST_TEST(load_model(folder.path()).weights.tensors[7].values.back() == 7.0f);
}

BOOST_AUTO_TEST_CASE(a_model_is_removed_with_what_a_save_left_and_nothing_else) {
  remove_model(folder.path());  // none there
  save_model(folder.path(), record, weights);
  publish_file(folder.path() / "weights.safetensors.new", "x");
  publish_file(folder.path() / "model.json.new", "x");
  publish_file(folder.path() / "mine", "x");
  remove_model(folder.path());
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  BOOST_TEST(std::filesystem::exists(folder.path() / "mine"));
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_model_comes_with_the_hint_to_train) {
  BOOST_CHECK_EXCEPTION(load_model(folder.path()), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kNotFound &&
           error.hint() == "penstock train DATASET -o " + folder.path().native();
  });
}

/// Without the flushes of publish_file(): a thousand of them would take their time.
void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Whatever byte is changed, in either file, is noticed: both are under a checksum.
BOOST_AUTO_TEST_CASE(every_changed_byte_is_noticed) {
  save_model(folder.path(), record, weights);
  for (const char* name : {kWeightsName, kModelRecordName}) {
    const std::filesystem::path path = folder.path() / name;
    const std::string whole = read_text_file(path);
    for (std::size_t place = 0; place < whole.size(); ++place) {
      std::string changed = whole;
      changed[place] = static_cast<char>(changed[place] ^ 0x01);
      overwrite(path, changed);
      BOOST_TEST_CONTEXT(name << " byte " << place) {
        BOOST_TEST(refusal() != "accepted");
      }
    }
    overwrite(path, whole);
  }
  BOOST_CHECK_NO_THROW(load_model(folder.path()));
}

BOOST_AUTO_TEST_CASE(weights_cut_short_are_named_with_both_sizes) {
  save_model(folder.path(), record, weights);
  const std::filesystem::path path = folder.path() / kWeightsName;
  const std::string whole = read_text_file(path);
  publish_file(path, whole.substr(0, whole.size() - 1));
  BOOST_TEST(refusal() == "model: " + path.native() + ": expected " + std::to_string(whole.size()) +
                              " bytes, found " + std::to_string(whole.size() - 1));
}

// Each of these was under a good checksum: what is refused is the content.
BOOST_AUTO_TEST_CASE(fields_that_make_no_sense_are_damage) {
  const auto refusal_with = [&](auto change) {
    ModelRecord changed = record;
    change(changed);
    save_model(folder.path(), changed, weights);
    const std::string text = refusal();
    const std::string head = "model: " + (folder.path() / kModelRecordName).native() + ": ";
    return text.starts_with(head) ? text.substr(head.size()) : text;
  };
  BOOST_TEST(refusal_with([](ModelRecord&) {}) == "accepted");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.batch_size = 0; }) ==
             "batch_size: expected 1 to 65536, found 0");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.batch_size = 65537; }) ==
             "batch_size: expected 1 to 65536, found 65537");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.height_px = 0; }) ==
             "model.height_px: expected 1 to 65536, found 0");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.width_px = 0; }) ==
             "model.width_px: expected 1 to 65536, found 0");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.channels = 0; }) ==
             "model.channels: expected 1 to 65536, found 0");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.mean.pop_back(); }) ==
             "mean: expected 3 numbers, one per channel, found 2");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.std.push_back(1); }) ==
             "std: expected 3 numbers, one per channel, found 4");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.std[1] = 0; }) ==
             "std: expected a finite number above 0, found 0.0");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.class_names.clear(); }) ==
             "class_names: expected at least 1 name, found none");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.model_name.clear(); }) ==
             "model.name: expected a name, found an empty text");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.decode_scaling = "on"; }) ==
             "decode_scaling: expected \"auto\" or \"off\", found \"on\"");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.center_crop = 1.5; }) ==
             "center_crop: expected 0 to 1, found 1.5");
  BOOST_TEST(
      refusal_with([](ModelRecord& r) { r.precision = "half"; }) ==
      "precision: expected \"float32\", \"bfloat16\", \"tf32\" or \"float16\", found \"half\"");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.loss = "mean_squared_error"; }) ==
             "loss.name: expected \"cross_entropy\" or \"focal\", found \"mean_squared_error\"");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.loss = "focal", r.focal_gamma = -1; }) ==
             "loss.focal_gamma: expected 0 to 100, found -1");
  BOOST_TEST(refusal_with([](ModelRecord& r) {
               r.loss = "focal", r.focal_alpha = {0.5, 2};
             }) == "loss.focal_alpha: expected 0 to 1, found 2");
  BOOST_TEST(refusal_with([](ModelRecord& r) {
               r.loss = "focal", r.focal_alpha = {1, 1, 1};
             }) == "loss.focal_alpha: expected none, 1 or 2 numbers, found 3");
  BOOST_TEST(refusal_with([](ModelRecord& r) { r.interpolation = "linear"; }) ==
             "interpolation: expected \"nearest\", \"bilinear\", \"bilinear_antialias\" or "
             "\"bicubic\", found \"linear\"");
}

// CHECKPOINT.md: the checksum covers the object without it, dumped with two spaces.
BOOST_AUTO_TEST_CASE(numbers_that_do_not_fit_are_damage_not_cut_off) {
  save_model(folder.path(), record, weights);
  const std::filesystem::path path = folder.path() / kModelRecordName;
  const std::string whole = read_text_file(path);
  const std::string sealed = whole.substr(0, whole.rfind(",\n  \"xxh3\": ")) + "\n}";
  const auto refusal_with = [&](const std::string& number) {
    const std::string stated = "\"batch_size\": 8";
    std::string text = sealed;
    text.replace(text.find(stated), stated.size(), "\"batch_size\": " + number);
    const std::string checksum = hex(xxh3_64(text));
    publish_file(path,
                 text.substr(0, text.size() - 2) + ",\n  \"xxh3\": \"" + checksum + "\"\n}\n");
    return refusal();
  };
  BOOST_TEST(refusal_with("8") == "accepted");
  const std::string expected = "model: " + path.native() +
                               ": field \"batch_size\": expected an integer from 0 to 4294967295, "
                               "found ";
  for (const char* number : {"4294967304", "-1", "8.5", "\"8\""}) {  // 2^32 + 8 ends in 8
    BOOST_TEST(refusal_with(number) == expected + number);
  }
}

// CHECKPOINT.md: at most 32 levels and 10,000 fields. Without the bounds the first of these ends the process, and
// the last one takes minutes.
BOOST_AUTO_TEST_CASE(a_record_that_is_nested_or_has_fields_without_end_is_damage) {
  save_model(folder.path(), record, weights);
  const std::filesystem::path path = folder.path() / kModelRecordName;
  const auto refusal_with = [&](const std::string& value) {
    publish_file(path, R"({"format":"penstock model","version":1,"xxh3":"00","x":)" + value + "}");
    return refusal();
  };
  const auto nested = [](std::size_t num_lists) {
    return std::string(num_lists, '[') + std::string(num_lists, ']');
  };
  const std::string head = "model: " + path.native() + ": ";
  const std::string bounds =
      head + "expected a JSON object of at most 32 levels and 10000 fields, found something else";
  BOOST_TEST(refusal_with(nested(200'000)) == bounds);
  BOOST_TEST(refusal_with(nested(32)) == bounds);
  BOOST_TEST(refusal_with(nested(31)).starts_with(head + "checksum: expected 00, found "));
  const auto fields = [](int num_fields) {
    std::string text = "{";
    for (int i = 0; i < num_fields; ++i) {
      text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  BOOST_TEST(refusal_with(fields(9996)).starts_with(head + "checksum: expected 00, found "));
  BOOST_TEST(refusal_with(fields(9997)) == bounds);
  BOOST_TEST(refusal_with(fields(1'000'000)) == bounds);
}

// A training beside it: the weights were replaced before they are read, and the record as soon as they are.
BOOST_AUTO_TEST_CASE(a_save_between_the_looks_at_record_and_weights_is_no_damage) {
  save_model(folder.path(), record, weights);
  const std::filesystem::path path = folder.path() / kModelRecordName;
  const std::string old_record = read_text_file(path);
  record.num_epochs = 8;
  weights.tensors[0].values = {7, 8, 9, 10};
  save_model(folder.path(), record, weights);
  const std::string new_record = read_text_file(path);
  publish_file(path, old_record);
  {
    const tests::WatchedRead watch(folder.path() / kWeightsName,
                                   [&] { publish_file(path, new_record); });
    BOOST_TEST(load_model_record(folder.path()).num_epochs == 8u);
  }
  // One that nobody saves is damage.
  publish_file(path, old_record);
  BOOST_TEST(refusal().find("weights.safetensors: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(tensors_that_do_not_fit_are_named_with_both_shapes) {
  const auto refusal_of = [&](std::vector<ExpectedTensor> expected) -> std::string {
    try {
      match_tensors(expected, weights.tensors, "w");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  BOOST_TEST(refusal_of({{"dense.bias", {2}}, {"dense.weight", {2, 2}}}) == "accepted");
  BOOST_TEST(refusal_of({{"dense.weight", {3, 2}}, {"dense.bias", {2}}}) ==
             "model: w: tensor \"dense.weight\": expected [3, 2], found [2, 2]");
  BOOST_TEST(refusal_of({{"conv.weight", {1}}}) ==
             "model: w: tensor \"conv.weight\": expected [1], found no tensor of this name");
  BOOST_TEST(refusal_of({{"dense.weight", {2, 2}}}) ==
             "model: w: tensor \"dense.bias\": expected no such tensor in this model");
}

BOOST_AUTO_TEST_CASE(tensors_are_put_into_the_order_asked_for) {
  const auto matched =
      match_tensors({{"dense.bias", {2}}, {"dense.weight", {2, 2}}}, weights.tensors, "w");
  BOOST_TEST(matched[0].name == "dense.bias");
  BOOST_TEST(matched[1].values[3] == 4.0f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
