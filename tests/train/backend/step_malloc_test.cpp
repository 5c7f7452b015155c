// run() allocates nothing: counted at malloc over whole steps of the oneDNN backend. What oneDNN allocates while it
// executes a primitive is its own.
#include <dlfcn.h>

#include <boost/test/unit_test.hpp>
#include <utility>
#include <vector>

#include "tests/malloc_counter.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "tests/train/backend/wide_models.h"
#include "tests/train/has_bfloat16.h"
#include "train/backend/onednn/onednn_backend.h"

// In the place of the library's: status, primitive, stream and arguments as they are.
extern "C" int dnnl_primitive_execute(const void* primitive, void* stream, int num_args,
                                      const void* args) {
  using Execute = int (*)(const void*, void*, int, const void*);
  const penstock::tests::MallocPause pause;
  static const auto execute =
      reinterpret_cast<Execute>(::dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
  return execute(primitive, stream, num_args, args);
}

namespace penstock::train {
namespace {

constexpr std::uint32_t kBatch = 4;

std::vector<ModelGraph> models() {
  std::vector<ModelGraph> list = branched_models();
  for (ModelGraph& graph : wide_models()) list.push_back(std::move(graph));
  list.push_back(normalized_model());
  list.push_back(padded_pools_model());
  list.push_back(dropping_model());
  return list;
}

/// Of one step, after two others: threads and libraries begin to work in the first.
penstock::tests::MallocCounts count_of(Bench& bench) {
  Program& program = bench.program();
  penstock::tests::MallocCounts counts;
  for (std::uint64_t step = 0; step < 3; ++step) {
    const ToyBatch batch = bench.batch(kBatch, 7);
    bench.backend().upload(batch.lease(), 0);
    bench.backend().set_scalars(
        {.learning_rate = 0.01f, .inv_weight_sum = 1.0f / kBatch, .step = step}, 0);
    penstock::tests::start_counting_mallocs();
    program.run(Phase::kForward, 0);
    program.run(Phase::kBackward, 0);
    program.run(Phase::kUpdate, 0);
    counts = penstock::tests::stop_counting_mallocs();
    bench.backend().finish();
    bench.backend().release(0);
    while (bench.backend().poll()) {
    }
    while (bench.backend().poll_update()) {
    }
  }
  return counts;
}

void check_backend(Bench bench, const std::string& name) {
  const penstock::tests::MallocCounts counts = count_of(bench);
  BOOST_TEST(counts.own == 0u, name << ": " << counts.own << " allocations, the last by "
                                    << (counts.last_own_caller ? counts.last_own_caller : "?"));
}

BOOST_AUTO_TEST_SUITE(step_malloc)

BOOST_AUTO_TEST_CASE(a_step_of_onednn_allocates_nothing) {
  std::vector<ComputeType> types = {ComputeType::kFloat32};
  if (onednn::OneDnn().computes_in(ComputeType::kBfloat16)) types.push_back(ComputeType::kBfloat16);
  for (const ModelGraph& graph : models()) {
    for (const ComputeType type : types) {
      for (const bool fuse : {true, false}) {
        check_backend(
            Bench(make_onednn_backend({.num_threads = 2}), graph,
                  {{.batch = kBatch, .compute = type, .fuse = fuse}}),
            graph.name() + " " + std::string(compute_type_name(type)) + (fuse ? " fused" : ""));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
