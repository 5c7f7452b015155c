#include "train/store/checkpoint_state.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"

namespace penstock::train {
namespace {

// state.json by hand, from CHECKPOINT.md, without its last lines.
constexpr const char* kBody = R"({
  "format": "penstock checkpoint",
  "version": 1,
  "files": {
    "model.safetensors": {
      "size_bytes": 100,
      "xxh3": "000102030405060708090a0b0c0d0e0f"
    },
    "optimizer.safetensors": {
      "size_bytes": 200,
      "xxh3": "ffffffffffffffffffffffffffffffff"
    }
  },
  "epoch_idx": 3,
  "epoch_position_samples": 640,
  "step": 1234,
  "num_finite_steps": 1233,
  "seed": 18446744073709551615,
  "parts": {
    "plateau": {
      "best": 0.1,
      "waits": [
        -0.0,
        1e-310
      ]
    }
  },
  "best": {
    "metric": "validation_top1",
    "value": 0.1,
    "epoch_idx": 2,
    "checkpoint": "000016-step-000001000"
  },
  "configuration": "seed = 1\n",
  "settings": {
    "seed": "1"
  },
  "dataset_id": "d",
  "model_identity": "g\u0001\"",
  "backend": "onednn",
  "plans": "",
  "micro_batch": 16,
  "num_compute_threads": 2,
  "num_loader_threads": 0,
  "instruction_set": "avx2")";

/// Ends a text as CHECKPOINT.md says.
std::string sealed(const std::string& body) {
  return body + ",\n  \"xxh3\": \"" + hex(xxh3_128(std::as_bytes(std::span(body)))) + "\"\n}\n";
}

std::string replaced(const std::string& from, const std::string& to) {
  std::string body = kBody;
  const std::size_t at = body.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return body.replace(at, from.size(), to);
}

std::string refusal_of(const std::string& text, ErrorCode code = ErrorCode::kCorruptData) {
  try {
    parse_checkpoint_state(text, "S");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    const std::string what = error.what();
    BOOST_TEST(what.starts_with("checkpoint: S: "));
    BOOST_TEST(what.find('\n') == std::string::npos);
    return what.substr(std::string_view("checkpoint: S: ").size());
  }
  return "accepted";
}

std::string refusal_with(const std::string& from, const std::string& to) {
  return refusal_of(sealed(replaced(from, to)));
}

BOOST_AUTO_TEST_SUITE(checkpoint_state)

BOOST_AUTO_TEST_CASE(a_text_made_by_hand_is_read) {
  const SealedState found = parse_checkpoint_state(sealed(kBody), "S");
  BOOST_TEST(found.state.epoch_idx == 3u);
  BOOST_TEST(found.state.epoch_position_samples == 640u);
  BOOST_TEST(found.state.is_mid_epoch());
  BOOST_TEST(found.state.step == 1234u);
  BOOST_TEST(found.state.num_finite_steps == 1233u);
  BOOST_TEST(found.state.seed == UINT64_MAX);
  BOOST_TEST(found.state.parts.at("plateau") == R"({"best":0.1,"waits":[-0.0,1e-310]})");
  BOOST_TEST(found.state.best->metric == "validation_top1");
  BOOST_TEST(found.state.best->value == 0.1);
  BOOST_TEST(found.state.best->epoch_idx == 2u);
  BOOST_TEST(found.state.best->checkpoint == "000016-step-000001000");
  BOOST_TEST(found.state.configuration == "seed = 1\n");
  BOOST_TEST(found.state.settings.at("seed") == "1");
  BOOST_TEST(found.state.model_identity == "g\x01\"");
  BOOST_TEST(found.state.micro_batch == 16u);
  BOOST_TEST(found.state.num_compute_threads == 2u);
  BOOST_TEST(found.state.instruction_set == "avx2");
  BOOST_TEST(found.seals.size() == 2u);
  BOOST_TEST(found.seals.at(TensorGroup::kModel).size_bytes == 100u);
  BOOST_TEST(found.seals.at(TensorGroup::kModel).digest[15] == 15);
}

BOOST_AUTO_TEST_CASE(what_is_written_has_the_bytes_of_the_description) {
  BOOST_TEST(format_checkpoint_state(parse_checkpoint_state(sealed(kBody), "S")) == sealed(kBody));
}

BOOST_AUTO_TEST_CASE(a_run_without_a_best_result_or_parts_has_none) {
  SealedState without = parse_checkpoint_state(sealed(kBody), "S");
  without.state.best.reset();
  without.state.parts.clear();
  const SealedState found = parse_checkpoint_state(format_checkpoint_state(without), "S");
  BOOST_TEST(!found.state.best);
  BOOST_TEST(found.state.parts.empty());
}

// CHECKPOINT.md: what is no UTF-8 is stored as U+FFFD.
BOOST_AUTO_TEST_CASE(a_path_that_is_no_text_does_not_cost_the_checkpoint) {
  SealedState state = parse_checkpoint_state(sealed(kBody), "S");
  state.state.settings["out"] = "n\xE4mlich";
  const SealedState found = parse_checkpoint_state(format_checkpoint_state(state), "S");
  BOOST_TEST(found.state.settings.at("out") == "n\xEF\xBF\xBDmlich");
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_changed_byte_is_damage) {
  const std::string whole = sealed(kBody);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST(refusal_of(whole.substr(0, size)) != "accepted", "cut to " << size);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int mask : {0x01, 0x20, 0x80}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      BOOST_TEST(refusal_of(changed) != "accepted", "byte " << at << " mask " << mask);
    }
  }
  BOOST_TEST(refusal_of(whole + "\n") != "accepted");
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_was_expected) {
  BOOST_TEST(refusal_of("") == "expected at least 49 bytes, found 0");
  BOOST_TEST(refusal_of(std::string(100, ' ')) ==
             "expected to end in a checksum, found something else");
  std::string changed = sealed(kBody);
  changed[100] ^= 1;
  const std::string stated = hex(xxh3_128(std::as_bytes(std::span(std::string_view(kBody)))));
  const std::string refusal = refusal_of(changed);
  BOOST_TEST(refusal.starts_with("checksum: expected " + stated + ", found "), refusal);
}

