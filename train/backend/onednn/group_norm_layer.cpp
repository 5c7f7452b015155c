// Group norm, sample by sample, in the kernels of batch norm: the mean and deviation of a group make constants of
// each of its channels.
#include <algorithm>
#include <cmath>
#include <variant>

#include "train/backend/onednn/nhwc_kernels.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/onednn/sample_norm_layer.h"

namespace penstock::train::onednn {

/// What one thread needs for a sample, and the gradients that it adds up over its samples; channels each.
struct GroupNormScratch {
  double* dscale;
  double* dshift;
  double* sum;
  double* squares;
  float* gain;
  float* offset;
  float* mean;
  float* inv_std;
  float* slope;
  float* level;

  static constexpr std::size_t kBytesPerChannel = 4 * sizeof(double) + 6 * sizeof(float);

  GroupNormScratch(std::byte* base, std::size_t channels) {
    auto* doubles = reinterpret_cast<double*>(base);
    for (double** place : {&dscale, &dshift, &sum, &squares}) {
      *place = doubles;
      doubles += channels;
    }
    auto* floats = reinterpret_cast<float*>(doubles);
    for (float** place : {&gain, &offset, &mean, &inv_std, &slope, &level}) {
      *place = floats;
      floats += channels;
    }
  }
  ChannelAffine affine() const { return {gain, offset}; }
};

template <class T>
struct GroupNormPlan : SampleNormBuffers {
  GroupNormOp op{};
  std::size_t num_samples = 0;
  Rows sample;  // one

  void set_sizes(const LoweringContext& context, NodeId id) {
    const Node& node = context.graph.node(id);
    op = std::get<GroupNormOp>(node.op);
    num_samples = context.batch();
    sample = {node.shape.area(), node.shape.channels};
  }
  std::size_t forward_sum_bytes() const { return num_threads * scratch_bytes(); }
  std::size_t backward_sum_bytes() const { return num_threads * scratch_bytes(); }

  std::size_t sample_values() const { return sample.num_rows * sample.channels; }
  std::size_t scratch_bytes() const { return sample.channels * GroupNormScratch::kBytesPerChannel; }
  T* at(BufferId buffer) const { return list->at<T>(buffer); }

  void forward(const T* values) const {
    for_each_sample([&](const GroupNormScratch& mine, std::size_t first) {
      take_statistics(mine, values + first);
      affine_forward(sample, {}, mine.affine(), values + first, at(y) + first);
    });
  }

  void backward(const T* values) const {
    parallel(num_threads, [&](unsigned part) {
      std::fill_n(scratch_of(part).dscale, 2 * sample.channels, 0.0);  // and dshift, behind it
    });
    for_each_sample([&](const GroupNormScratch& mine, std::size_t first) {
      take_statistics(mine, values + first);
      std::fill_n(mine.sum, 2 * sample.channels, 0.0);
      add_backward_sums(sample, {}, mine.affine(), mine.mean, values + first, at(dy) + first,
                        mine.sum, mine.squares);
      take_gradient_sums(mine);
      if (dx == kNoBuffer) return;
      affine_backward(sample, {}, {mine.affine(), mine.slope, mine.level}, values + first,
                      at(dy) + first, at(dx) + first);
    });
    take_total(scale, sample.channels, [&](unsigned part) { return scratch_of(part).dscale; });
    take_total(shift, sample.channels, [&](unsigned part) { return scratch_of(part).dshift; });
  }

 private:
  std::size_t group_channels() const { return sample.channels / op.groups; }
  double group_values() const { return static_cast<double>(group_channels() * sample.num_rows); }

  GroupNormScratch scratch_of(unsigned part) const {
    return {list->at<std::byte>(sums) + part * scratch_bytes(), sample.channels};
  }

  template <class Body>
  void for_each_sample(const Body& body) const {
    parallel(num_threads, [&](unsigned part) {
      const GroupNormScratch mine = scratch_of(part);
      const Range samples = part_range(num_samples, num_threads, part);
      for (std::size_t n = samples.begin; n < samples.end; ++n) body(mine, n * sample_values());
    });
  }

  /// Sets mean, inv_std, gain and offset of each channel. A channel's sums are about its own first value.
  void take_statistics(const GroupNormScratch& mine, const T* values) const {
    std::fill_n(mine.sum, 2 * sample.channels, 0.0);  // and squares, behind it
    add_moments(sample, values, values, mine.sum, mine.squares);
    const auto num_rows = static_cast<double>(sample.num_rows);
    const auto origin = [&](std::size_t c) { return static_cast<double>(to_float(values[c])); };
    for (std::size_t begin = 0; begin < sample.channels; begin += group_channels()) {
      const std::size_t end = begin + group_channels();
      double mean = 0;
      for (std::size_t c = begin; c < end; ++c) mean += mine.sum[c] / num_rows + origin(c);
      mean /= static_cast<double>(group_channels());
      double squares = 0;
      for (std::size_t c = begin; c < end; ++c) {
        const double from_origin = mean - origin(c);
        squares += mine.squares[c] + from_origin * (num_rows * from_origin - 2 * mine.sum[c]);
      }
      // Rounding may leave a constant group a little below 0; what is not a number stays.
      const double variance = squares < 0 ? 0 : squares / group_values();
      const double factor = 1.0 / std::sqrt(variance + op.epsilon);
      for (std::size_t c = begin; c < end; ++c) set_affine(mine, c, mean, factor);
    }
  }

  void set_affine(const GroupNormScratch& mine, std::size_t c, double mean, double factor) const {
    const double gain = static_cast<double>(list->at<float>(scale.master)[c]) * factor;
    mine.mean[c] = static_cast<float>(mean);
    mine.inv_std[c] = static_cast<float>(factor);
    mine.gain[c] = static_cast<float>(gain);
    mine.offset[c] =
        static_cast<float>(static_cast<double>(list->at<float>(shift.master)[c]) - mean * gain);
  }

  /// From a sample's sums of dy and of dy * (x - mean): its part of the parameters' gradients, slope and level.
  void take_gradient_sums(const GroupNormScratch& mine) const {
    const double* sum_g = mine.sum;
    const double* sum_gx = mine.squares;
    for (std::size_t begin = 0; begin < sample.channels; begin += group_channels()) {
      double shifted = 0;
      double scaled = 0;
      for (std::size_t c = begin; c < begin + group_channels(); ++c) {
        const double factor = mine.inv_std[c];
        mine.dshift[c] += sum_g[c];
        mine.dscale[c] += sum_gx[c] * factor;
        shifted += static_cast<double>(mine.gain[c]) * sum_g[c];
        scaled += static_cast<double>(mine.gain[c]) * sum_gx[c] * factor;
      }
      for (std::size_t c = begin; c < begin + group_channels(); ++c) {
        const double slope = -static_cast<double>(mine.inv_std[c]) * scaled / group_values();
        mine.slope[c] = static_cast<float>(slope);
        mine.level[c] = static_cast<float>(-shifted / group_values() -
                                           slope * static_cast<double>(mine.mean[c]));
      }
    }
  }
};

template <class T>
using GroupNormLayer = SampleNormLayer<GroupNormPlan, T>;

std::unique_ptr<Layer> make_group_norm_layer(const TypedGraph& model, NodeId node) {
  return make_layer_of<GroupNormLayer>(model.compute, model.graph, node);
}

}  // namespace penstock::train::onednn
