// Parameters and running statistics twice: as kernels see them, and as the host's update does. Both get the same
// gradients, rounded to the type that the device keeps them in.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "tests/train/backend/cuda/kernels/kernel_values.h"
#include "train/backend/cuda/kernels/update_kernels.h"
#include "train/backend/host_update.h"

namespace penstock::tests {

struct OneAfterTheOther {
  template <class Body>
  void operator()(unsigned num_parts, const Body& body) const {
    for (unsigned part = 0; part < num_parts; ++part) body(part);
  }
};

inline std::vector<double> widened(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

/// One parameter and all that is kept for it. Gradients are of the device's type, times the loss scale.
struct TwinTensor {
  TwinTensor(const train::OptimizerConfig& config, std::size_t count, std::size_t number,
             std::mt19937_64& random)
      : is_aligned(number % 4 != 3),
        gradient_type(kValueTypes[number % 3]),
        copy_type(kValueTypes[(number + 1) % 3]),
        num_states(train::state_names(config).size()),
        weight(ValueType::kFloat32, normal_values(random, count), is_aligned),
        first_state(ValueType::kFloat32, std::vector<double>(count), is_aligned),
        second_state(ValueType::kFloat32, std::vector<double>(count), is_aligned),
        ema(ValueType::kFloat32, weight.values(), is_aligned),
        direction(ValueType::kFloat32, count, is_aligned),
        gradient(gradient_type, count, is_aligned),
        copy(copy_type, count, is_aligned),
        host_weight(weight.floats(), weight.floats() + count),
        host_gradient(count),
        host_first_state(count),
        host_second_state(count),
        host_ema(host_weight) {
    rates = {.learning_rate_scale = 1.0 + 0.5 * static_cast<double>(number),
             .weight_decay = number % 2 == 0 ? config.weight_decay : 0,
             .l1 = number % 3 == 0 ? config.l1 : 0,
             .is_adapted = number != 1};
  }

  void set_gradient(const std::vector<double>& values, double loss_scale) {
    std::vector<double> scaled = values;
    for (double& value : scaled) value *= loss_scale;
    gradient = KernelValues(gradient_type, scaled, is_aligned);
    for (std::size_t i = 0; i < values.size(); ++i) {
      host_gradient[i] = static_cast<float>(gradient[i] / loss_scale);
    }
  }

  train::cuda::UpdateTensorBlock block(const train::OptimizerConfig& config) {
    return {
        .num_elements = weight.size(),
        .weight = weight.floats(),
        .gradient = gradient.data(),
        .state = {num_states > 0 ? first_state.floats() : nullptr,
                  num_states > 1 ? second_state.floats() : nullptr},
        .ema = config.ema_decay > 0 ? ema.floats() : nullptr,
        .copy = copy.data(),
        .direction = gradient_type == ValueType::kFloat32 ? gradient.floats() : direction.floats(),
        .num_steps = &num_steps,
        .rates = rates,
        .gradient_type = gradient_type,
        .copy_type = copy_type};
  }
  train::UpdateTensor<float> host_tensor(const train::OptimizerConfig& config) {
    return {.num_elements = host_weight.size(),
            .weight = host_weight.data(),
            .gradient = host_gradient.data(),
            .state = {num_states > 0 ? host_first_state.data() : nullptr,
                      num_states > 1 ? host_second_state.data() : nullptr},
            .ema = config.ema_decay > 0 ? host_ema.data() : nullptr,
            .num_steps = &host_num_steps,
            .rates = rates};
  }

  bool is_kept_behind() const {
    return weight.is_kept_behind() && first_state.is_kept_behind() &&
           second_state.is_kept_behind() && ema.is_kept_behind() && direction.is_kept_behind() &&
           gradient.is_kept_behind() && copy.is_kept_behind();
  }

  bool is_aligned;
  ValueType gradient_type;
  ValueType copy_type;
  std::size_t num_states;
  train::ParamRates rates;
  KernelValues weight;
  KernelValues first_state;
  KernelValues second_state;
  KernelValues ema;
  KernelValues direction;
  KernelValues gradient;
  KernelValues copy;
  std::uint64_t num_steps = 0;
  std::vector<float> host_weight;
  std::vector<float> host_gradient;
  std::vector<float> host_first_state;
  std::vector<float> host_second_state;
  std::vector<float> host_ema;
  std::uint64_t host_num_steps = 0;
};

inline std::vector<train::cuda::TensorPiece> pieces_of(const std::vector<std::size_t>& counts) {
  using train::cuda::kPieceElements;
  std::vector<train::cuda::TensorPiece> pieces;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    for (std::size_t first = 0; first < counts[k]; first += kPieceElements) {
      pieces.push_back(
          {static_cast<std::uint32_t>(k),
           static_cast<std::uint32_t>(std::min<std::size_t>(kPieceElements, counts[k] - first)),
           first});
    }
  }
  return pieces;
}

/// All parameters of a program.
class UpdateTwin {
 public:
  UpdateTwin(const train::OptimizerConfig& config, const std::vector<std::size_t>& counts)
      : config_(config), pieces_(pieces_of(counts)) {
    for (const std::size_t count : counts) {
      tensors.push_back(std::make_unique<TwinTensor>(config, count, tensors.size(), random));
    }
    std::vector<train::UpdateTensor<float>> host_tensors;
    for (const auto& tensor : tensors) host_tensors.push_back(tensor->host_tensor(config_));
    host_ = std::make_unique<train::HostUpdate<float, OneAfterTheOther>>(
        config_, 3u, std::move(host_tensors), OneAfterTheOther{});
    for (std::vector<float>& values : running) values.assign(300, 1.0f);
    for (std::vector<float>& values : before_step) values.assign(300, NAN);
  }

