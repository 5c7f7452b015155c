#include "streamer/pipeline/batch_graph.h"

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <thread>
#include <tuple>
#include <utility>

#include "streamer/core/usable_cores.h"

namespace penstock {

//   push() --> augment --> collate --> in_order --> deliver --> ring
//             (parallel)   (serial)   (by seq)     (serial)
//
// The graph is made inside its arena and belongs to it. One runner thread waits in the arena and
// works there, so `num_augmenters` threads are busy at most. No node blocks; no exception leaves
// one.
struct BatchGraph::Impl {
  using Collate = tbb::flow::multifunction_node<SampleRun, std::tuple<FilledBatch>>;

  struct Nodes {
    Nodes(Impl& impl, std::uint32_t num_augmenters)
        : augment(graph, num_augmenters,
                  [&impl](const SampleRun& run) {
                    impl.guard([&] { impl.stages.augment(run); });
                    return run;
                  }),
          collate(graph, tbb::flow::serial,
                  [&impl](const SampleRun& run, Collate::output_ports_type& out) {
                    impl.guard([&] {
                      if (const auto batch = impl.stages.collate(run))
                        std::get<0>(out).try_put(*batch);
                    });
                  }),
          in_order(graph, [](const FilledBatch& batch) { return batch.seq; }),
          deliver(graph, tbb::flow::serial, [&impl](const FilledBatch& batch) {
            impl.guard([&] { impl.stages.deliver(batch); });
            return tbb::flow::continue_msg();
          }) {
      tbb::flow::make_edge(augment, collate);
      tbb::flow::make_edge(tbb::flow::output_port<0>(collate), in_order);
      tbb::flow::make_edge(in_order, deliver);
    }

    tbb::flow::graph graph;
    tbb::flow::function_node<SampleRun, SampleRun> augment;
    Collate collate;
    tbb::flow::sequencer_node<FilledBatch> in_order;
    tbb::flow::function_node<FilledBatch> deliver;
  };

  // oneTBB prints a warning when an arena asks for more threads than the machine has.
  static int arena_threads(std::uint32_t num_augmenters) {
    return static_cast<int>(std::min(num_augmenters, num_usable_cores()));
  }

  Impl(std::uint32_t num_augmenters, Stages s)
      : stages(std::move(s)), arena(arena_threads(num_augmenters), 1) {
    arena.execute([&] { nodes = std::make_unique<Nodes>(*this, num_augmenters); });
    nodes->graph.reserve_wait();
    try {
      runner = std::jthread([this] { arena.execute([this] { nodes->graph.wait_for_all(); }); });
    } catch (...) {
      nodes->graph.release_wait();  // else the graph's destructor would wait for ever
      throw;
    }
  }

  ~Impl() {
    nodes->graph.cancel();
    nodes->graph.release_wait();
    runner.join();
    arena.execute([&] { nodes.reset(); });
  }

  // An exception that left a node under reserve_wait() would hang the graph (oneTBB 2021.8).
  template <class Body>
  void guard(const Body& body) noexcept {
    try {
      body();
    } catch (...) {
      stages.on_error(std::current_exception());
      nodes->graph.cancel();
    }
  }

  const Stages stages;
  tbb::task_arena arena;
  std::unique_ptr<Nodes> nodes;
  std::jthread runner;
};

BatchGraph::BatchGraph(std::uint32_t num_augmenters, Stages stages)
    : impl_(std::make_unique<Impl>(num_augmenters, std::move(stages))) {}
BatchGraph::~BatchGraph() = default;

void BatchGraph::push(const SampleRun& run) {
  impl_->nodes->augment.try_put(run);
}
void BatchGraph::cancel() noexcept {
  impl_->nodes->graph.cancel();
}

}  // namespace penstock
