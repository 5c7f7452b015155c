#include "train/backend/cuda/planned_products.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <string_view>
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
  std::size_t sums = 0;
};

OperandBytes operand_bytes(const ConvolutionProblem& problem) {
  const Extent out = problem.output();
  const std::size_t bytes = value_bytes(problem.type);
  const Extent& kernel = problem.window.kernel;
  return {.x = bytes * problem.batch * problem.height * problem.width * problem.in_channels,
          .w = 4 * std::size_t{problem.filters} * kernel.rows * kernel.cols * problem.in_channels /
               problem.groups,
          .y = bytes * problem.batch * out.rows * out.cols * problem.filters,
          .sums = problem.has_statistics ? 2 * sizeof(float) * problem.filters : 0};
}

OperandBytes operand_bytes(const DenseProblem& problem) {
  const std::size_t bytes = value_bytes(problem.type);
  return {.x = bytes * problem.rows * problem.inputs,
          .w = 4 * std::size_t{problem.units} * problem.inputs,
          .y = bytes * problem.rows * problem.units,
          .sums = 0};
}

/// Memory in which candidates are timed, zeroed: the speed of products hardly depends on values. Weights are at least
/// as many as channels.
class TrialMemory {
 public:
  TrialMemory(DeviceApi& device, const OperandBytes& bytes, std::size_t workspace_bytes,
              std::size_t scratch_bytes, Stream stream)
      : x_(device, bytes.x, stream),
        w_(device, bytes.w, stream),
        y_(device, bytes.y, stream),
        by_channel_(device, bytes.w, stream),
        sums_(device, bytes.sums, stream),
        workspace_(device, workspace_bytes, stream),
        scratch_(device, scratch_bytes, stream) {}

  ProductOperands operands(ProductPass pass) const {
    ProductOperands all{.x = x_.get(),
                        .w = w_.get(),
                        .dy = y_.get(),
                        .bias = by_channel_.get(),
                        .scale = by_channel_.get(),
                        .shift = by_channel_.get(),
                        .sums = static_cast<float*>(sums_.get())};
    all.result = pass == ProductPass::kForward        ? y_.get()
                 : pass == ProductPass::kDataGradient ? x_.get()
                                                      : w_.get();
    return all;
  }
  void* workspace() const { return workspace_.get(); }
  void* scratch() const { return scratch_.get(); }

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
  Zeros by_channel_;
  Zeros sums_;
  Zeros workspace_;
  Zeros scratch_;
};

