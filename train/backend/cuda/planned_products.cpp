#include "train/backend/cuda/planned_products.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "train/backend/cuda/device_handles.h"

namespace penstock::train::cuda {
namespace {

using PlanPointer = std::unique_ptr<ProductPlan, void (*)(ProductPlan*) noexcept>;
using CandidatesPointer = std::unique_ptr<ProductCandidates, void (*)(ProductCandidates*) noexcept>;
using LibrariesPointer = std::unique_ptr<ProductLibraries, void (*)(ProductLibraries*) noexcept>;

class PlannedProduct final : public Product {
 public:
  PlannedProduct(const ProductFunctions& functions, PlanPointer plan)
      : functions_(functions), plan_(std::move(plan)) {}

  std::string name() const override { return functions_.plan_facts(*plan_).name; }
  std::size_t workspace_bytes() const noexcept override {
    return functions_.plan_facts(*plan_).workspace_bytes;
  }
  DeviceStatus run(const ProductOperands& operands, void* workspace, Stream stream) override {
    return functions_.run_plan(*plan_, operands, workspace, stream);
  }

 private:
  const ProductFunctions& functions_;
  PlanPointer plan_;
};

/// Bytes of what a problem reads and writes.
struct OperandBytes {
  std::size_t x = 0;
  std::size_t w = 0;
  std::size_t y = 0;
};

OperandBytes operand_bytes(const ConvolutionProblem& problem) {
  const Extent out = problem.output();
  const std::size_t bytes = value_bytes(problem.type);
  const Extent& kernel = problem.window.kernel;
  return {.x = bytes * problem.batch * problem.height * problem.width * problem.in_channels,
          .w = 4 * std::size_t{problem.filters} * kernel.rows * kernel.cols * problem.in_channels /
               problem.groups,
          .y = bytes * problem.batch * out.rows * out.cols * problem.filters};
}

OperandBytes operand_bytes(const DenseProblem& problem) {
  const std::size_t bytes = value_bytes(problem.type);
  return {.x = bytes * problem.rows * problem.inputs,
          .w = 4 * std::size_t{problem.units} * problem.inputs,
          .y = bytes * problem.rows * problem.units};
}

/// Memory in which candidates are timed, zeroed: the speed of products hardly depends on values.
class TrialMemory {
 public:
  TrialMemory(DeviceApi& device, const OperandBytes& bytes, std::size_t workspace_bytes,
              Stream stream)
      : x_(device, bytes.x, stream),
        w_(device, bytes.w, stream),
        y_(device, bytes.y, stream),
        bias_(device, bytes.w, stream),
        workspace_(device, workspace_bytes, stream) {}

  ProductOperands operands(ProductPass pass) const {
    ProductOperands all{.x = x_.get(), .w = w_.get(), .dy = y_.get(), .bias = bias_.get()};
    all.result = pass == ProductPass::kForward        ? y_.get()
                 : pass == ProductPass::kDataGradient ? x_.get()
                                                      : w_.get();
    return all;
  }
  void* workspace() const { return workspace_.get(); }

 private:
  class Zeros {
   public:
    Zeros(DeviceApi& device, std::size_t bytes, Stream stream)
        : memory_(allocate_on_device(device, std::max<std::size_t>(bytes, 1))) {
      check_device(device.set_zero(memory_.get(), bytes, stream));
    }
    void* get() const { return memory_.get(); }

   private:
    UniqueDeviceBytes memory_;
  };

  Zeros x_;
  Zeros w_;
  Zeros y_;
  Zeros bias_;
  Zeros workspace_;
};

class PlannedProducts final : public ProductLibrary {
 public:
  PlannedProducts(DeviceApi& device, const ProductFunctions& functions, PlanBook& book,
                  const TrialLimits& trial)
      : device_(device),
        functions_(functions),
        book_(book),
        trial_(trial),
        stream_(make_stream(device)),
        libraries_(open(functions)) {}

  std::unique_ptr<Product> find(const ConvolutionProblem& problem,
                                const PlanLimits& limits) override {
    return find(problem, limits, functions_.find_convolution);
  }
  std::unique_ptr<Product> find(const DenseProblem& problem, const PlanLimits& limits) override {
    return find(problem, limits, functions_.find_dense);
  }

 private:
  static LibrariesPointer open(const ProductFunctions& functions) {
    ProductLibraries* libraries = nullptr;
    check_device(functions.open(&libraries), "cuDNN and cuBLASLt");
    return {libraries, functions.close};
  }

