#include "train/backend/reference/reference_backend.h"

#include "train/backend/host_arena.h"
#include "train/backend/host_inputs.h"
#include "train/backend/lowering_check.h"
#include "train/backend/reference/reference_program.h"
#include "train/backend/report_queue.h"

namespace penstock::train {
namespace {

template <class T>
class ReferenceBackend final : public Backend {
 public:
  std::string_view name() const noexcept override { return "reference"; }
  std::string description() const override {
    return sizeof(T) == sizeof(double) ? "plain loops in double, 1 thread"
                                       : "plain loops in float, 1 thread";
  }

  bool keeps_float32() const noexcept override { return sizeof(T) == sizeof(float); }

  BatchSpec input_spec(const ModelGraph& graph, std::uint32_t batch,
                       ComputeType /*compute*/) const override {
    const TensorShape& shape = graph.input_shape();
    return {.batch = batch,
            .height_px = shape.height,
            .width_px = shape.width,
            .channels = shape.channels,
            .layout = PixelLayout::kNchw};
  }

  std::unique_ptr<Program> lower(const ModelGraph& graph, const Lowering& lowering) override {
    check_lowering(graph, lowering);
    check_host_compute(name(), lowering.compute);
    return reference::make_program<T>(
        graph, lowering, input_spec(graph, lowering.batch, lowering.compute), {inputs_, reports_});
  }

  std::unique_ptr<DeviceMemory> allocate(std::size_t bytes) override {
    return std::make_unique<HostArena>(bytes);
  }

  void upload(BatchLease lease, std::uint32_t slot) override {
    inputs_.upload(std::move(lease), slot);
  }
  void set_scalars(const StepScalars& scalars, std::uint32_t slot) override {
    inputs_.set_scalars(scalars, slot);
  }
  void release(std::uint32_t slot) override { inputs_.release(slot); }

  std::optional<StepReport> poll() override { return reports_.steps.pop(); }
  std::optional<UpdateReport> poll_update() override { return reports_.updates.pop(); }

  void finish() override {}  // every run has finished when it returns

 private:
  HostInputs inputs_;
  ReportQueue reports_;
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend(const BackendSettings&) {
  return std::make_unique<ReferenceBackend<double>>();
}

std::unique_ptr<Backend> make_float_reference_backend() {
  return std::make_unique<ReferenceBackend<float>>();
}

}  // namespace penstock::train
