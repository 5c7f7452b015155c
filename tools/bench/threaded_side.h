// A side that does the same to every sample of a window, on plain threads.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "tools/bench/bench_sides.h"
#include "tools/bench/bench_threads.h"
#include "tools/bench/stage_workspace.h"

namespace penstock::tools::bench {

/// Calls `work(sample's index, workspace of the thread)`, which returns whether the sample came to
/// something. The workspaces are those of `setting.buffers`, which all sides share.
template <class Work>
Side threaded_side(std::string name, std::string ceiling, const BenchSetting& setting,
                   const std::shared_ptr<const SampleWindow>& window, Work work) {
  return {.name = std::move(name),
          .ceiling = std::move(ceiling),
          .num_samples = window->size(),
          .run = [=, buffers = setting.buffers, num_threads = setting.num_threads] {
            std::atomic<std::uint64_t> num_failed{0};
            RunTime time = run_on_threads(num_threads, window->size(), [&](const Share& share) {
              StageWorkspace& space = buffers->workspaces[share.thread_idx];
              std::uint64_t own_failed = 0;
              for (std::size_t i = share.begin; i < share.end; ++i) {
                if (!work(i, space)) ++own_failed;
              }
              if (own_failed > 0) num_failed += own_failed;
            });
            time.num_failed = num_failed;
            return time;
          }};
}

}  // namespace penstock::tools::bench
