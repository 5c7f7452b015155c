// Input slots of backends that compute on the host: batches are read in place, from their leases.
#pragma once

#include <array>
#include <cstdint>

#include "train/backend/backend.h"

namespace penstock::train {

/// The slots of one backend.
class HostInputs {
 public:
  /// Throws InvalidArgument for a slot there is none of, or an empty lease.
  void upload(BatchLease lease, std::uint32_t slot);
  void set_scalars(const StepScalars& scalars, std::uint32_t slot);
  void release(std::uint32_t slot);

  /// Throws InvalidArgument for a slot that holds no batch.
  const BatchView& view(std::uint32_t slot) const;
  const StepScalars& scalars(std::uint32_t slot) const;

 private:
  struct Slot {
    BatchLease lease;
    StepScalars scalars;
    bool is_filled = false;
  };

  std::array<Slot, kMaxInputSlots> slots_;
};

/// What one program takes of a slot's batch.
class ProgramInput {
 public:
  /// `spec` says what pixels must look like, `lowering` how many samples and which labels.
  ProgramInput(BatchSpec spec, std::uint32_t num_classes, const Lowering& lowering);

  /// The places from `first_sample` on, spec's own number of them. Throws as Program::run() does.
  BatchView part_of(const BatchView& batch, std::uint32_t first_sample) const;

 private:
  void check_spec(const BatchSpec& found, std::uint32_t first_sample) const;
  void check_labels(const BatchView& part) const;

  BatchSpec spec_;
  std::uint32_t num_classes_;
  bool takes_negative_targets_;  // regression
};

}  // namespace penstock::train
