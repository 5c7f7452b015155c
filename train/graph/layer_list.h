// Turns the layers of a model file into nodes of a graph, and uses of blocks into the layers of the block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "train/graph/layer_blocks.h"
#include "train/graph/layer_reader.h"
#include "train/graph/model_graph.h"

namespace penstock::train {

/// Most nodes of a model file, blocks written out: some ten times those of the deepest known networks.
inline constexpr std::size_t kMaxFileNodes = 10'000;
/// Most layers in one `from`.
inline constexpr std::size_t kMaxFromNames = 1'000;
/// Most blocks inside one another.
inline constexpr int kMaxBlockDepth = 16;
inline constexpr std::uint64_t kMaxRepeat = 1'000;

/// Adds lists of layers to a graph.
///
/// Lifetime  graph and blocks outlive it
/// Errors    InvalidArgument naming the layer and the key, with a hint
class LayerListBuilder {
 public:
  LayerListBuilder(ModelGraph& graph, const LayerBlocks& blocks, std::uint32_t num_classes)
      : graph_(graph), blocks_(blocks), num_classes_(num_classes) {}

  /// Returns the node of the last layer.
  NodeId add_file(const TomlList& layers);
  /// Throws for a block that no layer used.
  void check_all_blocks_used(const std::string& where) const;

 private:
  /// The layers among which names are looked up: the file's, or those of one use of a block.
  struct Scope {
    std::string prefix{};  // of the names in the graph: "stage1.0."
    BlockValues values{};
    NodeId last = 0;
    std::map<std::string, NodeId, std::less<>> outputs{};      // by the names in this scope
    std::map<std::string, std::size_t, std::less<>> counts{};  // unnamed layers by type
    int depth = 0;
  };
  struct Use {
    const std::string& type;
    const std::string& name;
    NodeId from = 0;
  };

  void add_list(Scope& scope, const TomlList& layers);
  void add_layer(Scope& scope, const TomlTable& table, std::size_t number);
  NodeId use_block(const Scope& scope, LayerReader& reader, const Use& use);
  std::vector<NodeId> read_from(const Scope& scope, LayerReader& reader) const;
  NodeId find_output(const Scope& scope, const LayerReader& reader, const std::string& name) const;
  void check_type(const LayerReader& reader, const std::string& type) const;
  void check_size(const LayerReader& reader) const;

  ModelGraph& graph_;
  const LayerBlocks& blocks_;
  std::uint32_t num_classes_;
  std::set<std::string, std::less<>> used_blocks_;
};

}  // namespace penstock::train
