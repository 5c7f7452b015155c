// What a layer sees while its graph is lowered for a device, beside the flow of values: the kernels, the products'
// library, parameters, and a place to put its work.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/cuda/device_params.h"
#include "train/backend/cuda/kernel_table.h"
#include "train/backend/cuda/product_plans.h"
#include "train/backend/layer_cut.h"
#include "train/backend/param_buffers.h"
#include "train/backend/value_flow.h"

namespace penstock::train::cuda {

class ProductLibrary;

/// Enqueues work. Reads the buffers' places when it is called, which is once for a captured graph.
using DeviceTask = std::function<DeviceStatus(Stream)>;

struct DeviceLayerTask {
  DeviceTask run;
  NodeId node;
  LayerPass pass;
  bool is_product = false;  // of a library: what a step without anything else would come to
};

/// Gradients of parameters as a program leaves them, for the tables of the update.
struct DeviceParam {
  ParamBuffers buffers;
  BufferId copy = kNoBuffer;  // as products read it, where that is not float32
  ValueType gradient_type = ValueType::kFloat32;
};

/// What a buffer holds before the first run.
struct DeviceConstant {
  BufferId buffer;
  std::vector<float> values;
};

struct DeviceTasks {
  std::vector<DeviceConstant> constants;
  std::vector<DeviceLayerTask> forward;
  std::vector<DeviceLayerTask> backward;
  std::vector<DeviceLayerTask> update;
};

/// The type that values are kept in.
ValueType value_type_of(ComputeType compute);

class DeviceLowering final : public ValueFlow {
 public:
  struct Parts {
    const KernelTable& kernels;
    ProductLibrary& products;
    DeviceParamStore& store;
    BufferList& buffers;
    DeviceTasks& tasks;
    PlanLimits plan_limits{};
    bool takes_extras = true;
  };
  DeviceLowering(const ModelGraph& model, const Lowering& how, const Parts& parts);

  const KernelTable& kernels;
  ProductLibrary& products;
  const PlanLimits plan_limits;
  /// Whether libraries are asked for more than a convolution at once.
  const bool takes_extras;
  DeviceParamStore& store;
  const ValueType type;
  const std::uint32_t input_channels;  // as stored

  /// Fixed places of the program: a step's numbers, the labels of its batch, its reports.
  struct Blocks {
    BufferId step = kNoBuffer;
    BufferId scaler = kNoBuffer;
    BufferId run_report = kNoBuffer;
    BufferId update_report = kNoBuffer;
    BufferId class_idx = kNoBuffer;
    BufferId weights = kNoBuffer;
    BufferId targets = kNoBuffer;  // or none
    BufferId input = kNoBuffer;    // the values of the pixels
  };
  const Blocks& blocks() const noexcept { return blocks_; }

  /// Rows of the values of a node: all places of all samples.
  ValueRows rows_of(NodeId id) const;
  bool has_batch_statistics(NodeId id) const { return is_training() && !has_fixed_norm(id); }
  BufferId add_floats(const std::string& name, std::size_t count, Role role = Role::kTransient) {
    return buffers.add(name + suffix(), role, count * sizeof(float));
  }
  /// Factors of channels and the like: kept for the backward pass.
  BufferId add_kept_floats(const std::string& name, std::size_t count) {
    return add_floats(name, count, is_training() ? Role::kSaved : Role::kTransient);
  }

  BufferId add_workspace(const std::string& name, std::size_t bytes) {
    return buffers.add(name + suffix() + ".workspace", Role::kWorkspace, bytes,
                       kWorkspaceAlignment);
  }
  /// Adds a buffer that stays and belongs to this program alone.
  BufferId add_own(const std::string& name, std::size_t bytes) {
    return buffers.add(own_name(name), Role::kState, bytes);
  }
  /// Adds a buffer that holds `values` from bind() on; none for an empty list.
  BufferId add_constant(const std::string& name, std::span<const float> values);

  /// The sums of a node's values and of their squares, by channel, [2, channels]: none unless what computes the values
  /// gives them, too.
  BufferId channel_sums(NodeId id) const {
    const auto sums = channel_sums_.find(id);
    return sums == channel_sums_.end() ? kNoBuffer : sums->second;
  }
  void set_channel_sums(NodeId id, BufferId sums) { channel_sums_[id] = sums; }

  /// Adds work to the current phase; `uses` are all the buffers that it reads or writes.
  void emit(std::span<const BufferId> uses, DeviceTask task);
  void emit(std::initializer_list<BufferId> uses, DeviceTask task) {
    emit(std::span(uses.begin(), uses.size()), std::move(task));
  }
  /// The same for a product, which belongs to a layer of weights; its pass tells the two gradients apart.
  void emit_product(std::initializer_list<BufferId> uses, std::pair<NodeId, LayerPass> of,
                    DeviceTask task);

  /// Adds the buffers of a parameter. `gradient_type` is what its gradient is left in; a product's weight has a copy
  /// in the type of the values.
  DeviceParam add_param(std::size_t param_idx, ValueType gradient_type = ValueType::kFloat32,
                        bool is_product_weight = false);
  /// What products read of a weight.
  static BufferId product_weight(const DeviceParam& param) {
    return param.copy == kNoBuffer ? param.buffers.master : param.copy;
  }
  const std::vector<std::pair<std::size_t, DeviceParam>>& params() const { return params_; }

 private:
  void add_blocks();
  /// Of a buffer that belongs to this program alone and stays.
  std::string own_name(const std::string& name) const {
    return "program" + std::to_string(store.num_programs) + ":" + name;
  }
  void emit_sum(BufferId a, BufferId b, BufferId sum, std::size_t count) override;

  DeviceTasks& tasks_;
  Blocks blocks_;
  std::map<NodeId, BufferId> channel_sums_;
  std::vector<std::pair<std::size_t, DeviceParam>> params_;
};

using DeviceLayer = BasicLayer<DeviceLowering>;
using LoweredDeviceLayer = BasicLoweredLayer<DeviceLowering>;

}  // namespace penstock::train::cuda
