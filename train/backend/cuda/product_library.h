// Convolutions and dense products as a program asks for them: a problem in, something to run out. The module's
// plans stand behind it (planned_products.h), in tests plain loops.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "train/backend/cuda/product_plans.h"

namespace penstock::train::cuda {

/// A problem's plan, ready to run.
class Product {
 public:
  virtual ~Product() = default;
  /// Engine and settings, for explain() and records.
  virtual std::string name() const = 0;
  virtual std::size_t workspace_bytes() const noexcept = 0;
  /// Enqueues it; allocates nothing and does not wait.
  virtual DeviceStatus run(const ProductOperands& operands, void* workspace, Stream stream) = 0;
};

/// What a fused product takes the place of, the convolution aside, or nothing: run beside that in a trial, on the operands of the
/// fused one.
struct ReplacedWork {
  std::size_t scratch_bytes = 0;
  std::function<DeviceStatus(const ProductOperands& operands, void* scratch, Stream stream)> run;
};

/// A fused product, or the reason why it is not to be used.
struct FoundExtra {
  std::unique_ptr<Product> product;
  std::string reason;
};

/// Errors  Unsupported when nothing computes a problem within the limits: the message says what was asked
class ProductLibrary {
 public:
  virtual ~ProductLibrary() = default;
  virtual std::unique_ptr<Product> find(const ConvolutionProblem& problem,
                                        const PlanLimits& limits) = 0;
  virtual std::unique_ptr<Product> find(const DenseProblem& problem, const PlanLimits& limits) = 0;
  /// Asks for a fused problem. That there is none is an ordinary answer; where products are chosen by trials, so is
  /// that the convolution alone and what it replaces are faster.
  virtual FoundExtra find_extra(const ConvolutionProblem& problem, const PlanLimits& limits,
                                const ReplacedWork& replaced) = 0;
};

}  // namespace penstock::train::cuda
