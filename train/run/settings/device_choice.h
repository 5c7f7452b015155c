// Where a run computes: on a GPU or on the CPU.
#pragma once

#include <string>
#include <string_view>

namespace penstock::train {

/// Returns "cuda" or "cpu": for "auto" a GPU where one answers, unless `cpu_backend` is "reference", which is asked
/// for to compare with.
std::string chosen_device(std::string_view device, std::string_view cpu_backend);

/// What make_backend() calls the backend on a chosen device.
std::string backend_on(std::string_view chosen_device, std::string_view cpu_backend);

}  // namespace penstock::train
