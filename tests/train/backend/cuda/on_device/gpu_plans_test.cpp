// Every plan that the libraries offer for small odd problems, against plain loops over the same numbers. First the
// first plan of each problem, then the second of each, and so on: PENSTOCK_GPU_SECONDS (100) may end it early.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/train/backend/cuda/on_device/device_under_test.h"
#include "tests/train/backend/cuda/stand_in/plain_loops.h"
#include "train/backend/cuda/device_handles.h"

namespace penstock::train::cuda {
namespace {

using tests::DeviceUnderTest;

/// Behind results and workspaces; nobody may write there.
constexpr std::size_t kGuardBytes = 256;
constexpr std::byte kGuard{0xA5};

/// Relative L2. float32: sums in another order; TF32: 10 bits of mantissa in what is multiplied; the others: the
/// result rounded once, to 11 and to 8 bits; in front of a convolution, what is scaled may be rounded, too.
double bound_of(ValueType type, bool may_use_tf32) {
  switch (type) {
    case ValueType::kFloat16:
      return 1e-3;
    case ValueType::kBfloat16:
      return 8e-3;
    case ValueType::kFloat32:
      break;
  }
  return may_use_tf32 ? 2e-3 : 1e-5;
}

struct Sizes {
  std::size_t x = 0;
  std::size_t w = 0;
  std::size_t y = 0;
  std::size_t bias = 0;
  std::size_t scale = 0;  // and shift
  std::size_t sums = 0;
};

Sizes sizes_of(const ConvolutionProblem& p) {
  const Extent out = p.output();
  return {.x = std::size_t{p.batch} * p.height * p.width * p.in_channels,
          .w = std::size_t{p.filters} * p.window.kernel.rows * p.window.kernel.cols *
               p.in_channels / p.groups,
          .y = std::size_t{p.batch} * out.rows * out.cols * p.filters,
          .bias = p.filters,
          .scale = p.in_channels,
          .sums = p.has_statistics ? 2 * std::size_t{p.filters} : 0};
}

Sizes sizes_of(const DenseProblem& p) {
  return {.x = std::size_t{p.rows} * p.inputs,
          .w = std::size_t{p.units} * p.inputs,
          .y = std::size_t{p.rows} * p.units,
          .bias = p.units,
          .scale = 0,
          .sums = 0};
}

std::size_t num_results(const Sizes& sizes, ProductPass pass) {
  return pass == ProductPass::kForward        ? sizes.y
         : pass == ProductPass::kDataGradient ? sizes.x
                                              : sizes.w;
}

void expect(const ConvolutionProblem& problem, const ProductOperands& operands) {
  tests::convolve(problem, operands);
}
void expect(const DenseProblem& problem, const ProductOperands& operands) {
  tests::multiply(problem, operands);
}

DeviceStatus find(const ProductFunctions& functions, ProductLibraries& libraries,
                  const ConvolutionProblem& problem, const PlanLimits& limits,
                  ProductCandidates** candidates) {
  return functions.find_convolution(libraries, problem, limits, candidates);
}
DeviceStatus find(const ProductFunctions& functions, ProductLibraries& libraries,
                  const DenseProblem& problem, const PlanLimits& limits,
                  ProductCandidates** candidates) {
  return functions.find_dense(libraries, problem, limits, candidates);
}

std::vector<std::byte> drawn(ValueType type, std::size_t count, std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::vector<std::byte> bytes(count * value_bytes(type));
  for (std::size_t i = 0; i < count; ++i) tests::set_value(type, bytes.data(), i, normal(random));
  return bytes;
}

/// A copy on the device, with a guard behind.
class DeviceArray {
 public:
  DeviceArray(const DeviceUnderTest& device, std::vector<std::byte> bytes)
      : device_(device), bytes_(std::move(bytes)) {
    bytes_.resize(bytes_.size() + kGuardBytes, kGuard);
    memory_ = allocate_on_device(device.api(), bytes_.size());
    pinned_ = allocate_pinned(device.api(), bytes_.size());
    put();
  }

  void* get() const { return memory_.get(); }
  void put() {
    std::memcpy(pinned_.get(), bytes_.data(), bytes_.size());
    check_device(device_.api().copy_to_device(memory_.get(), pinned_.get(), bytes_.size(),
                                              device_.stream()));
    check_device(device_.api().synchronize(device_.stream()));
  }
  /// Including the guard.
  const std::byte* fetched() {
    check_device(
        device_.api().copy_to_host(pinned_.get(), memory_.get(), bytes_.size(), device_.stream()));
    check_device(device_.api().synchronize(device_.stream()));
    return static_cast<const std::byte*>(pinned_.get());
  }
  bool is_guard_kept() {
    const std::byte* const end = fetched() + bytes_.size();
    return std::all_of(end - kGuardBytes, end, [](std::byte byte) { return byte == kGuard; });
  }

