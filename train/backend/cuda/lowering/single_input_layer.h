// What layers with one input share.
#pragma once

#include <string>

#include "train/backend/cuda/lowering/device_layers.h"

namespace penstock::train::cuda {

class SingleInputLayer : public DeviceLayer {
 public:
  SingleInputLayer(const ModelGraph& graph, NodeId id)
      : id_(id), from_(graph.node(id).inputs.front()), name_(graph.node(id).name) {}

 protected:
  /// Where dx goes when a value's dy is read before it is written: over dy, or over values that nobody needs.
  BufferId place_over_gradient(DeviceLowering& context) const {
    return context.can_overwrite_gradient(id_)
               ? context.gradient(id_)
               : context.place_for_gradient(from_, name_ + ".input");
  }

  NodeId id_;
  NodeId from_;
  std::string name_;
};

}  // namespace penstock::train::cuda
