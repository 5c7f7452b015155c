// The work of one phase: the first time call by call, the second time kept as a graph, from then on launched as
// one. The first time libraries load what they need, and memory may run out, neither of which a capture survives.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "train/backend/cuda/device_handles.h"

namespace penstock::train::cuda {

class PhaseGraph {
 public:
  /// `enqueue` puts the same work into the stream each time. With `captures` false it is called each time: the slow
  /// twin.
  void run(DeviceApi& api, Stream stream, bool captures, const std::function<void()>& enqueue) {
    if (!graph_ && (!captures || !failure_.empty() || !std::exchange(has_run_, true))) {
      return enqueue();
    }
    if (!graph_ && !capture(api, stream, enqueue)) return enqueue();
    check_device(api.launch(graph_.get(), stream), "launch a captured step");
  }

  bool is_captured() const noexcept { return static_cast<bool>(graph_); }
  /// Why the calls are made each time, though they were to be captured; empty when they are not.
  const std::string& failure() const noexcept { return failure_; }

 private:
  /// False when it cannot be done: of a lost device the calls themselves tell.
  bool capture(DeviceApi& api, Stream stream, const std::function<void()>& enqueue) {
    try {
      check_device(api.begin_capture(stream), "capture a step");
      try {
        enqueue();
      } catch (...) {
        end_capture(api, stream);  // so that the stream can be used again
        throw;
      }
      Graph graph = nullptr;
      check_device(api.end_capture(stream, &graph), "capture a step");
      graph_ = UniqueGraph(api, graph);
    } catch (const Error& error) {
      failure_ = error.what();
    }
    return failure_.empty();
  }

  static void end_capture(DeviceApi& api, Stream stream) {
    Graph graph = nullptr;
    static_cast<void>(api.end_capture(stream, &graph));
    const UniqueGraph unused(api, graph);
  }

  UniqueGraph graph_;
  bool has_run_ = false;
  std::string failure_;
};

}  // namespace penstock::train::cuda
