#include "tools/inference_flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "tools/size_option.h"

namespace penstock::tools {

train::InferenceConfig InferenceFlags::config() const {
  return {.backend = backend,
          .threads = static_cast<std::uint32_t>(threads),
          .memory_bytes = memory_bytes};
}

void add_inference_flags(CLI::App& command, InferenceFlags& flags) {
  command.add_option("--backend", flags.backend, "onednn or reference (onednn)");
  add_count_option(command, "--threads", flags.threads, {.min = 1, .max = 1024},
                   "Compute threads (all cores)");
  add_byte_size_option(command, "--memory", flags.memory_bytes,
                       "Limit of all buffers, such as 256M (0.8 of what is available)");
}

}  // namespace penstock::tools
