// The only file that includes cudnn_frontend.h, which takes half a minute to compile.
#include "train/backend/cuda/module/convolution_plans.h"

#define CUDNN_FRONTEND_SKIP_JSON_LIB
#include <cudnn_frontend.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/cuda/module/cuda_status.h"
#include "train/backend/cuda/module/device_properties.h"

namespace penstock::train::cuda {
namespace {

namespace fe = cudnn_frontend;
using Dims = std::vector<std::int64_t>;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

// How operands are known to cuDNN.
enum Uid : std::int64_t { kX = 1, kW, kDy, kBias, kResult, kScale, kShift, kSum, kSquareSum };

// The frontend keeps cuDNN's status as a name at the end of its words. What is of the device goes through as it is;
// everything else means that cuDNN does not have what was asked for.
cudnnStatus_t status_in(const std::string& words) {
  for (const cudnnStatus_t code :
       {CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED,
        CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, CUDNN_STATUS_EXECUTION_FAILED,
        CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, CUDNN_STATUS_EXECUTION_FAILED_CUBLAS,
        CUDNN_STATUS_EXECUTION_FAILED_CUDART, CUDNN_STATUS_EXECUTION_FAILED_CURAND}) {
    if (words.ends_with(cudnnGetErrorString(code))) return code;
  }
  return CUDNN_STATUS_NOT_SUPPORTED;
}

// By value: get_message() is not const.
void check(fe::error_t error, const char* call) {
  if (error.is_good()) return;
  const std::string words = error.get_message();
  throw DeviceFault(refusal(status_in(words), call, words));
}

fe::DataType_t data_type(ValueType type) {
  switch (type) {
    case ValueType::kFloat16:
      return fe::DataType_t::HALF;
    case ValueType::kBfloat16:
      return fe::DataType_t::BFLOAT16;
    case ValueType::kFloat32:
      break;
  }
  return fe::DataType_t::FLOAT;
}

// Dimensions in cuDNN's order: batch, channels, rows, columns.
struct Layout {
  Dims dims;
  Dims strides;
};

// Channels beside each other, as in NHWC and KRSC.
Layout channels_last(std::int64_t n, std::int64_t c, std::int64_t rows, std::int64_t cols) {
  return {{n, c, rows, cols}, {rows * cols * c, 1, cols * c, c}};
}

Layout layout_of_x(const ConvolutionProblem& p) {
  return channels_last(p.batch, p.in_channels, p.height, p.width);
}
Layout layout_of_w(const ConvolutionProblem& p) {
  return channels_last(p.filters, p.in_channels / p.groups, p.window.kernel.rows,
                       p.window.kernel.cols);
}
Layout layout_of_y(const ConvolutionProblem& p) {
  const Extent out = p.output();
  return channels_last(p.batch, p.filters, out.rows, out.cols);
}

// The frontend keeps plans in a list of the graph; a graph that lends them outlives none of them.
class ConvolutionGraph : public fe::graph::Graph {
 public:
  explicit ConvolutionGraph(const ConvolutionProblem& problem) : problem_(problem) {
    set_io_data_type(data_type(problem.type));
    set_intermediate_data_type(fe::DataType_t::FLOAT);
    set_compute_data_type(fe::DataType_t::FLOAT);
    switch (problem.pass) {
      case ProductPass::kForward:
        add_forward();
        break;
      case ProductPass::kDataGradient:
        set_result(conv_dgrad(operand("dy", kDy, layout_of_y(problem)),
                              operand("w", kW, layout_of_w(problem)),
                              with_window(fe::graph::Conv_dgrad_attributes())),
                   layout_of_x(problem));
        break;
      case ProductPass::kWeightGradient:
        set_result(conv_wgrad(operand("dy", kDy, layout_of_y(problem)), input(),
                              with_window(fe::graph::Conv_wgrad_attributes())),
                   layout_of_w(problem));
        break;
    }
  }

  const std::vector<std::int64_t>& uids() const noexcept { return uids_; }
  std::uint32_t filters() const noexcept { return problem_.filters; }

