// Input slots of backends that compute on the host: batches are read in place, from their leases.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/backend/program.h"

namespace penstock::train {

class HostInputs {
 public:
  /// `spec` says what pixels must look like, `lowering` how labels come; a batch may be larger, never
  /// smaller.
  HostInputs(BatchSpec spec, std::uint32_t num_classes, const Lowering& lowering);

  /// Throws InvalidArgument for a batch of another shape or form of labels, a label that is no class
  /// or a target that is no number from 0 on.
  void upload(BatchLease lease, std::uint32_t slot);
  void set_scalars(const StepScalars& scalars, std::uint32_t slot);

  /// Throws InvalidArgument for a slot that holds no batch.
  const BatchView& view(std::uint32_t slot) const;
  const StepScalars& scalars(std::uint32_t slot) const { return slots_.at(slot).scalars; }
  void release(std::uint32_t slot);

 private:
  struct Slot {
    BatchLease lease;
    StepScalars scalars;
    bool is_filled = false;
  };
  void check_slot(std::uint32_t slot) const;
  void check_labels(const BatchView& view) const;

  BatchSpec spec_;
  std::uint32_t num_classes_;
  std::vector<Slot> slots_;
};

}  // namespace penstock::train
