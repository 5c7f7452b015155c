// Convolutions and dense products as a program asks for them: a problem in, something to run out. The module's
// plans stand behind it (module_products.h), in tests plain loops.
#pragma once

#include <cstddef>
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

/// Errors  Unsupported when nothing computes a problem within the limits: the message says what was asked
class ProductLibrary {
 public:
  virtual ~ProductLibrary() = default;
  virtual std::unique_ptr<Product> find(const ConvolutionProblem& problem,
                                        const PlanLimits& limits) = 0;
  virtual std::unique_ptr<Product> find(const DenseProblem& problem, const PlanLimits& limits) = 0;
};

}  // namespace penstock::train::cuda
