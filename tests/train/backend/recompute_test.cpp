// Values that are dropped after the forward pass and computed again, against the program that keeps them.
#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train {
namespace {

using NodeSet = std::vector<bool>;

/// All nodes but input and output, every third kept, and some drawn at random.
std::vector<NodeSet> sets_of(const ModelGraph& graph) {
  const std::size_t count = graph.nodes().size();
  std::vector<NodeSet> sets(5, NodeSet(count, false));
  std::mt19937 random(17);
  for (NodeId id = 0; id < count; ++id) {
    if (id == graph.input() || id == graph.output()) continue;
    sets[0][id] = true;
    sets[1][id] = id % 3 != 0;
    for (std::size_t k = 2; k < sets.size(); ++k) sets[k][id] = random() % 2 == 0;
  }
  return sets;
}

/// Three steps, the second in two runs; every value that can be seen must be the same to the bit.
void compare(std::string_view backend, const ModelGraph& graph, const NodeSet& recomputed,
             bool fuse) {
  const auto bench_of = [&](const NodeSet& set) {
    const Lowering whole{.batch = 6, .fuse = fuse, .accumulates = true, .recomputed = set};
    Lowering half = whole;
    half.batch = 3;
    return Bench(make_backend(backend, {.num_threads = 2}), graph, {whole, half});
  };
  Bench kept = bench_of({});
  Bench again = bench_of(recomputed);
  const auto check_params = [&](ParamPart part, std::size_t which) {
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      if (part == ParamPart::kGrad && !graph.parameters()[i].is_trainable) continue;
      BOOST_TEST((again.read(i, part, which) == kept.read(i, part, which)),
                 graph.parameters()[i].name << (part == ParamPart::kGrad ? ", gradient" : ""));
    }
  };
  for (unsigned step = 0; step < 3; ++step) {
    const StepScalars scalars{.learning_rate = 0.05, .step = step, .seed = 9};
    const std::uint32_t parts = step == 1 ? 2 : 1;
    const std::size_t which = step == 1 ? 1 : 0;
    std::vector<float> logits[2];
    for (Bench* bench : {&kept, &again}) {
      const ToyBatch batch = bench->batch(6, step);
      bench->backend().upload(batch.lease(), 0);
      for (std::uint32_t part = 0; part < parts; ++part) {
        StepScalars own = scalars;
        own.first_sample = part * 3;
        own.inv_weight_sum = batch.inv_weight_sum();
        bench->backend().set_scalars(own, 0);
        bench->program(which).run(Phase::kForward, 0);
        BOOST_TEST(bench->backend().poll().value().is_finite);
        bench->program(which).run(part == 0 ? Phase::kBackward : Phase::kBackwardAdd, 0);
      }
      logits[bench == &again] = bench->logits(which);
    }
    BOOST_TEST((logits[1] == logits[0]));
    check_params(ParamPart::kGrad, which);
    kept.update(which);
    again.update(which);
    check_params(ParamPart::kMaster, which);
  }
}

std::vector<ModelGraph> all_models() {
  std::vector<ModelGraph> models = branched_models();
  for (ModelGraph& graph :
       std::vector<ModelGraph>{strided_model(), normalized_model(), dropping_model(),
                               padded_pools_model(), odd_width_model()}) {
    models.push_back(std::move(graph));
  }
  return models;
}

/// 16 activations one after the other: of V bytes each, as are the gradients.
ModelGraph chain_model() {
  ModelGraph graph("chain", {1, 16, 16});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 4, .has_bias = false});
  for (int i = 0; i < 16; ++i) {
    x = graph.activation("act" + std::to_string(i), x, ActivationKind::kSigmoid);
  }
  graph.set_output(graph.dense("head", graph.global_avg_pool("gap", x), {.units = 2}));
  return graph;
}

BOOST_AUTO_TEST_SUITE(recompute)

BOOST_AUTO_TEST_CASE(every_model_trains_to_the_same_bits_whatever_is_computed_again) {
  for (const std::string_view backend : backend_names()) {
    for (const bool fuse : {true, false}) {
      if (!fuse && backend == "reference") continue;  // fuses nothing
      for (const ModelGraph& graph : all_models()) {
        for (const NodeSet& set : sets_of(graph)) {
          BOOST_TEST_CONTEXT(backend << ", " << graph.name() << (fuse ? ", fused" : "")) {
            compare(backend, graph, set, fuse);
          }
        }
      }
    }
  }
}

