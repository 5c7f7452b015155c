// Which optimizer trains, and its settings. The arithmetic is in the rule files (sgd_rule.h and its
// neighbours), which backends share; a step's numbers are optimizer_scalars.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::train {

enum class OptimizerKind : std::uint8_t { kSgd, kAdam, kAdamw, kRmsprop, kLamb };

/// Names as run files spell them, in the order of OptimizerKind: "sgd", "adam", "adamw", "rmsprop", "lamb".
std::span<const std::string_view> optimizer_names();
std::string_view optimizer_name(OptimizerKind kind);
/// Throws InvalidArgument naming the optimizers there are, with the nearest in the hint.
OptimizerKind parse_optimizer(std::string_view name);

/// Settings of all optimizers; each reads those of its own (own_settings()) and the ones that are
/// marked common. Numbers only, so that a kernel can take it by value.
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::kSgd;
  /// Common. Peak of the schedule, above 0; what `constant` keeps throughout.
  double learning_rate = 0.1;
  /// sgd, rmsprop: share of the last step's direction that is kept, 0 to below 1.
  double momentum = 0.9;
  /// sgd: looks ahead along the momentum (Sutskever et al. 2013); does nothing without momentum.
  bool nesterov = true;
  /// Common. 0 or more. sgd, adam, rmsprop: L2 penalty added to the gradient; adamw, lamb:
  /// decoupled from the gradient (Loshchilov and Hutter 2019).
  double weight_decay = 5e-4;
  /// adam, adamw, lamb: share of the mean gradient that is kept, 0 to below 1.
  double beta1 = 0.9;
  /// adam, adamw, lamb: share of the mean squared gradient that is kept, 0 to below 1.
  double beta2 = 0.999;
  /// rmsprop: share of the mean squared gradient that is kept, 0 to below 1 (Keras: rho).
  double alpha = 0.99;
  /// adam, adamw, rmsprop, lamb: added to the root of the mean squared gradient, above 0.
  double epsilon = 1e-8;
  /// Common. L1 penalty, 0 or more: l1 * sign(weight) is added to the gradient, after clipping.
  double l1 = 0;
  /// Common. True penalises biases and normalisation's scale and shift as well, and lets lamb adapt
  /// their rate.
  bool decays_norm_and_bias = false;
  /// Common. Largest norm of all gradients together, 0 for none (Keras: global_clipnorm).
  double clip_norm = 0;
  /// Common. Largest magnitude of a gradient's element, 0 for none. Not together with clip_norm.
  double clip_value = 0;
  /// Common. Share that the mean of the weights over the steps (EMA) keeps at each step, 0 to below
  /// 1; 0 for no such mean.
  double ema_decay = 0;
  /// Common. The EMA keeps min(ema_decay, (1 + n) / (10 + n)) at step n = 1, 2, ..., so that the
  /// initial weights are soon forgotten.
  bool ema_warmup = false;

  /// The usual settings of an optimizer: PyTorch 2's, but for sgd the ones above, and for lamb
  /// PaddlePaddle's, since PyTorch has none (README.md has the table).
  static OptimizerConfig of(OptimizerKind kind);

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Names of the settings that `kind` reads and not every optimizer does; the others do nothing.
std::span<const std::string_view> own_settings(OptimizerKind kind);

/// Names of the tensors that an optimizer keeps for each parameter, zeros at first: "momentum";
/// "exp_avg", "exp_avg_sq"; none for sgd without momentum. Checkpoints use these names.
std::span<const std::string_view> state_names(const OptimizerConfig& config);

}  // namespace penstock::train
