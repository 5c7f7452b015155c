// Which memory batches lie in. The one place that joins the engine's buffers and the CUDA module.
#pragma once

#include <memory>
#include <string_view>

#include "streamer/core/host_memory.h"

namespace penstock::train {

/// Returns page-locked memory when a CUDA device answers and grants some, and `device` is not
/// "cpu"; else page-aligned memory.
std::shared_ptr<HostMemory> batch_memory(std::string_view device);

}  // namespace penstock::train