/// Three of every four activations of the chain, 12 in all.
NodeSet stretches_of(const ModelGraph& chain) {
  NodeSet stretches(chain.nodes().size(), false);
  for (NodeId id = 0; id < chain.nodes().size(); ++id) {
    const std::string& name = chain.node(id).name;
    stretches[id] = name.starts_with("act") && std::stoi(name.substr(3)) % 4 != 3;
  }
  return stretches;
}

// By hand: without recomputing, 17 values wait for the backward pass. With every fourth kept, 4 of them and those
// of one stretch, 3, are there at once; beside them a gradient and what it becomes, and what stands before the
// stretch. The rest of the program is below one V.
BOOST_AUTO_TEST_CASE(a_chain_needs_its_kept_values_and_one_stretch) {
  const ModelGraph graph = chain_model();
  const NodeSet stretches = stretches_of(graph);
  for (const std::string_view name : backend_names()) {
    const auto backend = make_backend(name, {.num_threads = 1});
    const auto passing_bytes = [&](const NodeSet& set) {
      const auto program = backend->lower(graph, {.batch = 64, .recomputed = set});
      Program* programs[] = {program.get()};
      return plan_programs(programs).passing_bytes;
    };
    const std::size_t type_bytes = name == "reference" ? sizeof(double) : sizeof(float);
    const std::size_t value_bytes = std::size_t{64} * 4 * 16 * 16 * type_bytes;
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(passing_bytes({}) >= 17 * value_bytes);
      BOOST_TEST(passing_bytes(stretches) <= 11 * value_bytes);
    }
  }
}

// Of V bytes each; those that come back are there for a moment, so that no reader takes them for saved.
BOOST_AUTO_TEST_CASE(what_is_computed_again_is_not_counted_as_saved) {
  const ModelGraph graph = chain_model();
  for (const std::string_view name : backend_names()) {
    const auto backend = make_backend(name, {.num_threads = 1});
    const auto saved_bytes = [&](const NodeSet& set) {
      const auto program = backend->lower(graph, {.batch = 64, .recomputed = set});
      std::size_t bytes = 0;
      for (const Buffer& buffer : program->buffers()) {
        if (buffer.role == Role::kSaved) bytes += buffer.bytes;
      }
      return bytes;
    };
    const std::size_t type_bytes = name == "reference" ? sizeof(double) : sizeof(float);
    const std::size_t value_bytes = std::size_t{64} * 4 * 16 * 16 * type_bytes;
    BOOST_TEST(saved_bytes({}) - saved_bytes(stretches_of(graph)) == 12 * value_bytes, name);
  }
}

BOOST_AUTO_TEST_CASE(input_and_output_are_never_dropped) {
  const ModelGraph graph = strided_model();
  for (const std::string_view name : backend_names()) {
    const auto backend = make_backend(name, {.num_threads = 1});
    for (const NodeId id : {graph.input(), graph.output()}) {
      NodeSet set(graph.nodes().size(), false);
      set[id] = true;
      BOOST_CHECK_EXCEPTION(
          backend->lower(graph, {.batch = 2, .recomputed = set}), Error, [](const Error& error) {
            return std::string(error.what()) ==
                   "lowering: recomputed: expected neither input nor output, found one of them";
          });
    }
    BOOST_CHECK_THROW(backend->lower(graph, {.batch = 2, .recomputed = NodeSet(3)}), Error);
  }
}

BOOST_AUTO_TEST_CASE(the_explanation_names_what_is_computed_again) {
  const ModelGraph graph = strided_model();
  NodeSet set(graph.nodes().size(), false);
  set[1] = true;
  const auto program =
      make_backend("onednn", {.num_threads = 1})->lower(graph, {.batch = 2, .recomputed = set});
  const std::string text = program->explain();
  const std::string first = text.substr(0, text.find('\n'));
  BOOST_TEST(first.ends_with(", dropped and computed again going back"));
  BOOST_TEST(text.find("computed again", first.size()) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
