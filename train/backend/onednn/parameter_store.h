// Parameters as the oneDNN programs of one model share them: the layout of each master copy, and
// which copies in other layouts are out of date. Holds no values; those lie in the arena.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "train/backend/onednn/onednn_shim.h"
#include "train/graph/model_graph.h"

namespace penstock::train::onednn {

/// A copy of a weight in the layout that some forward or backward pass wants.
struct WeightCopy {
  std::string buffer_name;
  WeightLayout layout;
  std::uint64_t version = 0;  // of the master it was made from
};

struct StoredParam {
  std::string name;
  std::size_t num_elements = 0;
  WeightLayout layout;  // empty: a plain vector, or not chosen yet
  WeightLayout canonical;
  std::uint64_t version = 1;                        // counts changes of the master
  std::vector<std::shared_ptr<WeightCopy>> copies;  // shared with the programs that read them

  std::size_t stored_bytes() const {
    return layout ? layout.bytes() : num_elements * sizeof(float);
  }
  /// Finds or makes the copy in `wanted`; null when the master itself has that layout.
  std::shared_ptr<WeightCopy> copy_in(const WeightLayout& wanted);
};

class ParameterStore {
 public:
  explicit ParameterStore(const ModelGraph& graph);

  StoredParam& param(std::size_t param_idx) { return params_.at(param_idx); }
  /// The mean of its values over the steps, in the same layout once param()'s is settled.
  StoredParam& ema(std::size_t param_idx);
  std::size_t size() const noexcept { return params_.size(); }
  const std::string& identity() const noexcept { return identity_; }

 private:
  std::vector<StoredParam> params_;
  std::vector<StoredParam> emas_;
  std::string identity_;  // of the graph
};

}  // namespace penstock::train::onednn
