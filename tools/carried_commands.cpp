// The commands of `penstock-carried`, which is copied to machines without packages: it trains, and converts nothing,
// so that neither OpenCV nor the codecs of a conversion have to be carried. Linked in place of command_list.cpp.
#include "tools/bench_train_command.h"
#include "tools/command_list.h"

namespace penstock::tools {
namespace {

void add_carried_bench_command(CLI::App& program, CommandChoice& choice) {
  CLI::App& group =
      add_command_group(program, "bench", "Measure speed beside its ceiling, in one run");
  end_help(group, example("penstock bench train --model resnet18"));
  add_bench_train_command(group, choice);
}

constexpr AddCommand kCarriedCommands[] = {
    add_verify_command,   add_plan_command,          add_model_command, add_train_command,
    add_evaluate_command, add_carried_bench_command, add_info_command,
};

}  // namespace

std::span<const AddCommand> commands() {
  return kCarriedCommands;
}

std::vector<std::pair<std::string, std::string>> conversion_codecs() {
  return {};
}

}  // namespace penstock::tools
