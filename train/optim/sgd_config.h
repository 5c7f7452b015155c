// Settings of stochastic gradient descent. The arithmetic itself is sgd_rule.h, shared by backends.
#pragma once

namespace penstock::train {

struct SgdConfig {
  /// Peak of the schedule, above 0; what `constant` keeps throughout.
  double learning_rate = 0.1;
  /// Share of the last step's direction that is kept, 0 to below 1.
  double momentum = 0.9;
  /// Looks ahead along the momentum (Sutskever et al. 2013); needs momentum above 0.
  bool nesterov = true;
  /// L2 penalty added to the gradient, 0 or more; biases and batch norm's scale and shift are
  /// left out.
  double weight_decay = 5e-4;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

}  // namespace penstock::train
