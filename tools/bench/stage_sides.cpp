// The engine's stages, each alone: with what the one before it made already in memory.
#include <algorithm>
#include <chrono>
#include <stop_token>
#include <thread>

#include "streamer/core/checksum.h"
#include "streamer/core/host_memory.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/batch_stages.h"
#include "streamer/read/admission.h"
#include "streamer/shard/sample_index.h"
#include "tools/bench/bench_sides.h"
#include "tools/bench/bench_threads.h"
#include "tools/bench/page_cache.h"
#include "tools/bench/threaded_side.h"

namespace penstock::tools::bench {
namespace {

using Window = std::shared_ptr<const SampleWindow>;

Side plan_side(const BenchSetting& setting, const Window& window) {
  const Stream& stream = setting.stream;
  // With the index as a loader of this limit holds it.
  MemoryBudget budget(stream.memory_bytes);
  const IndexForm form = choose_index_form(stream.split.num_indexed(), budget.room());
  auto admission = std::make_shared<const Admission>(
      stream.split.with_index(form, budget),
      Admission::Config{.spec = stream.spec, .seed = stream.seed}, stream.transform);
  return threaded_side("plan", "", setting, window, [=](std::size_t i, StageWorkspace& space) {
    const StreamPlace& place = window->places()[i];
    admission->plan(
        {.sample_id = place.sample_id, .position = place.position, .epoch = place.epoch},
        space.task);
    return true;
  });
}

Side pread_side(const BenchSetting& setting, const Window& window) {
  Side side = threaded_side("pread", "bare pread", setting, window,
                            [=](std::size_t i, StageWorkspace& space) {
                              return !space.read(window->tasks()[i]).empty();
                            });
  if (setting.is_cold) {
    side.prepare = [paths = shard_paths(window->tasks())] { drop_from_page_cache(paths); };
  }
  return side;
}

Side checksum_side(const BenchSetting& setting, const Window& window) {
  return threaded_side("checksum", "memcpy of stored bytes", setting, window,
                       [=](std::size_t i, StageWorkspace&) {
                         return xxh3_64(window->encoded(i)) == window->tasks()[i].record.xxh3;
                       });
}

Side decode_side(const BenchSetting& setting, const Window& window, const std::string& ceiling) {
  return threaded_side(
      "decode", ceiling, setting, window, [=](std::size_t i, StageWorkspace& space) {
        return space.decode(window->tasks()[i], window->encoded(i), space.pixels.bytes())
            .has_value();
      });
}

Side warp_side(const BenchSetting& setting, const Window& window, const std::string& ceiling) {
  // So few that the shared cache holds the most of them; the loader samples what it has just decoded.
  auto decoded = std::make_shared<const std::vector<DecodedSample>>(
      decoded_samples(*window, setting.buffers->workspaces.front(), {}));
  return threaded_side(
      "warp", ceiling, setting, window,
      [decoded, ring = &setting.buffers->ring, transform = setting.stream.transform](
          std::size_t i, StageWorkspace& space) {
        const SampleTask& task = (*decoded)[i % decoded->size()].task;
        transform->apply(task.decoded, task.plan, space.scratch.bytes(), ring->slot(i));
        return true;
      });
}

struct RingOfBatches {
  MemoryBudget budget{UINT64_MAX};
  std::shared_ptr<BatchRing> ring;
  std::uint64_t num_batches = 0;
};

std::shared_ptr<RingOfBatches> filled_ring(const BenchSetting& setting,
                                           const SampleWindow& window) {
  const BatchSpec& spec = setting.stream.spec;
  auto batches = std::make_shared<RingOfBatches>();
  batches->ring = std::make_shared<BatchRing>(
      BatchRing::Config{.spec = spec, .num_slots = setting.threads.num_slots}, batches->budget,
      page_aligned_memory());
  batches->num_batches = std::max<std::uint64_t>(window.size() / spec.batch, 1);
  for (std::uint32_t slot = 0; slot < setting.threads.num_slots; ++slot) {
    for (std::uint32_t place = 0; place < spec.batch; ++place) {
      batches->ring->slot(slot).tasks[place] =
          window.tasks()[(std::size_t{slot} * spec.batch + place) % window.size()];
    }
  }
  return batches;
}

// Measures from its making on.
class SideTimer {
 public:
  RunTime time() const {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
    return {.seconds = taken.count(), .cpu_seconds = process_cpu_seconds() - cpu_start_};
  }

