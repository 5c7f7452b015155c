#include "train/backend/initial_params.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace penstock::train {

void draw_params(Program& program, const ModelGraph& graph,
                 std::span<const std::uint32_t> param_idxs, const InitialDraw& how) {
  std::size_t most = 0;
  for (const std::uint32_t i : param_idxs) {
    most = std::max(most, program.params()[i].num_elements());
  }
  std::vector<float> largest(most);
  const Lowering& lowering = program.lowering();
  const bool keeps_ema = lowering.mode == Mode::kTrain && lowering.optimizer.ema_decay > 0;
  for (const std::uint32_t i : param_idxs) {
    const ParamSlot& slot = program.params()[i];
    const std::span<float> values = std::span(largest).first(slot.num_elements());
    draw_initial_value(graph, i, how, values);
    program.import_param(i, ParamPart::kMaster, values);
    if (keeps_ema && slot.is_trainable) program.import_param(i, ParamPart::kEma, values);
  }
}

void draw_all_params(Program& program, const ModelGraph& graph, const InitialDraw& how) {
  std::vector<std::uint32_t> all(graph.parameters().size());
  std::iota(all.begin(), all.end(), 0u);
  draw_params(program, graph, all, how);
}

}  // namespace penstock::train
