// The families of named models, one file each. model_zoo.cpp holds their table.
#pragma once

#include <cstdint>

#include "train/graph/model_graph.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {

/// What every family is asked for.
struct ZooRequest {
  TensorShape input{};
  std::uint32_t num_classes = 0;
  ModelOptions options{};
};

ModelGraph lenet(const ZooRequest& request);
ModelGraph vgg11_bn(const ZooRequest& request);
ModelGraph resnet9(const ZooRequest& request);
ModelGraph resnet18(const ZooRequest& request);
ModelGraph resnet34(const ZooRequest& request);
ModelGraph resnet50(const ZooRequest& request);
ModelGraph mobilenet_v2(const ZooRequest& request);
ModelGraph mobilenet_v3_small(const ZooRequest& request);
ModelGraph efficientnet_b0(const ZooRequest& request);
ModelGraph densenet121(const ZooRequest& request);
ModelGraph convnext_tiny(const ZooRequest& request);

}  // namespace penstock::train