 private:
  const DeviceUnderTest& device_;
  std::vector<std::byte> bytes_;
  UniqueDeviceBytes memory_;
  UniquePinnedBytes pinned_;
};

class Trial {
 public:
  virtual ~Trial() = default;
  virtual std::string key() const = 0;
  virtual std::uint32_t num_plans() const = 0;
  /// What is wrong with the plan; empty when it is right, or is not made ("-").
  virtual std::string judge(std::uint32_t idx) = 0;
};

using CandidatesPointer = std::unique_ptr<ProductCandidates, void (*)(ProductCandidates*) noexcept>;

/// One problem: its numbers on both sides, its candidates.
template <class Problem>
class ProblemTrial final : public Trial {
 public:
  ProblemTrial(const DeviceUnderTest& device, ProductLibraries& libraries, const Problem& problem,
               const PlanLimits& limits)
      : device_(device),
        functions_(*device.functions().products),
        problem_(problem),
        candidates_(nullptr, functions_.close_candidates) {
    ProductCandidates* found = nullptr;
    const DeviceStatus status = cuda::find(functions_, libraries, problem, limits, &found);
    if (!status.is_ok()) {
      std::cout << "NOTE: no plan: " << problem.key() << ": "
                << (status.text == nullptr ? "" : status.text) << '\n';
      return;
    }
    candidates_ = CandidatesPointer(found, functions_.close_candidates);
  }

  std::string key() const override { return problem_.key(); }
  std::uint32_t num_plans() const override {
    return candidates_ == nullptr ? 0 : functions_.num_candidates(*candidates_);
  }

  std::string judge(std::uint32_t idx) override {
    if (x_.empty()) draw();
    ProductPlan* made = nullptr;
    if (!functions_.make_plan(*candidates_, idx, &made).is_ok()) return "-";
    const std::unique_ptr<ProductPlan, void (*)(ProductPlan*) noexcept> plan(
        made, functions_.destroy_plan);
    const PlanFacts facts = functions_.plan_facts(*plan);
    DeviceArray x(device_, x_), w(device_, w_), y(device_, y_), bias(device_, bias_);
    DeviceArray scale(device_, scale_), shift(device_, shift_);
    DeviceArray result(device_, std::vector<std::byte>(expected_.size(), std::byte{0xFF}));
    DeviceArray sums(device_, std::vector<std::byte>(expected_sums_.size(), std::byte{0xFF}));
    DeviceArray workspace(device_, std::vector<std::byte>(facts.workspace_bytes, std::byte{0xFF}));
    const DeviceStatus status = functions_.run_plan(*plan,
                                                    {.x = x.get(),
                                                     .w = w.get(),
                                                     .dy = y.get(),
                                                     .bias = bias.get(),
                                                     .scale = scale.get(),
                                                     .shift = shift.get(),
                                                     .result = result.get(),
                                                     .sums = static_cast<float*>(sums.get())},
                                                    workspace.get(), device_.stream());
    const std::string name = facts.name;
    if (!status.is_ok()) return name + ": " + status.call + ": " + status.text;
    check_device(device_.api().synchronize(device_.stream()), name);
    const double bound = bound_of(problem_.type, problem_.may_use_tf32);
    const double difference = difference_of(result_type(), expected_, result.fetched());
    if (!(difference < bound)) return name + ": off by " + std::to_string(difference);
    const double sums_off = difference_of(ValueType::kFloat32, expected_sums_, sums.fetched());
    if (!(sums_off < bound)) return name + ": sums off by " + std::to_string(sums_off);
    for (DeviceArray* const array :
         {&x, &w, &y, &bias, &scale, &shift, &result, &sums, &workspace}) {
      if (!array->is_guard_kept()) return name + ": writes behind an array";
    }
    return {};
  }