 private:
  double cpu_start_ = process_cpu_seconds();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Side collate_side(const BenchSetting& setting, const Window& window) {
  auto batches = filled_ring(setting, *window);
  const BatchSpec spec = setting.stream.spec;
  const std::uint32_t num_slots = setting.threads.num_slots;
  return {.name = "collate",
          .ceiling = "memcpy of batches",
          .num_samples = batches->num_batches * spec.batch,
          .run = [=] {
            const SideTimer watch;
            for (std::uint64_t seq = 0; seq < batches->num_batches; ++seq) {
              const auto slot_idx = static_cast<std::uint32_t>(seq % num_slots);
              BatchSlot& slot = batches->ring->slot(slot_idx);
              slot.stamp = {.seq = seq, .num_valid = spec.batch};
              slot.places_left = spec.batch;
              SampleRun run{.tasks = slot.tasks, .slot_idx = slot_idx, .batch_seq = seq};
              if (collate_run(run, *batches->ring)) finish_batch(slot, spec);
            }
            return watch.time();
          }};
}

Side delivery_side(const BenchSetting& setting, const Window& window) {
  auto batches = filled_ring(setting, *window);
  return {.name = "delivery",
          .ceiling = "memcpy of batches",
          .num_samples = batches->num_batches * setting.stream.spec.batch,
          .run = [=] {
            const SideTimer watch;
            std::jthread producer([&](const std::stop_token& stop) {
              for (std::uint64_t seq = 0; seq < batches->num_batches; ++seq) {
                const auto slot_idx = batches->ring->acquire(stop);
                if (!slot_idx) return;
                batches->ring->slot(*slot_idx).stamp = {.seq = seq};
                batches->ring->publish(*slot_idx);
              }
            });
            for (std::uint64_t i = 0; i < batches->num_batches; ++i) {
              batches->ring->take().release();
            }
            producer.join();
            return watch.time();
          }};
}

}  // namespace

std::vector<Side> stage_sides(const BenchSetting& setting, const Window& window) {
  const bool is_jpeg = window->are_all(Codec::kJpeg);
  const bool has_kernel = setting.loader_ceiling == kBarePadCropSide;
  return {plan_side(setting, window),
          pread_side(setting, window),
          checksum_side(setting, window),
          decode_side(setting, window, is_jpeg ? kBareDecodeSide : "memcpy of stored bytes"),
          warp_side(setting, window, has_kernel ? kBarePadCropSide : "memcpy of batches"),
          collate_side(setting, window),
          delivery_side(setting, window)};
}

std::vector<Side> whole_sides(const BenchSetting& setting, const Window& window) {
  Side in_a_row =
      threaded_side("stages in a row", setting.loader_ceiling, setting, window,
                    [window, ring = &setting.buffers->ring, transform = setting.stream.transform](
                        std::size_t i, StageWorkspace& space) {
                      const SampleTask& task = window->tasks()[i];
                      const auto encoded = space.read(task);
                      if (xxh3_64(encoded) != task.record.xxh3) return false;
                      const auto view = space.decode(task, encoded, space.pixels.bytes());
                      if (view)
                        transform->apply(*view, task.plan, space.scratch.bytes(), ring->slot(i));
                      return view.has_value();
                    });
  Side loader{
      .name = kLoaderSide,
      .ceiling = setting.is_loader_compared ? setting.loader_ceiling : std::string(),
      .num_samples = window->size(),
      .run = [stream = setting.stream, threads = setting.threads, stats = setting.loader_stats] {
        const LoaderTimes times = run_loader(stream, threads);
        *stats = times.stats;
        return times.time;
      }};
  if (setting.is_cold) {
    in_a_row.prepare = [paths = shard_paths(window->tasks())] { drop_from_page_cache(paths); };
    loader.prepare = in_a_row.prepare;
  }
  return {std::move(in_a_row), std::move(loader)};
}

}  // namespace penstock::tools::bench
