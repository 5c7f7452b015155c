// Products by the plans of a module: among the first candidates the fastest in a trial on the device, kept in a
// book, and taken from there the next time.
#pragma once

#include <memory>

#include "train/backend/cuda/device_api.h"
#include "train/backend/cuda/plan_book.h"
#include "train/backend/cuda/product_functions.h"
#include "train/backend/cuda/product_library.h"

namespace penstock::train::cuda {

struct TrialLimits {
  /// Candidates that are timed; 1: the heuristics decide, among those that work.
  std::uint32_t num_candidates = 8;
  /// Runs of each, of which the fastest counts.
  std::uint32_t num_runs = 3;
};

/// Lifetime  device, functions and book outlive it; it outlives its products
std::unique_ptr<ProductLibrary> make_planned_products(DeviceApi& device,
                                                      const ProductFunctions& functions,
                                                      PlanBook& book,
                                                      const TrialLimits& trial = {});

}  // namespace penstock::train::cuda
