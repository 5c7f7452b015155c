// A transform of which a test knows what it does, and which it can hold up.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "streamer/pipeline/resize_transform.h"

namespace penstock::tests {

/// Resizes whole pictures, each after a pause.
class SlowTransform final : public SampleTransform {
 public:
  explicit SlowTransform(std::chrono::microseconds pause) : pause_(pause) {}

  void accept(const BatchSpec& spec) const override { resize_.accept(spec); }
  SamplePlan plan(const SampleInfo& info, const BatchSpec& spec,
                  const Draws& draws) const noexcept override {
    return resize_.plan(info, spec, draws);
  }
  void apply(const DecodedView& decoded, const SamplePlan& plan, std::span<std::byte> scratch,
             const SampleSlot& slot) const noexcept override {
    ++num_begun_;
    std::this_thread::sleep_for(pause_);
    resize_.apply(decoded, plan, scratch, slot);
  }
  std::uint32_t finest_decode_scale(const SampleInfo& info,
                                    const BatchSpec& spec) const noexcept override {
    return resize_.finest_decode_scale(info, spec);
  }
  std::size_t worst_case_scratch_bytes(const BatchSpec& spec) const noexcept override {
    return resize_.worst_case_scratch_bytes(spec);
  }
  std::string identity() const override { return resize_.identity(); }

  /// Calls of apply() so far, those under way included.
  std::uint64_t num_begun() const noexcept { return num_begun_; }

 private:
  ResizeTransform resize_{{.decode_scaling = false}};
  std::chrono::microseconds pause_;
  mutable std::atomic<std::uint64_t> num_begun_{0};
};

}  // namespace penstock::tests
