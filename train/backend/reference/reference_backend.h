// The reference backend: plain loops in double or float, obviously correct and slow. Every other
// backend is compared with it.
#pragma once

#include <memory>

#include "train/backend/backend.h"

namespace penstock::train {

/// Computes in double; num_threads is 1 whatever the settings say.
std::unique_ptr<Backend> make_reference_backend(const BackendSettings& settings);

/// The same loops in float, to see what rounding alone does.
std::unique_ptr<Backend> make_float_reference_backend();

}  // namespace penstock::train
