#include "train/backend/onednn/onednn_backend.h"

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "train/backend/host_arena.h"
#include "train/backend/lowering_check.h"
#include "train/backend/onednn/bare_convolutions.h"
#include "train/backend/onednn/onednn_program.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/report_queue.h"

namespace penstock::train {
namespace {

constexpr std::uint32_t kMaxThreads = 1024;

class OnednnBackend final : public Backend {
 public:
  explicit OnednnBackend(unsigned num_threads) : num_threads_(num_threads) {}

  std::string_view name() const noexcept override { return "onednn"; }
  std::string description() const override {
    return onednn::OneDnn::description() + ", " + std::to_string(num_threads_) +
           (num_threads_ == 1 ? " thread" : " threads");
  }

  std::string instruction_set() const override { return onednn::OneDnn::instruction_set(); }

  BatchSpec input_spec(const ModelGraph& graph, std::uint32_t batch,
                       ComputeType compute) const override {
    const TensorShape& shape = graph.input_shape();
    return {.batch = batch,
            .height_px = shape.height,
            .width_px = shape.width,
            .channels = shape.channels,
            .element = element_type_of(compute)};
  }

  std::unique_ptr<Program> lower(const ModelGraph& graph, const Lowering& lowering) override {
    check_lowering(graph, lowering);
    check_compute(lowering.compute);
    const onednn::ThreadScope threads(num_threads_);  // primitives are built for this many
    return onednn::make_program(graph, lowering,
                                input_spec(graph, lowering.batch, lowering.compute),
                                {library_, inputs_, reports_, num_threads_});
  }

  std::unique_ptr<BareStep> bare_step(const ModelGraph& graph, const Lowering& lowering) override {
    check_lowering(graph, lowering);
    return onednn::make_bare_convolutions(graph, lowering, library_, num_threads_);
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
  void check_compute(ComputeType compute) const {
    check_host_compute(name(), compute);
    if (library_.computes_in(compute)) return;
    throw Error(ErrorCode::kUnsupported,
                "backend: onednn: expected a processor with AVX-512 for " +
                    std::string(compute_type_name(compute)) + ", found " +
                    onednn::OneDnn::description(),
                "--precision float32");
  }

  unsigned num_threads_;
  onednn::OneDnn library_;
  HostInputs inputs_;
  ReportQueue reports_;
};

}  // namespace

std::unique_ptr<Backend> make_onednn_backend(const BackendSettings& settings) {
  if (settings.num_threads > kMaxThreads) {
    throw Error(ErrorCode::kInvalidArgument, "backend: num_threads: expected 0 to " +
                                                 std::to_string(kMaxThreads) + ", found " +
                                                 std::to_string(settings.num_threads));
  }
  return std::make_unique<OnednnBackend>(settings.num_threads == 0 ? num_usable_cores()
                                                                   : settings.num_threads);
}

}  // namespace penstock::train