// CHECKPOINT.md: format and version are the first two fields and the checksum the last, in every version.
BOOST_AUTO_TEST_CASE(a_newer_version_is_refused_with_its_number) {
  BOOST_TEST(refusal_of(sealed(replaced("\"version\": 1", "\"version\": 2")),
                        ErrorCode::kUnsupported) == "expected version 1 or below, found 2");
  BOOST_TEST(refusal_of(sealed("{\n  \"format\": \"penstock checkpoint\",\n  \"version\": 70"),
                        ErrorCode::kUnsupported) == "expected version 1 or below, found 70");
}

// Each of these was under a good checksum: what is refused is the content.
BOOST_AUTO_TEST_CASE(fields_that_make_no_sense_are_damage) {
  BOOST_TEST(refusal_with("penstock checkpoint", "penstock model") ==
             "field \"format\": expected \"penstock checkpoint\", found another");
  BOOST_TEST(refusal_with("\"step\": 1234", "\"step\": -1") ==
             "field \"step\": expected an integer from 0 to 18446744073709551615, found -1");
  BOOST_TEST(refusal_with("\"step\": 1234", "\"steps\": 1234") == "expected the field \"step\"");
  BOOST_TEST(refusal_with("\"step\": 1234", "\"step\": 1232") ==
             "num_finite_steps: expected at most the number of steps, found 1233 of 1232");
  BOOST_TEST(refusal_with("\"micro_batch\": 16", "\"micro_batch\": 4294967312") ==
             "field \"micro_batch\": expected an integer from 0 to 4294967295, found 4294967312");
  BOOST_TEST(refusal_with("\"micro_batch\": 16", "\"micro_batch\": 0") ==
             "micro_batch: expected 1 or more, found 0");
  BOOST_TEST(refusal_with("\"num_compute_threads\": 2", "\"num_compute_threads\": 0") ==
             "num_compute_threads: expected 1 or more, found 0");
  BOOST_TEST(refusal_with("\"dataset_id\": \"d\"", "\"dataset_id\": \"\"") ==
             "dataset_id: expected an id, found an empty text");
  BOOST_TEST(refusal_with("\"dataset_id\": \"d\"", "\"dataset_id\": 7") ==
             "field \"dataset_id\": expected a text, found a number");
  BOOST_TEST(refusal_with("\"seed\": \"1\"", "\"seed\": 1") ==
             "settings: field \"seed\": expected a text, found a number");
  BOOST_TEST(refusal_with("\"value\": 0.1", "\"value\": null") ==
             "best: field \"value\": expected a number, found a null");
  BOOST_TEST(refusal_with("000016-step-000001000", "../../etc") ==
             "best.checkpoint: expected the name of a checkpoint, found something else");
  BOOST_TEST(refusal_with("\"size_bytes\": 200", "\"size_bytes\": 2e2") ==
             "files: optimizer.safetensors: field \"size_bytes\": expected an integer from 0 to "
             "18446744073709551615, found 200.0");
  BOOST_TEST(refusal_with("000102030405060708090a0b0c0d0e0f", "000102030405060708090A0b0c0d0e0f") ==
             "files: model.safetensors: field \"xxh3\": expected 32 hexadecimal digits, found "
             "something else");
  BOOST_TEST(refusal_with("\"optimizer.safetensors\"", "\"../optimizer.safetensors\"") ==
             "files: expected the field \"optimizer.safetensors\"");
  BOOST_TEST(refusal_with("\"files\": {", "\"files\": {\"x\": {},") ==
             "files: expected known names, found another");
  BOOST_TEST(refusal_of(sealed("[1")) ==
             "expected JSON of at most 34 levels, found something else");
}