  std::int64_t num_configs() const { return get_execution_plan_count(); }
  bool is_supported(std::int64_t idx) { return plans.check_support_at_index(idx).is_good(); }
  bool is_deterministic(std::int64_t idx) const {
    const auto& notes = plans.numeric_notes[static_cast<std::size_t>(idx)];
    return std::ranges::find(notes, fe::NumericalNote_t::NONDETERMINISTIC) == notes.end();
  }
  bool is_compiled(std::int64_t idx) const noexcept {
    const auto& notes = plans.behavior_notes[static_cast<std::size_t>(idx)];
    return std::ranges::find(notes, fe::BehaviorNote_t::RUNTIME_COMPILATION) != notes.end();
  }
  std::shared_ptr<fe::ExecutionPlan> build(std::int64_t idx) {
    check(build_plan_at_index(idx), "cudnnBackendFinalize(execution plan)");
    return std::exchange(plans.execution_plans.at(static_cast<std::size_t>(idx)), nullptr);
  }

 private:
  Tensor operand(const char* name, Uid uid, const Layout& layout) {
    uids_.push_back(uid);
    return tensor(fe::graph::Tensor_attributes()
                      .set_name(name)
                      .set_uid(uid)
                      .set_dim(layout.dims)
                      .set_stride(layout.strides)
                      .set_data_type(data_type(problem_.type)));
  }

  template <class Attributes>
  Attributes with_window(Attributes attributes) const {
    const Window& w = problem_.window;
    attributes.set_pre_padding({w.pad_top, w.pad_left})
        .set_post_padding({w.pad_bottom, w.pad_right})
        .set_stride({w.stride.rows, w.stride.cols})
        .set_dilation({w.dilation.rows, w.dilation.cols});
    return attributes;
  }

  void add_forward() {
    const Layout layout = layout_of_y(problem_);
    const Tensor x = input();
    const Tensor w = operand("w", kW, layout_of_w(problem_));
    Tensor y = conv_fprop(x, w, with_window(fe::graph::Conv_fprop_attributes()));
    if (problem_.has_bias) {
      y->set_dim(layout.dims).set_stride(layout.strides);
      const Tensor bias = operand("bias", kBias, channels_last(1, problem_.filters, 1, 1));
      y = pointwise(y, bias, fe::graph::Pointwise_attributes().set_mode(fe::PointwiseMode_t::ADD));
    }
    set_result(y, layout);
    if (problem_.has_statistics) add_statistics(y);
  }

  // x, or what batch norm and ReLU make of it, which is never written.
  Tensor input() {
    const Tensor x = operand("x", kX, layout_of_x(problem_));
    if (!problem_.has_norm_relu) return x;
    const Layout by_channel = channels_last(1, problem_.in_channels, 1, 1);
    const auto point = [](fe::PointwiseMode_t mode) {
      return fe::graph::Pointwise_attributes().set_mode(mode);
    };
    const Tensor scaled =
        pointwise(x, operand("scale", kScale, by_channel), point(fe::PointwiseMode_t::MUL));
    const Tensor shifted =
        pointwise(scaled, operand("shift", kShift, by_channel), point(fe::PointwiseMode_t::ADD));
    return pointwise(shifted, point(fe::PointwiseMode_t::RELU_FWD));
  }

  void add_statistics(const Tensor& y) {
    const auto [sum, square_sum] = genstats(y, fe::graph::Genstats_attributes());
    const Layout by_channel = channels_last(1, problem_.filters, 1, 1);
    for (const auto& [tensor, uid] : {std::pair{sum, kSum}, std::pair{square_sum, kSquareSum}}) {
      uids_.push_back(uid);
      tensor->set_output(true).set_uid(uid).set_dim(by_channel.dims).set_stride(by_channel.strides);
      tensor->set_data_type(fe::DataType_t::FLOAT);
    }
  }

