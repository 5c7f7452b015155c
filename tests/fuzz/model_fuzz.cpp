// The fuzz target of model files. The first byte is left out, the rest is the text.
//
// A text may be refused with InvalidArgument and a hint, nothing else. What is built ends in the classes that
// were asked for; its inputs come first, its names differ, its tensors are as large as their layers say.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "streamer/core/error.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "train/graph/element_check.h"
#include "train/graph/layer_list.h"
#include "train/graph/model_file.h"

namespace penstock::fuzz {
namespace {

constexpr std::uint32_t kNumClasses = 10;

void check_graph(const train::ModelGraph& graph) {
  demand(graph.num_classes() == kNumClasses, "an output per class");
  // One layer may bring two nodes.
  demand(graph.nodes().size() <= train::kMaxFileNodes + 1, "not too many nodes");
  std::set<std::string_view> names;
  for (train::NodeId id = 0; id < graph.nodes().size(); ++id) {
    const train::Node& node = graph.node(id);
    demand(names.insert(node.name).second, "a name of its own");
    demand(node.shape.num_elements() > 0, "values");
    demand(node.shape.num_elements() <= train::kMaxElements, "not too many values");
    for (const train::NodeId from : node.inputs) demand(from < id, "inputs first");
  }
  for (const train::Parameter& parameter : graph.parameters()) {
    demand(parameter.num_elements() > 0, "weights");
    demand(parameter.num_elements() <= train::kMaxElements, "not too many weights");
    demand(parameter.name.starts_with(graph.node(parameter.node).name), "a tensor of its layer");
  }
}

Input seed_of(std::string_view text) {
  Input seed = {0};
  seed.insert(seed.end(), text.begin(), text.end());
  return seed;
}

constexpr std::string_view kHead =
    "[[layer]]\ntype='global_avg_pool'\n[[layer]]\ntype='dense'\nunits='num_classes'\n";

/// 10,000 tables, one in the other.
std::string deep_key() {
  std::string key = "a";
  for (int i = 1; i < 10'000; ++i) key += ".a";
  return key;
}

}  // namespace

const char* target_name() {
  return "model_fuzz";
}

std::vector<Input> target_seeds() {
  const std::string head(kHead);
  return {
      seed_of("[[layer]]\ntype='conv2d'\nname='a'\nfilters=8\nkernel=[3,5]\nstride=2\npadding=1\n"
              "dilation=[1,2]\nbias=false\ninit='normal'\ninit_deviation=0.1\nactivation='relu'\n" +
              head),
      seed_of("[[layer]]\ntype='depthwise_conv2d'\nname='a'\nmultiplier=2\npadding='symmetric'\n"
              "[[layer]]\ntype='leaky_relu'\nname='b'\nslope=0.2\n"
              "[[layer]]\ntype='add'\nname='c'\nfrom=['a','b']\n"
              "[[layer]]\ntype='concat'\nfrom=['a','c']\n" +
              head),
      seed_of("[[layer]]\ntype='adaptive_avg_pool'\noutput=[2,3]\n[[layer]]\ntype='dropout'\n"
              "rate=0.5\n[[layer]]\ntype='group_norm'\ngroups=3\nepsilon=1e-3\n"
              "[[layer]]\ntype='channel_scale'\ninitial=0.5\n" +
              head),
      seed_of("[[block.r]]\ntype='conv2d'\nname='c'\nfilters='$f'\nkernel=['$k',3]\n"
              "[[block.r]]\ntype='multiply'\nfrom=['c','in']\n"
              "[[block.s]]\ntype='r'\nrepeat=2\nf='$f'\nk=1\n"
              "[[layer]]\ntype='s'\nname='x'\nf=3\n[[layer]]\ntype='r'\nf=3\nk=5\n" +
              head),
      seed_of("name='m'\n[[layer]]\ntype='batch_norm'\nmomentum=0.01\ninitial_scale=0\n"
              "activation='gelu'\n[[layer]]\ntype='avg_pool'\nwindow=3\ncounts_padding=true\n" +
              head),
      seed_of(deep_key() + "=1\n" + head),
  };
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The nodes of the largest file, doubled as a vector grows; the parsed text is some hundred bytes a value.
  const tests::AllocationCeiling ceiling(4 * train::kMaxFileNodes * sizeof(train::Node) +
                                         256 * size + 65536);
  try {
    fuzz::check_graph(train::parse_model(text, "input.toml", {3, 24, 32}, fuzz::kNumClasses));
  } catch (const Error& error) {
    fuzz::demand(error.code() == ErrorCode::kInvalidArgument, error.what());
    fuzz::demand(!error.hint().empty(), error.what());
  }  // anything else, std::bad_alloc too, ends the process
  return 0;
}