/// Why a fused problem has no plan: before the one of the convolution alone, in the place of its own in the book.
struct Verdict {
  std::string_view before_alone;
  const char* reason;
};
constexpr Verdict kSlower = {"slower than ", "slower"};
constexpr Verdict kFails = {"fails beside ", "none that works"};

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

  FoundExtra find_extra(const ConvolutionProblem& problem, const PlanLimits& limits,
                        const ReplacedWork& replaced) override {
    const std::string key = key_of(problem, limits);
    const std::string stored = book_.find(key);
    bool has_plan = !stored.empty();
    for (const Verdict& verdict : {kSlower, kFails}) {
      if (!stored.starts_with(verdict.before_alone)) continue;
      if (stored == in_book(verdict, problem, limits)) return {nullptr, verdict.reason};
      has_plan = false;
    }
    // Heuristics take a tenth of a second: nobody asks for what could not be used.
    const bool is_timed = num_tried_of(limits) > 1;
    if (!is_timed && !has_plan) return {nullptr, "not timed"};
    const Known& known = candidates_of(key, problem, limits, functions_.find_convolution);
    if (known.candidates == nullptr) return {nullptr, "none"};
    PlanPointer plan = stored_plan(*known.candidates, key);
    if (plan != nullptr) return extra_of(std::move(plan));
    if (!is_timed) return {nullptr, "not timed"};
    TimedPlan best = fastest(*known.candidates, problem, limits);
    if (best.plan == nullptr) {
      // With more memory left one may work.
      if (!failure_.is_out_of_memory) book_.set(key, in_book(kFails, problem, limits));
      return {nullptr, kFails.reason};
    }
    if (best.seconds >= replaced_s(problem, limits, replaced)) {
      book_.set(key, in_book(kSlower, problem, limits));
      return {nullptr, kSlower.reason};
    }
    book_.set(key, functions_.plan_facts(*best.plan).stored);
    return extra_of(std::move(best.plan));
  }

 private:
  /// What the library has for a problem, or why it has nothing.
  struct Known {
    CandidatesPointer candidates;
    std::string reason;
  };
  struct TimedPlan {
    PlanPointer plan;
    double seconds = std::numeric_limits<double>::infinity();
  };
  /// Of candidates that did not work.
  struct Failure {
    std::string reason = "no reason given";  // of the last one
    bool is_out_of_memory = false;           // any of them
  };
  /// A plan that failed when it ran.
  struct RunFailure {
    DeviceStatus status;
  };
  template <class Problem>
  using FindCandidates = DeviceStatus (*)(ProductLibraries&, const Problem&, const PlanLimits&,
                                          ProductCandidates**) noexcept;

  static LibrariesPointer open(const ProductFunctions& functions) {
    ProductLibraries* libraries = nullptr;
    check_device(functions.open(&libraries), "cuDNN and cuBLASLt");
    return {libraries, functions.close};
  }

  template <class Problem>
  std::unique_ptr<Product> find(const Problem& problem, const PlanLimits& limits,
                                FindCandidates<Problem> find_candidates) {
    return std::make_unique<PlannedProduct>(functions_, plan_of(problem, limits, find_candidates));
  }

  template <class Problem>
  PlanPointer plan_of(const Problem& problem, const PlanLimits& limits,
                      FindCandidates<Problem> find_candidates) {
    const std::string key = key_of(problem, limits);
    const Known& known = candidates_of(key, problem, limits, find_candidates);
    if (known.candidates == nullptr) refuse(key, {.reason = known.reason});
    PlanPointer plan = stored_plan(*known.candidates, key);
    if (plan != nullptr) return plan;
    plan = fastest(*known.candidates, problem, limits).plan;
    if (plan == nullptr) refuse(key, failure_);
    // What was only looked at has not run yet.
    if (limits.runs_trials) {
      book_.set(key, functions_.plan_facts(*plan).stored);
    }
    return plan;
  }

  /// A trial's clock is no function of the seed.
  std::uint32_t num_tried_of(const PlanLimits& limits) const {
    return limits.is_deterministic || !limits.runs_trials ? 1 : trial_.num_candidates;
  }

  FoundExtra extra_of(PlanPointer plan) const {
    return {std::make_unique<PlannedProduct>(functions_, std::move(plan)), ""};
  }

  /// With the plan that the convolution alone has now: with another version of the library all is tried anew.
  std::string in_book(const Verdict& verdict, const ConvolutionProblem& problem,
                      const PlanLimits& limits) {
    const PlanPointer alone = plan_of(problem.alone(), limits, functions_.find_convolution);
    return std::string(verdict.before_alone) + functions_.plan_facts(*alone).stored;
  }

  /// Of the convolution alone, and what else a fused one takes the place of.
  double replaced_s(const ConvolutionProblem& problem, const PlanLimits& limits,
                    const ReplacedWork& replaced) {
    const PlanPointer alone = plan_of(problem.alone(), limits, functions_.find_convolution);
    try {
      return trial_s(*alone, problem, trial_.num_runs, &replaced);
    } catch (const RunFailure& failure) {
      check_device(failure.status, problem.alone().key());
      throw;
    }
  }

  template <class Problem>
  static std::string key_of(const Problem& problem, const PlanLimits& limits) {
    return problem.key() + " within " + std::to_string(limits.workspace_bytes) +
           (limits.is_deterministic ? " deterministic" : "");
  }

  /// A network asks for many problems several times, and the heuristics take a tenth of a second.
  template <class Problem>
  const Known& candidates_of(const std::string& key, const Problem& problem,
                             const PlanLimits& limits, FindCandidates<Problem> find_candidates) {
    const auto known = candidates_.find(key);
    if (known != candidates_.end()) return known->second;
    ProductCandidates* found = nullptr;
    const DeviceStatus status = find_candidates(*libraries_, problem, limits, &found);
    check_answer(status, key);
    return candidates_
        .emplace(key, Known{CandidatesPointer(found, functions_.close_candidates), text_of(status)})
        .first->second;
  }

  /// A device that is lost or without memory says nothing about a problem.
  static void check_answer(const DeviceStatus& status, const std::string& key) {
    if (is_sticky(status) || is_out_of_memory(status)) check_device(status, key);
  }

  static std::string text_of(const DeviceStatus& status) {
    return status.text == nullptr ? "no reason given" : status.text;
  }

  [[noreturn]] static void refuse(const std::string& key, const Failure& failure) {
    const std::string message = "cuda: " + key + ": expected a plan, found none: " + failure.reason;
    if (failure.is_out_of_memory) {
      throw Error(ErrorCode::kOutOfMemory, message,
                  "a smaller --memory-gpu, --batch-size or --micro-batch");
    }
    throw Error(ErrorCode::kUnsupported, message, "another --precision, or --device cpu");
  }

  /// Null when the book has none, or one of another version.
  PlanPointer stored_plan(ProductCandidates& candidates, const std::string& key) {
    const std::string stored = book_.find(key);
    ProductPlan* plan = nullptr;
    if (!stored.empty()) {
      const DeviceStatus status = functions_.restore_plan(candidates, stored.c_str(), &plan);
      check_answer(status, key);
    }
    return {plan, functions_.destroy_plan};
  }

  /// Of the first candidates that work; null when none does, and failure_ says why. Where no clock may decide, the
  /// first of them; where nothing may run, the first that can be made.
  template <class Problem>
  TimedPlan fastest(ProductCandidates& candidates, const Problem& problem,
                    const PlanLimits& limits) {
    TimedPlan best{.plan = {nullptr, functions_.destroy_plan}};
    failure_ = {};
    const std::uint32_t most_tried = num_tried_of(limits);
    std::uint32_t num_tried = 0;
    const std::uint32_t count = functions_.num_candidates(candidates);
    for (std::uint32_t i = 0; i < count && num_tried < most_tried; ++i) {
      ProductPlan* made = nullptr;
      const DeviceStatus status = functions_.make_plan(candidates, i, &made);
      if (!status.is_ok()) {
        note(status);
        continue;
      }
      PlanPointer plan(made, functions_.destroy_plan);
      try {
        const double seconds =
            limits.runs_trials ? trial_s(*plan, problem, most_tried > 1 ? trial_.num_runs : 0) : 0;
        ++num_tried;
        if (best.plan == nullptr || seconds < best.seconds) best = {std::move(plan), seconds};
      } catch (const RunFailure& failure) {
        note(failure.status);
      }
    }
    return best;
  }

  /// A failure of one candidate, which leaves the others; a lost device leaves none.
  void note(const DeviceStatus& status) {
    if (is_sticky(status)) check_device(status);
    failure_.reason = text_of(status);
    failure_.is_out_of_memory = failure_.is_out_of_memory || is_out_of_memory(status);
  }

  /// Of a plan, and of what is run behind it, after a first run that is not timed. A trial that finds no memory leaves
  /// it to the heuristics. Throws RunFailure.
  template <class Problem>
  double trial_s(ProductPlan& plan, const Problem& problem, std::uint32_t num_timed,
                 const ReplacedWork* behind = nullptr) {
    try {
      const TrialMemory memory(device_, operand_bytes(problem),
                               functions_.plan_facts(plan).workspace_bytes,
                               behind == nullptr ? 0 : behind->scratch_bytes, stream_.get());
      const ProductOperands operands = memory.operands(problem.pass);
      double best_s = std::numeric_limits<double>::infinity();
      for (std::uint32_t i = 0; i <= num_timed; ++i) {
        const auto start = std::chrono::steady_clock::now();
        check_run(functions_.run_plan(plan, operands, memory.workspace(), stream_.get()));
        if (behind != nullptr && behind->run != nullptr) {
          check_device(behind->run(operands, memory.scratch(), stream_.get()));
        }
        check_run(device_.synchronize(stream_.get()));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (i > 0) best_s = std::min(best_s, took.count());  // the first one loads the kernel
      }
      return best_s;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kOutOfMemory) throw;
      return std::numeric_limits<double>::max();  // behind those that were timed
    }
  }

  static void check_run(const DeviceStatus& status) {
    if (is_sticky(status) || is_out_of_memory(status)) check_device(status);
    if (!status.is_ok()) throw RunFailure{status};
  }

  DeviceApi& device_;
  const ProductFunctions& functions_;
  PlanBook& book_;
  TrialLimits trial_;
  UniqueStream stream_;
  LibrariesPointer libraries_;
  std::map<std::string, Known> candidates_;  // by key
  Failure failure_;                          // of fastest()
};

}  // namespace

std::unique_ptr<ProductLibrary> make_planned_products(DeviceApi& device,
                                                      const ProductFunctions& functions,
                                                      PlanBook& book, const TrialLimits& trial) {
  return std::make_unique<PlannedProducts>(device, functions, book, trial);
}

}  // namespace penstock::train::cuda
