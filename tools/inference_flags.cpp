#include "tools/inference_flags.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "tools/command.h"
#include "tools/precision_option.h"
#include "tools/simd_option.h"
#include "tools/size_option.h"
#include "tools/terminal.h"
#include "train/backend/backend.h"

namespace penstock::tools {

namespace {

std::string checked_backend(const std::string& text) {
  const std::vector<std::string_view> known = train::backend_names();
  if (std::ranges::find(known, text) != known.end()) return text;
  throw Error(
      ErrorCode::kInvalidArgument,
      "--backend: expected " + train::backend_choice() + ", found '" + printable(text) + "'",
      "--backend onednn");
}

std::string checked_device(const std::string& text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return text;
  throw Error(ErrorCode::kInvalidArgument,
              "--device: expected auto, cpu or cuda, found '" + printable(text) + "'",
              "--device auto");
}

}  // namespace

train::InferenceConfig InferenceFlags::config() const {
  return {.backend = backend,
          .device = device,
          .precision = precision,
          .threads = static_cast<std::uint32_t>(threads),
          .loader_threads = static_cast<std::uint32_t>(loader_threads),
          .memory_bytes = memory_bytes,
          .memory_gpu_bytes = memory_gpu_bytes};
}

void add_inference_flags(CLI::App& command, InferenceFlags& flags) {
  add_value(command, {"--backend", "NAME", "On the CPU: " + train::backend_choice() + " (onednn)"},
            [&flags](const std::string& text) { flags.backend = checked_backend(text); });
  add_value(command, {"--device", "NAME", "cpu, cuda, or auto: a GPU if one answers (auto)"},
            [&flags](const std::string& text) { flags.device = checked_device(text); });
  add_precision_option(command, flags.precision, "the run's");
  add_count_option(command, "--threads", flags.threads, {.min = 1, .max = 1024},
                   "Compute threads (all cores)");
  add_byte_size_option(command, "--memory", flags.memory_bytes,
                       "Limit of all buffers, such as 256M (0.8 of what is available)");
  add_byte_size_option(command, "--memory-gpu", flags.memory_gpu_bytes,
                       "Limit of the network on a GPU, such as 2G (0.9 of what is free)");
  add_simd_option(command);
}

}  // namespace penstock::tools
