// Where the time of a step goes: seconds by layer and pass, added up over any number of runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <map>
#include <utility>
#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train {

enum class LayerPass : std::uint8_t {
  kForward,
  kBackward,        // of a layer with weights: the gradient by its input
  kWeightGradient,  // of a convolution or a dense layer
  kWeightCopy,      // weights into the layout of some pass, after an update
  kUpdate,
};

/// Stand for what belongs to no node.
inline constexpr NodeId kLossNode = UINT32_MAX;
inline constexpr NodeId kAllNodes = UINT32_MAX - 1;

struct LayerTime {
  NodeId node = kAllNodes;  // of several that became one layer, the first
  LayerPass pass = LayerPass::kForward;
  double seconds = 0;
  double cpu_seconds = 0;  // of the process, all threads together: other programs lengthen it less
};

class StepClock {
 public:
  template <class Work>
  void time(NodeId node, LayerPass pass, const Work& work) {
    const double cpu_start = process_cpu_s();
    const auto start = std::chrono::steady_clock::now();
    work();
    LayerTime& time = times_[{node, pass}];
    time.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    time.cpu_seconds += process_cpu_s() - cpu_start;
  }

  /// By node, then pass.
  std::vector<LayerTime> times() const {
    std::vector<LayerTime> times;
    for (const auto& [key, time] : times_) {
      times.push_back({key.first, key.second, time.seconds, time.cpu_seconds});
    }
    return times;
  }

 private:
  static double process_cpu_s() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  std::map<std::pair<NodeId, LayerPass>, LayerTime> times_;
};

}  // namespace penstock::train
