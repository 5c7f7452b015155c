#include "train/backend/cuda/device_backend.h"

#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "train/backend/cuda/device_bare_step.h"
#include "train/backend/cuda/device_parts.h"
#include "train/backend/cuda/plan_book.h"
#include "train/backend/lowering_check.h"

namespace penstock::train::cuda {
namespace {

class DeviceArena final : public DeviceMemory {
 public:
  DeviceArena(DeviceParts& parts, std::size_t bytes)
      : parts_(parts),
        bytes_(bytes),
        memory_(allocate_on_device(parts.api, std::max<std::size_t>(bytes, 1))) {
    check_device(parts.api.set_zero(memory_.get(), bytes, parts.stream.get()), "device memory");
  }
  ~DeviceArena() override {
    // What was enqueued may read it; of a lost device nothing does.
    static_cast<void>(parts_.api.synchronize(parts_.stream.get()));
    parts_.inputs.forget({base(), bytes_});
  }
  std::byte* base() const noexcept override { return static_cast<std::byte*>(memory_.get()); }
  std::size_t size_bytes() const noexcept override { return bytes_; }

 private:
  DeviceParts& parts_;
  std::size_t bytes_;
  UniqueDeviceBytes memory_;
};

class DeviceBackend final : public Backend {
 public:
  DeviceBackend(const DeviceMachine& machine, const DeviceProgramOptions& options,
                std::shared_ptr<void> owner)
      : owner_(std::move(owner)),
        libraries_(machine.libraries),
        plans_(machine.plans),
        batch_memory_(machine.batch_memory),
        parts_(machine.api, machine.kernels, machine.products),
        options_(options) {}

  ~DeviceBackend() override {
    // What was enqueued reads memory that goes now; of a lost device nothing does.
    static_cast<void>(parts_.api.synchronize(parts_.stream.get()));
  }

  std::string_view name() const noexcept override { return "cuda"; }

  std::string description() const override {
    const DeviceProperties& device = parts_.api.properties();
    return std::string(device.name) + ", compute capability " +
           std::to_string(device.compute_major) + "." + std::to_string(device.compute_minor) +
           (libraries_.empty() ? "" : ", " + libraries_);
  }

  BatchSpec input_spec(const ModelGraph& graph, std::uint32_t batch, ComputeType) const override {
    const TensorShape& shape = graph.input_shape();
    return {.batch = batch,
            .height_px = shape.height,
            .width_px = shape.width,
            .channels = shape.channels,
            .element = options_.crop_bytes > 0 ? ElementType::kFloat32 : options_.batch_element,
            .crop_bytes = options_.crop_bytes};
  }

  std::optional<DeviceRoom> device_room() const override {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    check_device(parts_.api.memory_info(&free_bytes, &total_bytes), "device memory");
    return DeviceRoom{.free_bytes = free_bytes, .total_bytes = total_bytes};
  }
  std::shared_ptr<HostMemory> batch_memory() const override { return batch_memory_; }
  std::string plans() const override { return plans_ == nullptr ? "" : plans_->text(); }

  bool is_deterministic() const noexcept override { return options_.plan_limits.is_deterministic; }

  std::unique_ptr<Program> lower(const ModelGraph& graph, const Lowering& lowering) override {
    check_lowering(graph, lowering);
    check_compute(lowering.compute);
    return make_device_program(graph, lowering, input_spec(graph, lowering.batch, lowering.compute),
                               parts_, options_);
  }

  std::unique_ptr<BareStep> bare_step(const ModelGraph& graph, const Lowering& lowering) override {
    return make_device_bare_step(graph, lowering, parts_, options_);
  }

  std::unique_ptr<DeviceMemory> allocate(std::size_t bytes) override {
    return std::make_unique<DeviceArena>(parts_, bytes);
  }

  void upload(BatchLease lease, std::uint32_t slot) override {
    parts_.inputs.upload(std::move(lease), slot);
  }
  void set_scalars(const StepScalars& scalars, std::uint32_t slot) override {
    parts_.inputs.set_scalars(scalars, slot);
  }
  void release(std::uint32_t slot) override { parts_.inputs.release(slot); }

  std::optional<StepReport> poll() override {
    const auto block = parts_.runs.pop();
    if (!block) return std::nullopt;
    return StepReport{.step = block->step,
                      .weighted_loss_sum = block->weighted_loss_sum,
                      .weight_sum = block->weight_sum,
                      .num_counted = block->num_counted,
                      .num_correct = block->num_correct,
                      .is_finite = block->is_finite != 0};
  }

  std::optional<UpdateReport> poll_update() override {
    const auto block = parts_.updates.pop();
    if (!block) return std::nullopt;
    return UpdateReport{.step = block->step,
                        .gradient_norm = block->gradient_norm,
                        .is_finite = block->is_finite != 0};
  }

  void finish() override {
    check_device(parts_.api.synchronize(parts_.stream.get()));
    parts_.inputs.poll();
  }

 private:
  void check_compute(ComputeType compute) const {
    const DeviceProperties& device = parts_.api.properties();
    const bool is_of_ampere = compute == ComputeType::kBfloat16 || compute == ComputeType::kTf32;
    if (!is_of_ampere || device.compute_major >= 8) return;
    throw Error(ErrorCode::kUnsupported,
                "backend: cuda: expected compute capability 8.0 or later for " +
                    std::string(compute_type_name(compute)) + ", found " + description(),
                "--precision float16");
  }

  std::shared_ptr<void> owner_;  // of the machine: goes last
  std::string libraries_;
  const PlanBook* plans_;
  std::shared_ptr<HostMemory> batch_memory_;
  DeviceParts parts_;
  DeviceProgramOptions options_;
};

}  // namespace

std::unique_ptr<Backend> make_device_backend(const DeviceMachine& machine,
                                             const DeviceProgramOptions& options,
                                             std::shared_ptr<void> owner) {
  return std::make_unique<DeviceBackend>(machine, options, std::move(owner));
}

}  // namespace penstock::train::cuda
