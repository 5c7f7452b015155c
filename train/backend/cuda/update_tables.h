// The lists that the update's kernels go through, made once when the buffers have places and kept on the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/backend/buffer_list.h"
#include "train/backend/cuda/device_lowering.h"
#include "train/backend/cuda/device_transfer.h"
#include "train/backend/grad_reducer.h"
#include "train/backend/program.h"

namespace penstock::train::cuda {

class UpdateTables {
 public:
  /// Asks for the buffers. `own_name` makes names that no other program has.
  void add_buffers(DeviceLowering& context);
  /// Once the buffers have places: fills the lists.
  void bind(const BufferList& list, const std::vector<ParamSlot>& slots, const Lowering& lowering,
            DeviceTransfer& transfer);

  OptimizerUpdate update(const BufferList& list, const Lowering& lowering) const;
  AddGradients gradient_sums(const BufferList& list, bool adds) const;
  StatisticsCopy statistics(const BufferList& list, bool puts_back) const;
  RefreshCopies refresh(const BufferList& list, bool reads_ema) const;

  /// Of all parameters that learn, as the update reads them.
  std::span<const GradientBlock> gradients() const noexcept { return gradients_; }
  bool has_statistics() const noexcept { return num_statistics_ > 0; }
  bool has_copies() const noexcept { return num_copy_pieces_ > 0; }
  /// Counts of steps by parameter, on the device.
  std::uint64_t* num_steps(const BufferList& list) const {
    return list.at<std::uint64_t>(num_steps_);
  }

 private:
  struct Entry {
    std::size_t param_idx = 0;
    std::size_t num_stored = 0;
    DeviceParam param{};
  };
  static std::vector<TensorPiece> cut(const std::vector<std::size_t>& sizes);

  std::vector<Entry> learning_;
  std::vector<Entry> with_statistics_;
  std::vector<Entry> with_copies_;
  std::vector<GradientBlock> gradients_;
  std::size_t num_params_ = 0;
  std::uint32_t num_pieces_ = 0;
  std::uint32_t num_statistics_ = 0;
  std::uint32_t num_copy_pieces_ = 0;
  ValueType copy_type_ = ValueType::kFloat32;
  bool is_float16_ = false;
  BufferId num_steps_ = kNoBuffer;
  BufferId tensors_ = kNoBuffer;
  BufferId pieces_ = kNoBuffer;
  BufferId sums_ = kNoBuffer;
  BufferId statistics_ = kNoBuffer;
  BufferId copies_ = kNoBuffer;
  BufferId copy_pieces_ = kNoBuffer;
  BufferId piece_sums_ = kNoBuffer;
  BufferId tensor_scalars_ = kNoBuffer;
  BufferId directions_ = kNoBuffer;
  DeviceLowering::Blocks blocks_;
};

}  // namespace penstock::train::cuda