 private:
  void draw() {
    std::mt19937 random(7);
    const Sizes sizes = sizes_of(problem_);
    x_ = drawn(problem_.type, sizes.x, random);
    w_ = drawn(problem_.type, sizes.w, random);
    y_ = drawn(problem_.type, sizes.y, random);
    bias_ = drawn(problem_.has_float32_result ? ValueType::kFloat32 : problem_.type, sizes.bias,
                  random);
    scale_ = drawn(problem_.type, sizes.scale, random);
    shift_ = drawn(problem_.type, sizes.scale, random);
    expected_.resize(num_results(sizes, problem_.pass) * value_bytes(result_type()));
    expected_sums_.resize(sizes.sums * sizeof(float));
    expect(problem_, {.x = x_.data(),
                      .w = w_.data(),
                      .dy = y_.data(),
                      .bias = bias_.data(),
                      .scale = scale_.data(),
                      .shift = shift_.data(),
                      .result = expected_.data(),
                      .sums = reinterpret_cast<float*>(expected_sums_.data())});
  }

  ValueType result_type() const {
    return problem_.has_float32_result ? ValueType::kFloat32 : problem_.type;
  }

  /// NaN for a NaN; 0 where nothing is expected.
  static double difference_of(ValueType type, const std::vector<std::byte>& wanted,
                              const std::byte* found) {
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < wanted.size() / value_bytes(type); ++i) {
      const double expected = tests::value_at(type, wanted.data(), i);
      const double d = tests::value_at(type, found, i) - expected;
      difference += d * d;
      size += expected * expected;
    }
    return wanted.empty() ? 0 : std::sqrt(difference / size);
  }

  const DeviceUnderTest& device_;
  const ProductFunctions& functions_;
  Problem problem_;
  CandidatesPointer candidates_;
  std::vector<std::byte> x_, w_, y_, bias_, scale_, shift_, expected_, expected_sums_;
};

/// Odd extents, strides, paddings on one side, dilation, groups, one channel each, a bias; channels in eights as
/// networks have them, in fours as their inputs are padded, and odd.
std::vector<ConvolutionProblem> convolutions() {
  const auto window = [](std::uint32_t kernel, std::uint32_t stride, std::uint32_t padding) {
    return Window{.kernel = {kernel, kernel},
                  .stride = {stride, stride},
                  .pad_top = padding,
                  .pad_left = padding,
                  .pad_bottom = padding,
                  .pad_right = padding};
  };
  Window uneven = window(3, 2, 0);
  uneven.pad_bottom = uneven.pad_right = 1;
  Window dilated = window(3, 1, 2);
  dilated.dilation = {2, 2};
  return {
      {.batch = 3,
       .in_channels = 8,
       .height = 7,
       .width = 9,
       .filters = 16,
       .window = window(3, 1, 1)},
      {.batch = 5,
       .in_channels = 24,
       .height = 5,
       .width = 5,
       .filters = 40,
       .window = window(1, 1, 0)},
      {.batch = 2, .in_channels = 16, .height = 9, .width = 7, .filters = 8, .window = uneven},
      {.batch = 3,
       .in_channels = 4,
       .height = 13,
       .width = 13,
       .filters = 16,
       .window = window(7, 2, 3)},
      {.batch = 2,
       .in_channels = 16,
       .height = 9,
       .width = 9,
       .filters = 24,
       .groups = 2,
       .window = window(3, 1, 1)},
      {.batch = 3,
       .in_channels = 16,
       .height = 9,
       .width = 7,
       .filters = 16,
       .groups = 16,
       .window = window(3, 1, 1)},
      {.batch = 3,
       .in_channels = 24,
       .height = 9,
       .width = 9,
       .filters = 24,
       .groups = 24,
       .window = window(5, 2, 2)},
      {.batch = 2, .in_channels = 8, .height = 11, .width = 9, .filters = 8, .window = dilated},
      {.has_bias = true,
       .batch = 3,
       .in_channels = 8,
       .height = 6,
       .width = 5,
       .filters = 16,
       .window = window(3, 1, 1)},
      {.batch = 4,
       .in_channels = 64,
       .height = 14,
       .width = 14,
       .filters = 64,
       .window = window(3, 1, 1)},
      {.batch = 2,
       .in_channels = 3,
       .height = 6,
       .width = 5,
       .filters = 5,
       .window = window(3, 1, 1)},
  };
}

std::vector<DenseProblem> dense_products() {
  return {{.rows = 5, .inputs = 7, .units = 3},
          {.rows = 33, .inputs = 64, .units = 10},
          {.has_bias = true, .rows = 6, .inputs = 24, .units = 40},
          {.has_float32_result = true, .rows = 9, .inputs = 16, .units = 8},
          {.has_bias = true, .rows = 3, .inputs = 9, .units = 5}};
}

constexpr ProductPass kPasses[] = {ProductPass::kForward, ProductPass::kDataGradient,
                                   ProductPass::kWeightGradient};

struct Arithmetic {
  ValueType type;
  bool may_use_tf32 = false;
};
constexpr Arithmetic kArithmetics[] = {{ValueType::kFloat32},
                                       {ValueType::kFloat16},
                                       {ValueType::kBfloat16},
                                       {ValueType::kFloat32, true}};

double seconds_allowed() {
  const char* const text = std::getenv("PENSTOCK_GPU_SECONDS");
  return text == nullptr ? 100 : std::strtod(text, nullptr);
}

struct Fixture {
  const DeviceUnderTest& device = DeviceUnderTest::get();

