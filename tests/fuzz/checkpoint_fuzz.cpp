// The fuzz target of what a resumed run reads before it computes, but for tensors: state.json of a checkpoint, and
// its parts. Driven by libFuzzer (preset fuzz) or by seeded_mutations.cpp.
//
// The first byte of an input: odd, lines of the parts that a run reads, "epochs", "skipped", "loop" and
// "optimizer"; even, the text of a state.json, whose checksum is put right unless kUnsealed is set. An input may
// be refused with CorruptData or Unsupported, nothing else, in one line; what is not refused must keep the
// promises of checkpoint_state.h; nothing allocates more than some bytes for each of the input's.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "train/loop/loop_state.h"
#include "train/run/run_progress.h"
#include "train/store/checkpoint_name.h"
#include "train/store/checkpoint_state.h"

namespace penstock::fuzz {
namespace {

constexpr std::uint8_t kPartsKind = 1;

template <class Action>
void run(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    demand(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kUnsupported,
           error.what());
  }  // anything else, std::bad_alloc too, ends the process
}

// CHECKPOINT.md: XXH3-128 of all bytes before the last 49, of which 32 are its digits.
void seal(std::string& text) {
  constexpr std::size_t kEndBytes = 49;
  constexpr std::size_t kDigitsAt = 36;  // before the end
  constexpr std::size_t kDigits = 32;
  if (text.size() < kEndBytes) return;
  const auto body = std::string_view(text).substr(0, text.size() - kEndBytes);
  text.replace(text.size() - kDigitsAt, kDigits, hex(xxh3_128(std::as_bytes(std::span(body)))));
}

void read_state(const std::string& text) {
  const train::SealedState sealed = train::parse_checkpoint_state(text, "input");
  sealed.state.validate();
  demand(sealed.seals.contains(train::TensorGroup::kModel) &&
             sealed.seals.contains(train::TensorGroup::kOptimizer),
         "model and optimizer have seals");
  if (sealed.state.best) {
    demand(std::isfinite(sealed.state.best->value), "a best value is a number");
    const std::string& name = sealed.state.best->checkpoint;
    demand(name.empty() || train::parse_checkpoint_name(name), "a name is no path");
  }
  const std::string once = train::format_checkpoint_state(sealed);
  const std::string twice =
      train::format_checkpoint_state(train::parse_checkpoint_state(once, "again"));
  demand(once == twice, "what was read is written and read again");
}

/// The first line of `text`, which loses it.
std::string take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

train::RunProgress read_progress(const std::map<std::string, std::string>& parts) {
  return train::read_progress(
      parts, [](std::string_view) { return nullptr; }, "input");
}

/// What is read is written as parts that read as the same.
void read_parts(std::string_view text) {
  const std::string epochs = take_line(text);
  const std::string skipped = take_line(text);
  const std::string loop_text = take_line(text);
  run([&] {
    const auto once =
        train::progress_parts(read_progress({{"epochs", epochs}, {"skipped", skipped}}));
    demand(train::progress_parts(read_progress(once)) == once, "the same progress once more");
  });
  run([&] {
    const train::LoopState loop = train::parse_loop_state(loop_text, "input");
    demand(std::isfinite(loop.trainer.peak_learning_rate), "a learning rate is a number");
    const std::string once = train::format_loop_state(loop);
    demand(train::format_loop_state(train::parse_loop_state(once, "again")) == once,
           "the same state of the loop once more");
  });
  run([&] {
    const std::string once =
        train::format_optimizer_progress(train::parse_optimizer_progress(text, "input"));
    demand(train::format_optimizer_progress(train::parse_optimizer_progress(once, "again")) == once,
           "the same progress of the optimizer once more");
  });
}

Input input_of(std::uint8_t kind, std::string_view bytes) {
  Input input(1, kind);
  input.insert(input.end(), bytes.begin(), bytes.end());
  return input;
}

train::SealedState small_state() {
  return {.state = {.epoch_idx = 1,
                    .step = 7,
                    .num_finite_steps = 6,
                    .parts = {{"plateau", R"({"best": 0.5, "waits": [1, null]})"}},
                    .best =
                        train::BestResult{
                            .metric = "top1", .value = 0.5, .checkpoint = "000001-step-000000005"},
                    .configuration = "a = 1\n",
                    .settings = {{"a", "1"}},
                    .dataset_id = "d",
                    .model_identity = "g",
                    .backend = "b",
                    .instruction_set = "i"},
          .seals = {{train::TensorGroup::kModel, {}}, {train::TensorGroup::kOptimizer, {}}}};
}

std::string small_parts() {
  train::RunProgress progress{.num_epochs = 1,
                              .under_way = train::EpochReport{.epoch_idx = 1, .num_epochs = 3},
                              .place = {.epoch = 1, .next_position = 32}};
  const auto parts = train::progress_parts(progress);
  const std::string skipped =
      R"({"samples": [{"epoch_idx": 0, "split": "train", "sample_id": 5, "status": 1, "detail": "d"}]})";
  const train::LoopState loop{.trainer = {.num_steps = 7, .peak_learning_rate = 0.1},
                              .history = {{.epoch = 1, .train_loss = 2.5, .train_accuracy = 0.1}}};
  const train::OptimizerProgress optimizer{
      .num_steps = {7, 7}, .loss_scaling = train::LossScaling{.scale = 1024, .num_good_steps = 5}};
  return parts.at("epochs") + "\n" + skipped + "\n" + train::format_loop_state(loop) + "\n" +
         train::format_optimizer_progress(optimizer);
}

}  // namespace

const char* target_name() {
  return "checkpoint_fuzz";
}

std::vector<Input> target_seeds() {
  return {input_of(0, train::format_checkpoint_state(small_state())),
          input_of(kPartsKind, small_parts())};
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  // Lists of JSON take 16 bytes for the two of "0,", and double.
  const tests::AllocationCeiling ceiling(64 * size + 65536);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if ((data[0] & fuzz::kPartsKind) != 0) {
    fuzz::read_parts(text);
    return 0;
  }
  if ((data[0] & fuzz::kUnsealed) == 0) fuzz::seal(text);
  fuzz::run([&] { fuzz::read_state(text); });
  return 0;
}
