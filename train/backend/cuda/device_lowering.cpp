#include "train/backend/cuda/device_lowering.h"

#include "train/backend/lowering_check.h"

namespace penstock::train::cuda {

ValueType value_type_of(ComputeType compute) {
  if (compute == ComputeType::kFloat16) return ValueType::kFloat16;
  return compute == ComputeType::kBfloat16 ? ValueType::kBfloat16 : ValueType::kFloat32;
}

DeviceLowering::DeviceLowering(const ModelGraph& model, const Lowering& how, const Parts& parts)
    : ValueFlow(model, how, parts.buffers),
      kernels(parts.kernels),
      products(parts.products),
      plan_limits(parts.plan_limits),
      takes_extras(parts.takes_extras && how.fuse && how.mode == Mode::kTrain),
      store(parts.store),
      type(value_type_of(how.compute)),
      input_channels(stored_input_channels(model)),
      tasks_(parts.tasks) {
  add_blocks();
}

void DeviceLowering::add_blocks() {
  blocks_.step = buffers.add("step:block", Role::kState, sizeof(StepBlock));
  blocks_.run_report = buffers.add("step:run_report", Role::kState, sizeof(RunReportBlock));
  if (is_training()) {
    blocks_.scaler = buffers.add("step:scaler", Role::kState, sizeof(ScalerBlock));
    blocks_.update_report =
        buffers.add("step:update_report", Role::kState, sizeof(UpdateReportBlock));
  }
  blocks_.class_idx =
      buffers.add("input.class_idx", Role::kTransient, batch() * sizeof(std::uint32_t));
  blocks_.weights = buffers.add("input.weights", Role::kTransient, batch() * sizeof(float));
  if (lowering.label_form == LabelForm::kTargets) {
    blocks_.targets = add_floats("input.targets", batch() * graph.num_classes());
  }
  const TensorShape& shape = graph.input_shape();
  blocks_.input =
      add_value("input.values", batch() * shape.area() * input_channels * cuda::value_bytes(type));
  for (const BufferId block :
       {blocks_.class_idx, blocks_.weights, blocks_.targets, blocks_.input}) {
    use(block);  // filled before the first task
  }
  set_value(graph.input(), blocks_.input);
}

ValueRows DeviceLowering::rows_of(NodeId id) const {
  const TensorShape& shape = graph.node(id).shape;
  return {.type = type, .num_rows = batch() * shape.area(), .channels = shape.channels};
}

BufferId DeviceLowering::add_constant(const std::string& name, std::span<const float> values) {
  if (values.empty()) return kNoBuffer;
  const BufferId buffer = add_own(name, values.size_bytes());
  tasks_.constants.push_back({buffer, {values.begin(), values.end()}});
  return buffer;
}

void DeviceLowering::emit(std::span<const BufferId> uses, DeviceTask task) {
  use_all(uses);
  end_task();
  auto& list = phase() == Phase::kForward    ? tasks_.forward
               : phase() == Phase::kBackward ? tasks_.backward
                                             : tasks_.update;
  list.push_back({std::move(task), node_now(), pass_now()});
}

void DeviceLowering::emit_product(std::initializer_list<BufferId> uses,
                                  std::pair<NodeId, LayerPass> of, DeviceTask task) {
  emit(uses, std::move(task));
  auto& list = phase() == Phase::kForward ? tasks_.forward : tasks_.backward;
  list.back().node = of.first;
  list.back().pass = of.second;
  list.back().is_product = true;
}

void DeviceLowering::emit_sum(BufferId a, BufferId b, BufferId sum, std::size_t count) {
  emit({a, b, sum}, [=, this_type = type, &list = buffers, &kernel = kernels](Stream stream) {
    return kernel.add_values({.type = this_type,
                              .count = count,
                              .a = list.at<void>(a),
                              .b = list.at<void>(b),
                              .sum = list.at<void>(sum)},
                             stream);
  });
}

DeviceParam DeviceLowering::add_param(std::size_t param_idx, ValueType gradient_type,
                                      bool is_product_weight) {
  const Parameter& parameter = graph.parameters()[param_idx];
  const std::size_t count = store.shapes[param_idx].num_stored();
  const bool reads_ema = takes_ema(graph, param_idx, lowering);
  DeviceParam param{.buffers = add_param_buffers(buffers,
                                                 {.parameter = parameter,
                                                  .bytes = count * sizeof(float),
                                                  .learns = flow.learns[param_idx],
                                                  .reads_ema = reads_ema},
                                                 lowering),
                    .gradient_type = gradient_type};
  if (is_product_weight && type != ValueType::kFloat32) {
    param.copy = buffers.add(part_name(parameter.name, reads_ema ? "ema.copy" : "copy"),
                             Role::kDerived, count * cuda::value_bytes(type));
  }
  if (flow.learns[param_idx]) {
    param.buffers.grad = buffers.add(part_name(parameter.name, "grad"), Role::kGrad,
                                     count * cuda::value_bytes(gradient_type));
    if (lowering.accumulates) {
      param.buffers.grad_sum =
          buffers.add(part_name(parameter.name, "grad.sum"), Role::kGradSum, count * sizeof(float));
    }
  }
  params_.emplace_back(param_idx, param);
  return param;
}

}  // namespace penstock::train::cuda