  template <class Problem>
  std::unique_ptr<Product> find(const Problem& problem, const PlanLimits& limits,
                                DeviceStatus (*find_candidates)(ProductLibraries&, const Problem&,
                                                                const PlanLimits&,
                                                                ProductCandidates**) noexcept) {
    const std::string key = key_of(problem, limits);
    ProductCandidates& candidates = candidates_of(key, [&](ProductCandidates** found) {
      return find_candidates(*libraries_, problem, limits, found);
    });
    PlanPointer plan = stored_plan(candidates, key);
    if (plan == nullptr) {
      // A trial's clock is no function of the seed.
      const bool is_timed = limits.runs_trials && !limits.is_deterministic;
      plan = fastest(candidates, problem, key, is_timed ? trial_.num_candidates : 1);
      // What was only looked at may be timed yet.
      if (is_timed || limits.is_deterministic) {
        book_.set(key, functions_.plan_facts(*plan).stored);
      }
    }
    return std::make_unique<PlannedProduct>(functions_, std::move(plan));
  }

  template <class Problem>
  static std::string key_of(const Problem& problem, const PlanLimits& limits) {
    return problem.key() + " within " + std::to_string(limits.workspace_bytes) +
           (limits.is_deterministic ? " deterministic" : "");
  }

  /// A network asks for many problems several times, and the heuristics take a tenth of a second.
  template <class Find>
  ProductCandidates& candidates_of(const std::string& key, const Find& find) {
    const auto known = candidates_.find(key);
    if (known != candidates_.end()) return *known->second;
    ProductCandidates* found = nullptr;
    const DeviceStatus status = find(&found);
    if (!status.is_ok()) refuse(key, status);
    return *candidates_.emplace(key, CandidatesPointer(found, functions_.close_candidates))
                .first->second;
  }

  [[noreturn]] static void refuse(const std::string& key, const DeviceStatus& status) {
    throw Error(ErrorCode::kUnsupported,
                "cuda: " + key + ": expected a plan, found none: " +
                    (status.text == nullptr ? "no reason given" : status.text),
                "another --precision, or --device cpu");
  }

  /// Null when the book has none, or one of another version.
  PlanPointer stored_plan(ProductCandidates& candidates, const std::string& key) {
    const std::string stored = book_.find(key);
    ProductPlan* plan = nullptr;
    if (!stored.empty() && functions_.restore_plan(candidates, stored.c_str(), &plan).is_ok()) {
      return {plan, functions_.destroy_plan};
    }
    return {nullptr, functions_.destroy_plan};
  }

  /// Of the first candidates that work. A trial that finds no memory leaves it to the heuristics.
  template <class Problem>
  PlanPointer fastest(ProductCandidates& candidates, const Problem& problem, const std::string& key,
                      std::uint32_t most_tried) {
    PlanPointer best(nullptr, functions_.destroy_plan);
    double best_s = std::numeric_limits<double>::infinity();
    DeviceStatus status;
    std::uint32_t num_tried = 0;
    const std::uint32_t count = functions_.num_candidates(candidates);
    for (std::uint32_t i = 0; i < count && num_tried < most_tried; ++i) {
      ProductPlan* made = nullptr;
      status = functions_.make_plan(candidates, i, &made);
      if (!status.is_ok()) continue;
      PlanPointer plan(made, functions_.destroy_plan);
      ++num_tried;
      const double seconds = most_tried > 1 ? trial_s(*plan, problem) : 0;
      if (best != nullptr && seconds >= best_s) continue;
      best = std::move(plan);
      best_s = seconds;
    }
    if (best == nullptr) refuse(key, status);
    return best;
  }

  template <class Problem>
  double trial_s(ProductPlan& plan, const Problem& problem) {
    try {
      const TrialMemory memory(device_, operand_bytes(problem),
                               functions_.plan_facts(plan).workspace_bytes, stream_.get());
      double best_s = std::numeric_limits<double>::infinity();
      for (std::uint32_t i = 0; i <= trial_.num_runs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        check_device(functions_.run_plan(plan, memory.operands(problem.pass), memory.workspace(),
                                         stream_.get()));
        check_device(device_.synchronize(stream_.get()));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (i > 0) best_s = std::min(best_s, took.count());  // the first one loads the kernel
      }
      return best_s;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kOutOfMemory) throw;
      return std::numeric_limits<double>::max();  // behind those that were timed
    }
  }

  DeviceApi& device_;
  const ProductFunctions& functions_;
  PlanBook& book_;
  TrialLimits trial_;
  UniqueStream stream_;
  LibrariesPointer libraries_;
  std::map<std::string, CandidatesPointer> candidates_;  // by key
};

}  // namespace

std::unique_ptr<ProductLibrary> make_planned_products(DeviceApi& device,
                                                      const ProductFunctions& functions,
                                                      PlanBook& book, const TrialLimits& trial) {
  return std::make_unique<PlannedProducts>(device, functions, book, trial);
}

}  // namespace penstock::train::cuda