BOOST_AUTO_TEST_CASE(parts_are_objects_of_limited_depth) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "{\"a\":";
    text += "1";
    return text + std::string(static_cast<std::size_t>(depth), '}');
  };
  SealedState state = parse_checkpoint_state(sealed(kBody), "S");
  state.state.parts["deep"] = nested(32);
  BOOST_TEST(parse_checkpoint_state(format_checkpoint_state(state), "S").state.parts.at("deep") ==
             nested(32));
  for (const std::string& part :
       {nested(33), std::string("[1]"), std::string("{"), std::string("")}) {
    state.state.parts["deep"] = part;
    BOOST_CHECK_EXCEPTION(format_checkpoint_state(state), Error, [](const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument &&
             std::string(error.what()) ==
                 "checkpoint: parts: deep: expected a JSON object of at most 32 levels, found "
                 "something else";
    });
  }
}

// A million levels would exhaust the stack of whoever walks them; a million keys are looked up quickly.
BOOST_AUTO_TEST_CASE(hostile_json_is_refused_at_the_cost_of_its_length) {
  const std::string levels(1'000'000, '[');
  BOOST_TEST(
      refusal_with("\"plateau\": {",
                   "\"deep\": " + levels + std::string(levels.size(), ']') + ", \"plateau\": {") ==
      "expected JSON of at most 34 levels, found something else");
  std::string keys;
  for (int i = 0; i < 300'000; ++i) keys += "\"k" + std::to_string(i) + "\":\"\",";
  const std::string many = sealed(replaced("\"settings\": {", "\"settings\": {" + keys));
  const tests::AllocationCeiling ceiling(4 * many.size());
  BOOST_TEST(parse_checkpoint_state(many, "S").state.settings.size() == 300'001u);
}

BOOST_AUTO_TEST_CASE(what_no_reader_would_take_is_not_written) {
  SealedState state = parse_checkpoint_state(sealed(kBody), "S");
  state.state.configuration.assign(kMaxStateBytes, 'x');
  BOOST_CHECK_EXCEPTION(format_checkpoint_state(state), Error, [](const Error& error) {
    return std::string(error.what())
        .starts_with("checkpoint: state.json: expected at most 16777216 bytes, found ");
  });
  state.state.configuration.clear();
  state.state.micro_batch = 0;
  BOOST_CHECK_EXCEPTION(format_checkpoint_state(state), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) == "checkpoint: micro_batch: expected 1 or more, found 0";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