  void set_result(const Tensor& result, const Layout& layout) {
    uids_.push_back(kResult);
    result->set_output(true).set_uid(kResult).set_dim(layout.dims).set_stride(layout.strides);
    result->set_data_type(problem_.has_float32_result ? fe::DataType_t::FLOAT
                                                      : data_type(problem_.type));
  }

  ConvolutionProblem problem_;
  std::vector<std::int64_t> uids_;
};

// Destroys a descriptor that cudnnBackendCreateDescriptor made.
using BackendDescriptor = UniqueHandle<cudnnBackendDescriptor_t, cudnnBackendDestroyDescriptor>;

class GraphPlan final : public ProductPlan {
 public:
  GraphPlan(ProductLibraries& libraries, std::shared_ptr<fe::ExecutionPlan> plan,
            std::vector<std::int64_t> uids, std::uint32_t filters)
      : libraries_(libraries), plan_(std::move(plan)), uids_(std::move(uids)), filters_(filters) {
    workspace_bytes = static_cast<std::size_t>(plan_->getWorkspaceSize());
  }

  DeviceStatus run(const ProductOperands& operands, void* workspace,
                   Stream stream) noexcept override {
    if (libraries_.cudnn == nullptr) {
      return refusal(CUDNN_STATUS_NOT_SUPPORTED, "run_plan", "the device of this plan is not here");
    }
    if (pack_ == nullptr || !(operands == packed_) || workspace != packed_workspace_) {
      if (const DeviceStatus status = pack(operands, workspace); !status.is_ok()) return status;
    }
    if (const DeviceStatus status = libraries_.use_stream(stream); !status.is_ok()) return status;
    return status_of(
        cudnnBackendExecute(libraries_.cudnn.get(), plan_->get_raw_desc(), pack_.get()),
        "cudnnBackendExecute");
  }

 private:
  // A pack is final once it is made; programs run with the same pointers every time.
  DeviceStatus pack(const ProductOperands& operands, void* workspace) noexcept {
    return no_throw("cudnnBackendFinalize(variant pack)", [&] {
      std::vector<void*> pointers;
      for (const std::int64_t uid : uids_) pointers.push_back(pointer_to(operands, uid));
      cudnnBackendDescriptor_t made = nullptr;
      cuda::check(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &made),
                  "cudnnBackendCreateDescriptor(variant pack)");
      BackendDescriptor pack(made);
      set(made, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers.size(),
          pointers.data());
      set(made, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, uids_.size(), uids_.data());
      set(made, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
      cuda::check(cudnnBackendFinalize(made), "cudnnBackendFinalize(variant pack)");
      pack_ = std::move(pack);
      packed_ = operands;
      packed_workspace_ = workspace;
    });
  }

  static void set(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                  cudnnBackendAttributeType_t type, std::size_t count, const void* values) {
    cuda::check(
        cudnnBackendSetAttribute(descriptor, name, type, static_cast<std::int64_t>(count), values),
        "cudnnBackendSetAttribute(variant pack)");
  }

  void* pointer_to(const ProductOperands& operands, std::int64_t uid) const {
    switch (uid) {
      case kX:
        return const_cast<void*>(operands.x);
      case kW:
        return const_cast<void*>(operands.w);
      case kDy:
        return const_cast<void*>(operands.dy);
      case kBias:
        return const_cast<void*>(operands.bias);
      case kScale:
        return const_cast<void*>(operands.scale);
      case kShift:
        return const_cast<void*>(operands.shift);
      case kSum:
        return operands.sums;
      case kSquareSum:
        return operands.sums + filters_;
      default:
        return operands.result;
    }
  }

