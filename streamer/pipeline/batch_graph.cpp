#include "streamer/pipeline/batch_graph.h"

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "streamer/core/usable_cores.h"

namespace penstock {

//   push() -->  fill  --> collate -->  finish  --> in_order --> deliver --> ring
//            (parallel)   (serial)   (parallel)   (by seq)     (serial)
//
// The graph is made inside its arena and belongs to it. No node blocks; no exception leaves one.
//
// All places of the arena are kept for `num_workers` threads of our own, and these enter it only
// while there is work: oneTBB's workers, and threads that wait for a graph to which more may come,
// spin for a millisecond whenever they run out of it, which a slow consumer makes happen at every
// batch.
struct BatchGraph::Impl {
  using Collate = tbb::flow::multifunction_node<SampleRun, std::tuple<FilledBatch>>;

  struct Nodes {
    Nodes(Impl& impl, std::uint32_t num_workers)
        : graph(impl.context),
          fill(graph, num_workers,
               [&impl](const SampleRun& run) {
                 impl.num_pushed.load(std::memory_order_acquire);
                 impl.guard([&] { impl.stages.fill(run, current_worker()); });
                 impl.count_work(-1);
                 return run;
               }),
          collate(graph, tbb::flow::serial,
                  [&impl](const SampleRun& run, Collate::output_ports_type& out) {
                    impl.guard([&] {
                      if (const auto batch = impl.stages.collate(run)) {
                        impl.count_work(1);
                        std::get<0>(out).try_put(*batch);
                      }
                    });
                  }),
          finish(graph, num_workers,
                 [&impl](const FilledBatch& batch) {
                   impl.guard([&] { impl.stages.finish(batch); });
                   impl.count_work(-1);
                   return batch;
                 }),
          in_order(graph, [](const FilledBatch& batch) { return batch.seq; }),
          deliver(graph, tbb::flow::serial, [&impl](const FilledBatch& batch) {
            impl.guard([&] { impl.stages.deliver(batch); });
            return tbb::flow::continue_msg();
          }) {
      tbb::flow::make_edge(fill, collate);
      tbb::flow::make_edge(tbb::flow::output_port<0>(collate), finish);
      tbb::flow::make_edge(finish, in_order);
      tbb::flow::make_edge(in_order, deliver);
    }
    ~Nodes() { graph.wait_for_all(); }  // before the nodes that the tasks left run in

    tbb::flow::graph graph;
    tbb::flow::function_node<SampleRun, SampleRun> fill;
    Collate collate;
    tbb::flow::function_node<FilledBatch, FilledBatch> finish;
    tbb::flow::sequencer_node<FilledBatch> in_order;
    tbb::flow::function_node<FilledBatch> deliver;
  };

  static std::uint32_t current_worker() {
    return static_cast<std::uint32_t>(tbb::this_task_arena::current_thread_index());
  }

  // No more threads than cores: oneTBB prints a warning when an arena asks for them.
  Impl(std::uint32_t num_threads, Stages s)
      : stages(std::move(s)), arena(static_cast<int>(num_threads), num_threads) {
    arena.execute([&] { nodes = std::make_unique<Nodes>(*this, num_threads); });
    for (std::uint32_t i = 0; i < num_threads; ++i) {
      runners.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  }

  ~Impl() {
    is_cancelled = true;
    for (std::jthread& runner : runners) runner.request_stop();
    runners.clear();
    arena.execute([&] { nodes.reset(); });
  }

  void push(const SampleRun& run) {
    if (is_cancelled) return;
    num_pushed.fetch_add(1, std::memory_order_release);
    nodes->fill.try_put(run);
    {
      const std::scoped_lock lock(mutex);
      ++num_unfinished;
    }
    pushed.notify_one();
  }

  // A batch that is finished keeps a thread as a run does. Whoever counts it is in the arena already, so
  // nobody is woken.
  void count_work(std::int64_t change) {
    const std::scoped_lock lock(mutex);
    num_unfinished += change;
  }

  // Works in the arena while there is more work than threads in it.
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (pushed.wait(lock, stop, [&] { return num_unfinished > num_inside; })) {
      ++num_inside;
      lock.unlock();
      arena.execute([this] { nodes->graph.wait_for_all(); });
      lock.lock();
      --num_inside;
    }
  }

  // Bodies do nothing any more after an error; the graph drains by itself.
  template <class Body>
  void guard(const Body& body) noexcept {
    if (is_cancelled) return;
    try {
      body();
    } catch (...) {
      is_cancelled = true;
      stages.on_error(std::current_exception());
    }
  }

  const Stages stages;
  std::atomic<bool> is_cancelled = false;
  // What a reader wrote is there for fill. oneTBB sees to that too, but with fences, of which
  // ThreadSanitizer would report every pixel.
  std::atomic<std::uint64_t> num_pushed = 0;
  std::mutex mutex;
  std::condition_variable_any pushed;
  std::int64_t num_unfinished = 0;  // guarded by mutex; runs, batches; may be below 0 for a moment
  std::int64_t num_inside = 0;      // guarded by mutex; runners in the arena
  // Several threads wait for one graph.
  tbb::task_group_context context{tbb::task_group_context::isolated,
                                  tbb::task_group_context::concurrent_wait};
  tbb::task_arena arena;
  std::unique_ptr<Nodes> nodes;
  std::vector<std::jthread> runners;  // last: they use what stands above
};

BatchGraph::BatchGraph(std::uint32_t num_workers, Stages stages)
    : impl_(std::make_unique<Impl>(std::min(num_workers, num_usable_cores()), std::move(stages))) {}
BatchGraph::~BatchGraph() = default;

std::uint32_t BatchGraph::num_workers() const noexcept {
  return static_cast<std::uint32_t>(impl_->runners.size());
}

void BatchGraph::push(const SampleRun& run) {
  impl_->push(run);
}
void BatchGraph::cancel() noexcept {
  impl_->is_cancelled = true;
}

}  // namespace penstock
