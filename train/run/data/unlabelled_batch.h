// A batch that nobody's loader made: pictures without labels, put in place one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/host_memory.h"

namespace penstock::train {

/// Memory for one batch; it goes with its last owner, leases among them. Labels are none, weights 0: steps
/// count none of its samples.
class UnlabelledBatch final : public LeaseOwner {
 public:
  explicit UnlabelledBatch(const BatchSpec& spec);

  static std::uint64_t bytes_for(const BatchSpec& spec) {
    return spec.pixels_bytes() + std::uint64_t{spec.batch} * spec.num_targets * sizeof(float);
  }

  const BatchSpec& spec() const noexcept { return spec_; }
  /// spec().sample_bytes() bytes.
  std::byte* place(std::size_t idx) const noexcept {
    return pixels_.data() + idx * spec_.sample_bytes();
  }
  void give_back(std::uint32_t) noexcept override {}

 private:
  friend BatchLease lease_of(std::shared_ptr<UnlabelledBatch> batch, std::uint32_t num_valid);

  BatchSpec spec_;
  HostBuffer pixels_;
  std::vector<std::uint32_t> class_idx_;
  std::vector<float> targets_;
  std::vector<float> weights_;
  std::vector<std::uint64_t> ids_;
};

/// Lends the first `num_valid` places; the others are padding, whatever is in them.
BatchLease lease_of(std::shared_ptr<UnlabelledBatch> batch, std::uint32_t num_valid);

}  // namespace penstock::train
