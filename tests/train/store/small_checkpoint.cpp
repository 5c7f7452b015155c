#include "tests/train/store/small_checkpoint.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace penstock::tests {
namespace {

using train::TensorGroup;
using train::TensorSpec;

std::vector<TensorSpec> specs_of(TensorGroup group) {
  const bool is_state = group == TensorGroup::kOptimizer;
  const std::string end = is_state ? ".momentum" : "";
  std::vector<TensorSpec> specs = {{"conv.weight" + end, {2, 1, 3, 1}}, {"dense.bias" + end, {3}}};
  if (!is_state) specs.push_back({"bn.running_var", {1}});
  return specs;
}

// All 32 bits differ from one value to the next; some are NaN with a payload, infinite or denormal.
float value_of(TensorGroup group, std::uint64_t step, std::size_t tensor_idx,
               std::size_t value_idx) {
  const auto bits = static_cast<std::uint32_t>(
      (step * 31 + static_cast<std::uint64_t>(group) * 7 + tensor_idx * 3 + value_idx) *
      0x9E3779B1u);
  constexpr std::uint32_t kSpecial[] = {0x7FC01234, 0x80000000, 0x7F800000, 0x00000001};
  return std::bit_cast<float>(value_idx == 0 ? kSpecial[tensor_idx % 4] : bits);
}

train::TensorSource source_of(TensorGroup group, std::uint64_t step) {
  return {.tensors = specs_of(group),
          .fill =
              [group, step](std::size_t tensor_idx, std::span<float> values) {
                for (std::size_t i = 0; i < values.size(); ++i) {
                  values[i] = value_of(group, step, tensor_idx, i);
                }
              },
          .metadata = {{"format", "penstock"}}};
}

train::CheckpointState state_of(std::uint64_t step) {
  return {.epoch_idx = step / 10,
          .epoch_position_samples = step % 10 * 32,
          .step = step,
          .num_finite_steps = step - 1,
          .seed = 0xFFFFFFFFFFFFFFFF,
          .parts = {{"plateau", R"({"best":0.1,"num_bad":2})"}, {"schedule", "{}"}},
          .best = train::BestResult{.metric = "validation_top1", .value = 0.1, .epoch_idx = 3},
          .configuration = "epochs = 90\nseed = 18446744073709551615\n",
          .settings = {{"epochs", "90"}, {"batch_size", "32"}},
          .dataset_id = "0123456789abcdef",
          .model_identity = "conv2d 2\ndense 3\n",
          .backend = "onednn 2.6.3",
          .plans = "conv: brgemm\n",
          .micro_batch = 16,
          .num_compute_threads = 2,
          .num_loader_threads = 1,
          .instruction_set = "avx512_core"};
}

std::string tensor_difference(const train::CheckpointReader& checkpoint, TensorGroup group) {
  const std::vector<TensorSpec> specs = specs_of(group);
  const train::SafetensorsReader& tensors = checkpoint.tensors(group);
  tensors.check_tensors(specs);
  for (std::size_t tensor_idx = 0; tensor_idx < specs.size(); ++tensor_idx) {
    std::size_t num_values = 1;
    for (const std::uint64_t side : specs[tensor_idx].shape) num_values *= side;
    std::vector<float> values(num_values);
    tensors.read(specs[tensor_idx], values);
    for (std::size_t i = 0; i < num_values; ++i) {
      const float expected = value_of(group, checkpoint.state().step, tensor_idx, i);
      if (std::bit_cast<std::uint32_t>(values[i]) == std::bit_cast<std::uint32_t>(expected))
        continue;
      return specs[tensor_idx].name + " value " + std::to_string(i);
    }
  }
  return {};
}

}  // namespace

train::CheckpointContent small_checkpoint(std::uint64_t step, HasEma has_ema) {
  train::CheckpointContent content{.state = state_of(step),
                                   .model = source_of(TensorGroup::kModel, step),
                                   .optimizer = source_of(TensorGroup::kOptimizer, step)};
  if (has_ema == HasEma::kYes) content.ema = source_of(TensorGroup::kEma, step);
  return content;
}

std::string difference_from_small(const train::CheckpointReader& checkpoint, HasEma has_ema) {
  const train::CheckpointState& found = checkpoint.state();
  train::CheckpointState expected = state_of(found.step);
  if (!found.best || found.best->metric != expected.best->metric ||
      found.best->value != expected.best->value ||
      found.best->epoch_idx != expected.best->epoch_idx ||
      found.best->checkpoint != checkpoint.path().filename()) {
    return "best";
  }
  if (found.epoch_idx != expected.epoch_idx ||
      found.epoch_position_samples != expected.epoch_position_samples ||
      found.num_finite_steps != expected.num_finite_steps || found.seed != expected.seed) {
    return "place";
  }
  if (found.parts != expected.parts) return "parts";
  if (found.configuration != expected.configuration || found.settings != expected.settings ||
      found.dataset_id != expected.dataset_id || found.model_identity != expected.model_identity) {
    return "identity";
  }
  if (found.backend != expected.backend || found.plans != expected.plans ||
      found.micro_batch != expected.micro_batch ||
      found.num_compute_threads != expected.num_compute_threads ||
      found.num_loader_threads != expected.num_loader_threads ||
      found.instruction_set != expected.instruction_set) {
    return "machine";
  }
  if (checkpoint.has(TensorGroup::kEma) != (has_ema == HasEma::kYes)) return "ema";
  for (const TensorGroup group : train::kTensorGroups) {
    if (!checkpoint.has(group)) continue;
    if (std::string tensor = tensor_difference(checkpoint, group); !tensor.empty()) return tensor;
  }
  return {};
}

std::filesystem::path quick_disk() {
  return std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                   : std::filesystem::temp_directory_path();
}

}  // namespace penstock::tests
