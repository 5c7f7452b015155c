#include "tests/train/backend/cuda/stand_in/plain_products.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "tests/train/backend/cuda/stand_in/plain_loops.h"

namespace penstock::tests {
namespace {

using train::cuda::ConvolutionProblem;
using train::cuda::DenseProblem;
using train::cuda::DeviceStatus;
using train::cuda::PlanLimits;
using train::cuda::Product;
using train::cuda::ProductOperands;
using train::cuda::ProductPass;
using train::cuda::Stream;

/// Written over by every product, as a library's is.
constexpr std::size_t kWorkspaceBytes = 4096;

template <class Problem, class Compute>
class PlainProduct final : public Product {
 public:
  PlainProduct(StandInDevice& device, const Problem& problem, Compute compute)
      : device_(device), problem_(problem), compute_(compute) {}

  std::string name() const override { return "plain loops"; }
  std::size_t workspace_bytes() const noexcept override { return kWorkspaceBytes; }
  DeviceStatus run(const ProductOperands& operands, void* workspace, Stream stream) override {
    if (reinterpret_cast<std::uintptr_t>(workspace) % train::cuda::kWorkspaceAlignment != 0) {
      device_.note_fault("a workspace that is not aligned");
    }
    device_.enqueue(stream, [operands, workspace, problem = problem_, compute = compute_] {
      std::memset(workspace, 0xFF, kWorkspaceBytes);
      compute(problem, operands);
    });
    return {};
  }

 private:
  StandInDevice& device_;
  Problem problem_;
  Compute compute_;
};

/// With one number of what lies beside it a hundredth off.
void convolve_spoilt(const ConvolutionProblem& p, const ProductOperands& operands) {
  convolve(p, operands);
  if (p.has_statistics) operands.sums[2 * p.filters - 1] *= 1.01f;
  if (p.pass != ProductPass::kWeightGradient) return;
  set_value(p.type, operands.result, 0, 1.01 * value_at(p.type, operands.result, 0));
}

/// Runs it as a trial does, in memory of the sizes that it says; what it writes behind is a fault.
void try_replaced(StandInDevice& device, const ConvolutionProblem& p,
                  const train::cuda::ReplacedWork& replaced) {
  if (replaced.run == nullptr) return;
  constexpr std::size_t kGuardBytes = 4096;
  constexpr std::byte kGuard{0xA5};
  const train::Extent out = p.output();
  const std::size_t bytes = train::cuda::value_bytes(p.type);
  std::vector<std::byte> x(bytes * p.batch * p.height * p.width * p.in_channels);
  std::vector<std::byte> y(bytes * p.batch * out.rows * out.cols * p.filters);
  std::vector<std::byte> scratch(replaced.scratch_bytes);
  scratch.resize(scratch.size() + kGuardBytes, kGuard);
  Stream stream = nullptr;
  bool is_ok = device.create_stream(&stream).is_ok();
  is_ok &= replaced.run({.x = x.data(), .result = y.data()}, scratch.data(), stream).is_ok();
  is_ok &= device.synchronize(stream).is_ok();
  is_ok &= device.destroy_stream(stream).is_ok();
  if (!is_ok) device.note_fault("what an extra replaces fails");
  if (std::any_of(scratch.end() - kGuardBytes, scratch.end(),
                  [](std::byte byte) { return byte != kGuard; })) {
    device.note_fault("what an extra replaces writes behind its scratch");
  }
}

}  // namespace

std::unique_ptr<Product> PlainProducts::find(const ConvolutionProblem& problem, const PlanLimits&) {
  return std::make_unique<PlainProduct<ConvolutionProblem, decltype(&convolve)>>(device_, problem,
                                                                                 &convolve);
}

train::cuda::FoundExtra PlainProducts::find_extra(const ConvolutionProblem& problem,
                                                  const PlanLimits&,
                                                  const train::cuda::ReplacedWork& replaced) {
  if (extras == Extras::kNone) return {nullptr, "none"};
  if (extras == Extras::kStatistics && problem.has_norm_relu) return {nullptr, "none"};
  ++num_extras;
  try_replaced(device_, problem, replaced);
  const auto compute = spoilt_pass == problem.pass ? &convolve_spoilt : &convolve;
  return {std::make_unique<PlainProduct<ConvolutionProblem, decltype(&convolve)>>(device_, problem,
                                                                                  compute),
          ""};
}

std::unique_ptr<Product> PlainProducts::find(const DenseProblem& problem, const PlanLimits&) {
  return std::make_unique<PlainProduct<DenseProblem, decltype(&multiply)>>(device_, problem,
                                                                           &multiply);
}

}  // namespace penstock::tests
