// Where a run computes: on a GPU or on the CPU.
#pragma once

#include <string>
#include <string_view>

namespace penstock::train {

struct DeviceChoice {
  std::string device;  // "cuda" or "cpu"
  /// Why a GPU that answers is not taken, in a line; empty otherwise.
  std::string note{};
};

/// For "auto" a GPU where one answers and can be used, unless `cpu_backend` is "reference", which is asked for to
/// compare with.
DeviceChoice choose_device(std::string_view device, std::string_view cpu_backend);

/// What make_backend() calls the backend on a chosen device.
std::string backend_on(std::string_view chosen_device, std::string_view cpu_backend);

}  // namespace penstock::train