  template <class Problem>
  void add(std::vector<std::unique_ptr<Trial>>& trials, ProductLibraries& libraries,
           Problem problem, const PlanLimits& limits) {
    for (const Arithmetic& arithmetic : kArithmetics) {
      const bool is_old = device.api().properties().compute_major < 8;
      if (is_old && (arithmetic.type == ValueType::kBfloat16 || arithmetic.may_use_tf32)) continue;
      if (problem.has_float32_result && arithmetic.type == ValueType::kFloat32) continue;
      problem.type = arithmetic.type;
      problem.may_use_tf32 = arithmetic.may_use_tf32;
      for (const ProductPass pass : kPasses) {
        if (problem.has_bias && pass != ProductPass::kForward) continue;
        problem.pass = pass;
        trials.push_back(
            std::make_unique<ProblemTrial<Problem>>(device, libraries, problem, limits));
      }
    }
  }

  /// What may be computed with a convolution: in float16 on sm_80 and sm_90 by cuDNN 9.19, elsewhere hardly anything.
  void add_fused(std::vector<std::unique_ptr<Trial>>& trials, ProductLibraries& libraries,
                 ConvolutionProblem problem, const PlanLimits& limits) {
    if (problem.has_bias) return;
    problem.type = ValueType::kFloat16;
    const auto push = [&] {
      trials.push_back(
          std::make_unique<ProblemTrial<ConvolutionProblem>>(device, libraries, problem, limits));
    };
    problem.has_statistics = true;
    push();
    problem.has_norm_relu = true;
    push();
    problem.has_statistics = false;
    push();
    problem.pass = ProductPass::kWeightGradient;
    push();
  }
};

BOOST_FIXTURE_TEST_SUITE(gpu_plans, Fixture)

BOOST_AUTO_TEST_CASE(every_plan_computes_what_plain_loops_do) {
  if (!device.is_there("every_plan_computes_what_plain_loops_do")) return;
  const ProductFunctions& functions = *device.functions().products;
  static_cast<void>(device.api());  // opened before the libraries
  ProductLibraries* opened = nullptr;
  check_device(functions.open(&opened), "cuDNN and cuBLASLt");
  const std::unique_ptr<ProductLibraries, void (*)(ProductLibraries*) noexcept> libraries(
      opened, functions.close);
  std::vector<std::unique_ptr<Trial>> trials;
  const PlanLimits limits{.is_deterministic = false};  // with those that are not
  for (const DenseProblem& problem : dense_products()) add(trials, *libraries, problem, limits);
  for (const ConvolutionProblem& problem : convolutions()) {
    add(trials, *libraries, problem, limits);
    add_fused(trials, *libraries, problem, limits);
  }

  std::uint32_t most = 0;
  for (const auto& trial : trials) most = std::max(most, trial->num_plans());
  const auto start = std::chrono::steady_clock::now();
  const double allowed_s = seconds_allowed();
  std::uint64_t num_run = 0, num_unmade = 0, num_left = 0;
  for (std::uint32_t idx = 0; idx < most; ++idx) {
    for (const auto& trial : trials) {
      if (idx >= trial->num_plans()) continue;
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (took.count() > allowed_s) {
        ++num_left;
        continue;
      }
      const std::string fault = trial->judge(idx);
      ++(fault == "-" ? num_unmade : num_run);
      BOOST_TEST((fault.empty() || fault == "-"), trial->key()
                                                      << ", plan " << idx << ": " << fault);
    }
  }
  std::cout << "FIGURES: {\"problems\": " << trials.size() << ", \"plans_run\": " << num_run
            << ", \"plans_not_made\": " << num_unmade << ", \"plans_not_reached\": " << num_left
            << "}" << std::endl;
  BOOST_TEST(num_run > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
