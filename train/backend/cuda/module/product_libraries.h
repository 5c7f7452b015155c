// What stands behind the opaque types of product_plans.h: handles, and candidates and plans of several makers.
#pragma once

#include <cublasLt.h>
#include <cudnn.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "train/backend/cuda/product_plans.h"

namespace penstock::train::cuda {

/// Owns a handle or descriptor of a C library.
template <class Handle, auto destroy>
struct DestroyHandle {
  using pointer = Handle;
  void operator()(Handle handle) const noexcept { static_cast<void>(destroy(handle)); }
};
template <class Handle, auto destroy>
using UniqueHandle = std::unique_ptr<std::remove_pointer_t<Handle>, DestroyHandle<Handle, destroy>>;

using CudnnHandle = UniqueHandle<cudnnHandle_t, cudnnDestroy>;
using CublasLtHandle = UniqueHandle<cublasLtHandle_t, cublasLtDestroy>;

struct ProductLibraries {
  CudnnHandle cudnn;        // null: the device is described
  CublasLtHandle cublaslt;  // null likewise
  std::optional<DeviceFacts> described;
  std::uint32_t compute_capability = 0;
  Stream stream = nullptr;  // that of cudnn now

  /// Makes cuDNN's next calls go to the stream.
  DeviceStatus use_stream(Stream wanted) noexcept;
};

struct ProductPlan {
  virtual ~ProductPlan() = default;
  virtual DeviceStatus run(const ProductOperands& operands, void* workspace,
                           Stream stream) noexcept = 0;

  std::string name;
  std::string stored;
  std::size_t workspace_bytes = 0;
  bool is_deterministic = false;
};

/// Members may throw.
struct ProductCandidates {
  virtual ~ProductCandidates() = default;
  virtual std::uint32_t count() const = 0;
  virtual bool is_compiled_for(std::uint32_t) const noexcept { return false; }
  virtual std::unique_ptr<ProductPlan> make(std::uint32_t candidate_idx) = 0;
  virtual std::unique_ptr<ProductPlan> restore(const std::string& stored) = 0;
};

/// Before what a plan is stored as: "cudnn 91900 sm_90 ". Plans of another version or device are not ours.
std::string stored_head(const ProductLibraries& libraries);

}  // namespace penstock::train::cuda