  ProductLibraries& libraries_;
  std::shared_ptr<fe::ExecutionPlan> plan_;  // the frontend's kind of pointer; nobody else has it
  std::vector<std::int64_t> uids_;
  std::uint32_t filters_;
  BackendDescriptor pack_;
  ProductOperands packed_{};
  void* packed_workspace_ = nullptr;
};

class GraphCandidates final : public ProductCandidates {
 public:
  GraphCandidates(ProductLibraries& libraries, const ConvolutionProblem& problem,
                  const PlanLimits& limits)
      : libraries_(libraries), graph_(problem) {
    if (libraries.described) graph_.set_device_properties(properties_of(*libraries.described));
    const cudnnHandle_t handle = libraries.cudnn.get();
    check(graph_.validate(), "cudnn_frontend validate");
    check(graph_.build_operation_graph(handle), "cudnn_frontend build_operation_graph");
    check(graph_.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}),
          "cudnn_frontend create_execution_plans");
    graph_.deselect_workspace_greater_than(static_cast<std::int64_t>(limits.workspace_bytes));
    graph_.deselect_numeric_notes(unwanted_notes(problem, limits));
    for (std::int64_t idx = 0; idx < graph_.num_configs(); ++idx) {
      if (graph_.is_supported(idx)) configs_.push_back(idx);
    }
    if (configs_.empty()) {
      throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "cudnn_frontend check_support",
                                problem.key() + ": none of " +
                                    std::to_string(graph_.num_configs()) +
                                    " engine configurations keeps to the limits"));
    }
  }

  std::uint32_t count() const override { return static_cast<std::uint32_t>(configs_.size()); }

  bool is_compiled_for(std::uint32_t candidate_idx) const noexcept override {
    return graph_.is_compiled(configs_[candidate_idx]);
  }

  std::unique_ptr<ProductPlan> make(std::uint32_t candidate_idx) override {
    const std::int64_t config = configs_.at(candidate_idx);
    auto plan = std::make_unique<GraphPlan>(libraries_, graph_.build(config), graph_.uids(),
                                            graph_.filters());
    plan->name = name_of(config);
    plan->stored = stored_head(libraries_) + plan->name;
    plan->is_deterministic = graph_.is_deterministic(config);
    return plan;
  }

  // Engine and knobs say all about a plan, and the same question has the same candidates.
  std::unique_ptr<ProductPlan> restore(const std::string& stored) override {
    for (std::uint32_t idx = 0; idx < count(); ++idx) {
      if (stored_head(libraries_) + name_of(configs_[idx]) == stored) return make(idx);
    }
    throw DeviceFault(refusal(CUDNN_STATUS_NOT_SUPPORTED, "restore_plan",
                              "stored plan: expected one of this cuDNN and device (" +
                                  stored_head(libraries_) + "...), found: " + stored));
  }

 private:
  static std::vector<fe::NumericalNote_t> unwanted_notes(const ConvolutionProblem& problem,
                                                         const PlanLimits& limits) {
    std::vector<fe::NumericalNote_t> notes = {fe::NumericalNote_t::DOWN_CONVERT_INPUTS,
                                              fe::NumericalNote_t::REDUCED_PRECISION_REDUCTION};
    if (limits.is_deterministic) notes.push_back(fe::NumericalNote_t::NONDETERMINISTIC);
    // Tensor cores take float32 as TF32.
    if (problem.type == ValueType::kFloat32 && !problem.may_use_tf32) {
      notes.push_back(fe::NumericalNote_t::TENSOR_CORE);
    }
    return notes;
  }

  static std::shared_ptr<const fe::DeviceProperties> properties_of(const DeviceFacts& device) {
    const std::string json = device_properties_json(device);
    auto properties = std::make_shared<fe::DeviceProperties>();
    check(properties->deserialize({json.begin(), json.end()}), "cudnn_frontend deserialize");
    return properties;
  }

  std::string name_of(std::int64_t config) const {
    std::string name;
    check(graph_.get_plan_name_at_index(config, name), "cudnn_frontend get_plan_name_at_index");
    return name;
  }

  ProductLibraries& libraries_;
  ConvolutionGraph graph_;
  std::vector<std::int64_t> configs_;
};

}  // namespace

std::unique_ptr<ProductCandidates> graph_candidates(ProductLibraries& libraries,
                                                    const ConvolutionProblem& problem,
                                                    const PlanLimits& limits) {
  return std::make_unique<GraphCandidates>(libraries, problem, limits);
}

}  // namespace penstock::train::cuda
