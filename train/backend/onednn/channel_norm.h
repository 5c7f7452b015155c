// The per-channel side of batch norm: statistics and the constants that follow from them. The passes over
// the values are the layers' own.
#pragma once

#include <cstddef>
#include <string>

#include "train/backend/onednn/lowering_context.h"
#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/parallel.h"

namespace penstock::train::onednn {

/// Everything the tasks need, by value: tasks outlive the layer.
struct ChannelNorm {
  const BufferList* list = nullptr;
  unsigned num_threads = 1;
  BatchNormOp op{};
  std::size_t channels = 0;
  std::size_t num_rows = 0;  // places, over the batch
  bool has_batch_statistics = true;

  ParamBuffers scale, shift, running_mean, running_var;
  BufferId mean = kNoBuffer;  // in training, as inv_std
  BufferId inv_std = kNoBuffer;
  BufferId gain = kNoBuffer;
  BufferId offset = kNoBuffer;
  BufferId slope = kNoBuffer;  // going back, as level
  BufferId level = kNoBuffer;
  BufferId sums = kNoBuffer;  // double [threads][2][channels]

  /// Asks for what the forward pass needs of node `id`.
  void lower_forward(LoweringContext& context, NodeId id);
  /// Asks for what the backward pass needs besides.
  void lower_backward(LoweringContext& context, NodeId id);

  float* at(BufferId buffer) const { return list->at<float>(buffer); }
  ChannelAffine affine() const { return {at(gain), at(offset)}; }
  ChannelBackward backward() const { return {affine(), at(slope), at(level)}; }
  Rows rows_of(Range range) const { return {range.size(), channels}; }

  /// Sets gain and offset, by the batch's statistics, which move the running ones, or by the running ones.
  template <class T>
  void take_statistics(const T* values) const;
  /// From the sums of g and of g * (x - mean) in part 0: gradients of scale and shift, slope and level.
  void take_gradient_sums() const;

  double* part_sums(unsigned part) const {
    return list->at<double>(sums) + std::size_t{part} * 2 * channels;
  }
  /// Clears each part's sums, lets `add` fill them in parallel, and adds them into part 0's.
  template <class Add>
  void sum_in_parts(std::size_t count, const Add& add) const {
    parallel(num_threads, [&](unsigned part) {
      double* mine = part_sums(part);
      std::fill_n(mine, 2 * channels, 0.0);
      add(part_range(count, num_threads, part), mine, mine + channels);
    });
    double* total = part_sums(0);
    for (unsigned part = 1; part < num_threads; ++part) {
      for (std::size_t i = 0; i < 2 * channels; ++i) total[i] += part_sums(part)[i];
    }
  }

 private:
  void set_affine(std::size_t c, double center, double factor) const;
  template <class T>
  void take_batch_statistics(const T* values) const;
  void take_running_statistics() const;
};

}  // namespace penstock::train::onednn