  /// Gradients as a backward pass would leave them.
  void draw_gradients(double deviation = 1) {
    for (const auto& tensor : tensors) {
      tensor->set_gradient(normal_values(random, tensor->weight.size(), 0, deviation),
                           static_cast<double>(scaler.loss_scale));
    }
  }

  /// What a forward pass does to running statistics: keeps what they are, and moves them.
  bool begin_run() {
    const auto blocks = statistics_blocks();
    const bool is_ok = train::cuda::copy_statistics({.statistics = blocks.data(),
                                                     .num_statistics = 2,
                                                     .puts_back = false,
                                                     .scaler = &scaler},
                                                    nullptr)
                           .is_ok();
    for (std::vector<float>& values : running) {
      for (float& value : values) value += 0.25f;
    }
    return is_ok;
  }

  train::cuda::UpdateReportBlock update() {
    std::vector<train::cuda::UpdateTensorBlock> blocks;
    for (const auto& tensor : tensors) blocks.push_back(tensor->block(config_));
    const auto statistics = statistics_blocks();
    std::vector<double> piece_sums(2 * pieces_.size(), NAN);
    std::vector<train::cuda::TensorScalars> scalars(blocks.size());
    train::cuda::UpdateReportBlock report{.gradient_norm = NAN, .is_finite = 7};
    const train::cuda::StepBlock step_block{.learning_rate = step.learning_rate,
                                            .gradient_scale = step.gradient_scale,
                                            .step = step.step};
    has_succeeded =
        train::cuda::optimizer_update({.config = config_,
                                       .tensors = blocks.data(),
                                       .num_tensors = static_cast<std::uint32_t>(blocks.size()),
                                       .pieces = pieces_.data(),
                                       .num_pieces = static_cast<std::uint32_t>(pieces_.size()),
                                       .statistics = statistics.data(),
                                       .num_statistics = 2,
                                       .step = &step_block,
                                       .scaler = &scaler,
                                       .scaler_rule = scaler_rule,
                                       .piece_sums = piece_sums.data(),
                                       .tensor_scalars = scalars.data(),
                                       .report = &report},
                                      nullptr)
            .is_ok();
    return report;
  }

  /// With statistics of its own, which are always finite.
  train::UpdateReport update_host() {
    train::StepUnderWay under_way;
    train::StatisticsGuard<float> statistics(under_way, {});
    return host_->run(step, statistics);
  }

  std::vector<train::cuda::StatisticsBlock> statistics_blocks() {
    return {
        {.num_elements = 300, .running = running[0].data(), .before_step = before_step[0].data()},
        {.num_elements = 5, .running = running[1].data(), .before_step = before_step[1].data()}};
  }

  std::mt19937_64 random{5};
  std::vector<std::unique_ptr<TwinTensor>> tensors;
  std::vector<float> running[2];
  std::vector<float> before_step[2];
  train::cuda::ScalerBlock scaler;
  train::cuda::ScalerRule scaler_rule;
  train::StepScalars step{.learning_rate = 0.01};
  bool has_succeeded = false;

 private:
  train::OptimizerConfig config_;
  std::vector<train::cuda::TensorPiece> pieces_;
  std::unique_ptr<train::HostUpdate<float, OneAfterTheOther>> host_;
};

}  // namespace penstock::tests
